#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "core/text.h"
#include "engine/database.h"
#include "support/process.h"
#include "support/scratch.h"

namespace eddy {
namespace {

// Every file of a folder by its name below it.
std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files[entry.path().lexically_relative(folder).generic_string()] =
        std::string(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

class ShopData : public ::testing::Test {
 protected:
  void make(const std::string& folder, const std::string& seed, const std::string& day) {
    const auto made =
        testing::run({.argv = {testing::program("shop-data").string(), "--customers", "400", "--seed", seed,
                               "--day", day, "--out", (scratch_ / folder).string()}});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  std::int64_t count(const std::string& from) {
    return connection_.query("select count(*) from " + from).scalar().as_integer();
  }
  std::string quoted(const std::string& name) { return engine::quote_literal((scratch_ / name).string()); }

  testing::Scratch scratch_;
  engine::Database database_ = engine::Database::in_memory({});
  engine::Connection connection_ = database_.connect();
};

TEST_F(ShopData, same_seed_same_bytes) {
  make("a", "7", "1");
  make("b", "7", "1");
  make("other", "8", "1");
  const auto a = contents(scratch_ / "a");
  EXPECT_EQ(a.size(), 18U);  // customers, products, tickets, 12 months of orders, 3 of usage
  EXPECT_TRUE(a == contents(scratch_ / "b"));
  for (const auto& [name, bytes] : contents(scratch_ / "other")) {
    EXPECT_EQ(bytes == a.at(name), name == "products.tsv") << name;
  }
}

TEST_F(ShopData, the_next_day_changes_two_files_and_adds_two) {
  make("a", "7", "1");
  const auto before = contents(scratch_ / "a");
  make("a", "7", "2");
  const auto after = contents(scratch_ / "a");
  std::vector<std::string> changed, added;
  for (const auto& [name, bytes] : after) {
    if (!before.contains(name)) {
      added.push_back(name);
    } else if (before.at(name) != bytes) {
      changed.push_back(name);
    }
  }
  EXPECT_EQ(join(changed, " "), "customers.csv tickets.json");
  EXPECT_EQ(join(added, " "), "orders/2026-11-19.parquet usage/2026-11-19.jsonl.gz");
  EXPECT_EQ(after.size(), before.size() + 2);
}

TEST_F(ShopData, the_formats_are_what_they_say_and_hold_the_promised_dirt) {
  make("a", "7", "1");
  const std::string customers =
      "read_csv(" + quoted("a/customers.csv") + ", all_varchar = true, ignore_errors = true)";
  EXPECT_GE(count("(select distinct customer_id from " + customers + ")"), 400);
  EXPECT_GT(count(customers), count("(select distinct customer_id from " + customers + ")"));  // copies
  EXPECT_GT(count(customers + " where not regexp_full_match(trim(email), '[^@]+@[^@]+\\.[^@.]+')"), 0);
  EXPECT_GT(count(customers + " where email <> lower(trim(email))"), 0);
  EXPECT_EQ(count("read_csv(" + quoted("a/products.tsv") + ", delim = '\t')"), 22);

  const std::string orders = quoted("a/orders/*.parquet");
  EXPECT_GT(count(orders), 1000);
  EXPECT_GT(
      count("(select order_id from " + orders + " group by order_id having count(distinct status) = 2)"),
      0);  // refunds
  EXPECT_GT(count("read_parquet(" + orders +
                  ", filename = true) where filename not like '%' || strftime(ordered_at, '%Y-%m') || '%'"),
            0);
  EXPECT_GT(count(orders + " where customer_id not in (select customer_id from " + customers + ")"), 0);

  const std::string usage = "read_csv(" + quoted("a/usage/*.jsonl.gz") +
                            ", columns = {line: 'VARCHAR'}, header = false, "
                            "delim = '\x01', quote = '', escape = '')";
  EXPECT_GT(count(usage), 5000);
  EXPECT_GT(count(usage + " where not json_valid(line)"), 0);
  EXPECT_GT(count("(select line from " + usage + " group by line having count(*) > 1)"), 0);
  EXPECT_GT(
      count("read_json(" + quoted("a/tickets.json") + ") where requester.email <> lower(requester.email)"),
      0);
}

}  // namespace
}  // namespace eddy
