#include "sync/column_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.h"

namespace eddy::sync {
namespace {

constexpr std::uint64_t sample_rows_max = 100'000;
constexpr std::uint64_t small_rows_max = 200'000;
constexpr std::uint64_t values_max = 60;  // a column with more different values is no pick-list

constexpr const char* email_pattern = R"(^[^@\s]+@[^@\s]+\.[^@\s]+$)";
// Some sign that it is no mere number: a plus, a bracket, a leading zero, or groups.
constexpr const char* phone_pattern = R"(^(\+|\(|0|[0-9]{2,4}[ ./-])[0-9 ()./-]{5,20}$)";
constexpr const char* url_pattern = R"(^(https?://|www\.)\S+$)";
constexpr const char* day_pattern = R"(^[0-9]{4}-[0-9]{2}-[0-9]{2})";

bool is_scalar(Type type) { return type != Type::json && type != Type::blob && type != Type::null; }

// Names that can stand in SQL without quotes, in any of the engines.
class Quoting {
 public:
  explicit Quoting(engine::Connection& connection) {
    for (const Row& row :
         connection.query("select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'")
             .rows())
      reserved_.insert(row[0].to_text());
  }
  std::string expression(const std::string& name) const {
    const bool plain = !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
                       std::all_of(name.begin(), name.end(), [](unsigned char c) {
                         return (c >= 'a' && c <= 'z') || std::isdigit(c) || c == '_';
                       });
    return plain && !reserved_.contains(name) ? name : engine::quote_identifier(name);
  }

 private:
  std::set<std::string> reserved_;
};

// One query whose cells are taken up in the order in which they were asked for.
class Asked {
 public:
  std::size_t add(const std::string& expression) {
    expressions_.push_back(expression);
    return expressions_.size() - 1;
  }
  void run(engine::Connection& connection, const std::string& relation) {
    if (!expressions_.empty())
      row_ = connection.query(fmt::format("select {} from {} as r", join(expressions_, ", "), relation))
                 .rows()
                 .front();
  }
  std::uint64_t count(std::size_t at) const {
    return row_[at].is_null() ? 0 : static_cast<std::uint64_t>(row_[at].as_integer());
  }
  double share(std::size_t at) const { return row_[at].is_null() ? 0 : row_[at].as_real(); }

 private:
  std::vector<std::string> expressions_;
  Row row_;
};

void count_rows(engine::Connection& connection, const std::string& relation,
                std::vector<ColumnFacts>& facts) {
  Asked asked;
  asked.add("count(*)");
  for (const ColumnFacts& f : facts) {
    const std::string name = engine::quote_identifier(f.name);
    asked.add(fmt::format("count({})", name));
    asked.add(is_scalar(f.type) ? fmt::format("approx_count_distinct({})", name) : "cast(0 as bigint)");
    asked.add(f.type == Type::text ? fmt::format("max(length({}))", name) : "cast(0 as bigint)");
  }
  asked.run(connection, relation);
  for (std::size_t i = 0; i < facts.size(); ++i) {
    facts[i].rows = asked.count(0);
    facts[i].nulls = facts[i].rows - asked.count(1 + 3 * i);
    facts[i].distinct = asked.count(2 + 3 * i);
    facts[i].length_max = asked.count(3 + 3 * i);
  }
}

// The estimate may be off by some percent: what may be a key is counted, and in a small model everything.
void count_keys(engine::Connection& connection, const std::string& relation,
                std::vector<ColumnFacts>& facts) {
  Asked asked;
  std::vector<ColumnFacts*> counted;
  for (ColumnFacts& f : facts) {
    if (!is_scalar(f.type) || (f.rows > small_rows_max && f.distinct * 10 < f.filled() * 3)) continue;
    const std::string name = engine::quote_identifier(f.name);
    asked.add(fmt::format("count(distinct {})", name));
    asked.add(f.type == Type::text ? fmt::format("count(distinct lower(trim({})))", name)
                                   : "cast(0 as bigint)");
    counted.push_back(&f);
  }
  asked.run(connection, relation);
  for (std::size_t i = 0; i < counted.size(); ++i) {
    counted[i]->distinct = asked.count(2 * i);
    counted[i]->folded = asked.count(2 * i + 1);
    counted[i]->exact = true;
  }
}

void look_at_texts(engine::Connection& connection, const std::string& relation,
                   std::vector<ColumnFacts>& facts) {
  Asked asked;
  for (const ColumnFacts& f : facts) {
    if (f.type != Type::text) continue;
    const std::string value = fmt::format("trim({})", engine::quote_identifier(f.name));
    const auto share = [&](const std::string& condition) {
      asked.add(fmt::format("avg(cast({} as integer)) filter (where {} <> '')", condition, value));
    };
    const auto matches = [&](const char* pattern) {
      return fmt::format("regexp_matches({}, '{}')", value, pattern);
    };
    share(matches(email_pattern));
    share(fmt::format("({} and not {})", matches(phone_pattern), matches(day_pattern)));
    share(matches(url_pattern));
    share(fmt::format("(lower({}) in ('true', 'false', 'yes', 'no', 't', 'f', 'y', 'n', '0', '1'))", value));
    share(fmt::format("(try_cast({} as double) is not null)", value));
    share(fmt::format("({} and try_cast({} as timestamp) is not null)", matches(day_pattern), value));
  }
  asked.run(connection, fmt::format("(select * from {} as m limit {})", relation, sample_rows_max));
  std::size_t at = 0;
  for (ColumnFacts& f : facts) {
    if (f.type != Type::text) continue;
    for (double* share :
         {&f.email_share, &f.phone_share, &f.url_share, &f.boolean_share, &f.number_share, &f.date_share})
      *share = asked.share(at++);
  }
}

void take_values(engine::Connection& connection, const std::string& relation, ColumnFacts& f) {
  if (!is_scalar(f.type) || f.distinct == 0 || f.distinct > values_max) return;
  for (const Row& row :
       connection
           .query(fmt::format("select cast({0} as varchar), count(*) from {1} as r where {0} is not "
                              "null group by 1 order by 2 desc, 1 limit {2}",
                              engine::quote_identifier(f.name), relation, values_max + 20))
           .rows())
    f.values.emplace_back(row[0].to_text(), static_cast<std::uint64_t>(row[1].as_integer()));
}

}  // namespace

std::string ColumnFacts::uniqueness() const {
  if (rows == 0) return "the model has no rows";
  if (unique()) return fmt::format("unique in {0} of {0} rows", with_commas(rows));
  if (!exact && distinct > 0)
    return fmt::format("only about {} different values in {} rows", with_commas(distinct), with_commas(rows));
  std::vector<std::string> parts;
  if (filled() > distinct)
    parts.push_back(
        fmt::format("{} duplicate{}", with_commas(filled() - distinct), filled() - distinct == 1 ? "" : "s"));
  if (nulls > 0) parts.push_back(with_commas(nulls) + " null");
  return fmt::format("{} in {} rows", join(parts, ", "), with_commas(rows));
}

std::vector<ColumnFacts> measure_columns(engine::Connection& connection, const std::string& relation) {
  const Quoting quoting(connection);
  std::vector<ColumnFacts> facts;
  const engine::Result described = connection.query(fmt::format("select * from {} as r limit 0", relation));
  for (const engine::EngineColumn& column : described.columns())
    facts.push_back(
        {.name = column.name, .type = column.type, .expression = quoting.expression(column.name)});
  if (facts.empty()) return facts;
  count_rows(connection, relation, facts);
  count_keys(connection, relation, facts);
  look_at_texts(connection, relation, facts);
  for (ColumnFacts& f : facts) take_values(connection, relation, f);
  return facts;
}

}  // namespace eddy::sync
