#include "connectors/sqlite/destination.h"

#include <fmt/format.h>

#include "connectors/sqlite/reader.h"
#include "connectors/sqlite/writer.h"
#include "connectors/tables/columns.h"
#include "connectors/tables/found_table.h"
#include "connectors/tables/records.h"
#include "transport/sqlite/table.h"

namespace eddy::connectors {
namespace {
using config::Shape;

FoundTable found(const sqlite::Table& table) {
  return found_table(table.name, table, [](const sqlite::TableColumn& column, sync::FieldSchema& field) {
    field.native_type = column.declared_type;
  });
}

class SqliteDestination final : public sync::Destination {
 public:
  explicit SqliteDestination(SqliteFile file) : file_(std::move(file)) {}

  std::string check() override {
    const std::string version = "SQLite " + sqlite::Database::library_version();
    if (!exists())
      return fmt::format("{}, {} (not there yet: a sync with create_table makes it)", version,
                         file_.path.string());
    auto database = read();
    return fmt::format("{}, {} with {} tables", version, file_.path.string(),
                       sqlite::list_tables(database).size());
  }

  std::vector<std::string> objects() override {
    if (!exists()) return {};
    auto database = read();
    return sqlite::list_tables(database);
  }

  bool checked_by_open(const config::Node& options) const override { return makes_table(options); }

  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    if (!exists()) return std::nullopt;
    auto database = read();
    const auto table = sqlite::describe_table(database, object);
    if (!table) return std::nullopt;
    return sync::ObjectSchema{.name = object, .fields = found(*table).fields};
  }

  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    refuse_archive(delivery, "a SQLite table");
    const bool create = makes_table(delivery.options);
    if (!exists() && !create)
      throw Error(
          "destination.no_such_object", fmt::format("there is no file {}", file_.path.string()),
          "check the connection's path, or let the sync make it with `options: {create_table: true}`");
    if (exists()) check_table(delivery, create);
    return std::make_unique<SqliteWriter>(file_, delivery, create);
  }

  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override {
    std::optional<sqlite::Table> table;
    if (exists()) {
      auto database = read();
      table = sqlite::describe_table(database, reading.object);
    }
    if (!table) {
      // A table that the sync will make has no records yet.
      if (makes_table(reading.options)) return std::make_unique<EmptyReader>();
      fail_to_find(reading.object);
    }
    const FoundTable there = found(*table);
    check_there(there, reading.key);
    check_there(there, reading.fields);
    return std::make_unique<SqliteReader>(file_, *table, reading);
  }

 private:
  bool exists() const { return std::filesystem::exists(file_.path); }
  sqlite::Database read() const {
    return sqlite::Database(file_.path, sqlite::Access::read_only, file_.busy_timeout);
  }

  void check_table(const sync::Delivery& delivery, bool create) {
    auto database = read();
    const auto table = sqlite::describe_table(database, delivery.object);
    if (!table && create) return;
    if (!table) fail_to_find(delivery.object);
    const FoundTable there = found(*table);
    check_writable(there, delivery.key);
    check_writable(there, delivery.fields);
    check_key(there, delivery.key, table->has_unique_key(names_of(delivery.key)),
              create_unique_index_statement(delivery.object, delivery.key));
  }

  [[noreturn]] void fail_to_find(const std::string& object) {
    connectors::fail_to_find(fmt::format("there is no table {} in {}", object, file_.path.string()), object,
                             objects());
  }

  SqliteFile file_;
};

std::unique_ptr<sync::Destination> make(const config::Node& settings,
                                        const sync::Surroundings& surroundings) {
  SqliteFile file{.path = surroundings.project / settings["path"].as_string()};
  if (settings["busy_timeout"].exists()) file.busy_timeout = settings["busy_timeout"].as_duration();
  return std::make_unique<SqliteDestination>(std::move(file));
}

}  // namespace

sync::DestinationType sqlite_destination() {
  config::Field timeout = config::field("busy_timeout", Shape::duration(),
                                        "how long to wait while another program writes the file");
  timeout.default_text = "5s";
  return {
      .type = "sqlite",
      .summary = "Tables of a SQLite file",
      .settings = Shape::object(
          {config::required("path", Shape::string(), "the file, relative to the project"), timeout}),
      .options = Shape::object({create_table_option("make the table, and the file, when they do not exist")}),
      .make = make};
}

}  // namespace eddy::connectors
