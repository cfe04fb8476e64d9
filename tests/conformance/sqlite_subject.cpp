#include <fmt/format.h>

#include "conformance/table_subject.h"
#include "connectors/sqlite/destination.h"
#include "support/scratch.h"
#include "transport/sqlite/database.h"

namespace eddy::conformance {
namespace {

class SqliteSubject final : public TableSubject {
 public:
  std::unique_ptr<sync::Destination> destination() override {
    return make_destination(connectors::sqlite_destination(), "{path: crm.db, busy_timeout: 50ms}",
                            scratch_.path());
  }

  nlohmann::json rows(const Target& target) override {
    sqlite::Statement query(database(), fmt::format("select * from \"{}\" order by 1, 2", target.object));
    nlohmann::json rows = nlohmann::json::array();
    while (query.step()) {
      nlohmann::json row;
      for (int i = 0; i < query.columns(); ++i) {
        const Value value = query.value(i);
        const std::string name = query.column_name(i);
        if (value.is_null())
          row[name] = nullptr;
        else
          row[name] = name == "flag" ? (value == Value::integer(1) ? "true" : "false") : canonical(value);
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  // Another program holds the file for itself.
  void take_down() override { database().exec("begin exclusive"); }

 private:
  void create_table(const std::string& name, const std::string& primary_key) override {
    database().exec(
        fmt::format("create table \"{}\" (k1 text not null, k2 integer default 0, words text, number "
                    "integer, amount decimal, share real, "
                    "flag boolean, day date, at timestamp, doc json text, bytes blob, score int check (score "
                    ">= 0), untouched text default 'as it "
                    "was', primary key ({}))",
                    name, primary_key));
  }
  sqlite::Database& database() {
    if (!database_)
      database_ = std::make_unique<sqlite::Database>(scratch_ / "crm.db", sqlite::Access::create);
    return *database_;
  }
  testing::Scratch scratch_;
  std::unique_ptr<sqlite::Database> database_;
};

}  // namespace

NamedSubject sqlite_subject() {
  return {.name = "SQLite",
          .available = [] { return true; },
          .missing = "",
          .make = [] { return std::make_unique<SqliteSubject>(); },
          .waivers = no_answer_is_lost("a local file has no wire on which an answer could be lost")};
}

}  // namespace eddy::conformance
