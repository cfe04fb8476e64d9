#include "engine/table_function.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "engine/database.h"

namespace eddy::engine {
namespace {

// Numbers below `end`; with a question asked of the engine for each hundredth, as a source that reads another
// table does.
class Numbers final : public RowSource {
 public:
  Numbers(Connection connection, std::int64_t end) : connection_(std::move(connection)), end_(end) {}
  bool next(Row& row) override {
    if (next_ == end_) return false;
    if (next_ == 4'000 && end_ > 9'000) throw Error("numbers.tired", "no more than 4000");
    if (next_ % 100 == 0) sum_ = connection_.query("select sum(i)::bigint from range(10) t(i)").scalar();
    row = {Value::integer(next_), next_ % 3 == 0 ? Value() : Value::text("n" + std::to_string(next_)),
           Value::boolean(next_ % 2 == 0), sum_};
    ++next_;
    return true;
  }

 private:
  Connection connection_;
  std::int64_t end_, next_ = 0;
  Value sum_;
};

Database in_memory(int threads) {
  Options options;
  options.threads = threads;
  return Database::in_memory(options);
}

void add_numbers(Database& database, std::int64_t end) {
  database.add_table_function(
      "numbers",
      {{"i", Type::integer}, {"name", Type::text}, {"even", Type::boolean}, {"sum", Type::integer}},
      [&database, end] { return std::make_unique<Numbers>(database.connect(), end); });
}

TEST(TableFunction, IsARelationAsAnyOther) {
  for (const int threads : {1, 2}) {
    Database database = in_memory(threads);
    add_numbers(database, 5'000);
    auto c = database.connect();
    c.execute("create schema s; create view s.n as select * from numbers()");
    EXPECT_EQ(c.query("select count(*), count(name), count(*) filter (where even), sum(i)::bigint, "
                      "max(sum) from s.n")
                  .rows()
                  .at(0),
              (Row{Value::integer(5'000), Value::integer(3'333), Value::integer(2'500),
                   Value::integer(12'497'500), Value::integer(45)}));
    EXPECT_EQ(c.query("select b.name from s.n a join s.n b on b.i = a.i + 1 where a.i = 999").scalar(),
              Value::text("n1000"));
  }
}

TEST(TableFunction, MayBeLeftBeforeItsEndAndFailsWithItsOwnWords) {
  Database database = in_memory(2);
  add_numbers(database, 9'500);
  auto c = database.connect();
  EXPECT_EQ(c.query("select i from numbers() limit 3").rows().size(), 3u);
  try {
    c.query("select count(*) from numbers()");
    FAIL() << "counted";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("numbers.tired: no more than 4000"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace eddy::engine
