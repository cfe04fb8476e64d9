#include "connectors/sqlite/destination.h"

#include <fmt/format.h>

#include "connectors/sqlite/reader.h"
#include "connectors/sqlite/writer.h"
#include "connectors/tables/rows.h"
#include "core/text.h"
#include "transport/sqlite/table.h"

namespace eddy::connectors {
namespace {
using config::Shape;

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

  bool checked_by_open(const config::Node& options) const override {
    return options["create_table"].exists() && options["create_table"].as_boolean();
  }

  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    if (!exists()) return std::nullopt;
    auto database = read();
    const auto table = sqlite::describe_table(database, object);
    if (!table) return std::nullopt;
    sync::ObjectSchema schema{.name = object, .fields = {}};
    for (const sqlite::TableColumn& column : table->columns)
      schema.fields.push_back({.name = column.name,
                               .type = column.type,
                               .native_type = column.declared_type,
                               .required = column.not_null && !column.has_default && !column.generated,
                               .writable = !column.generated,
                               .key = table->has_unique_key({column.name})});
    return schema;
  }

  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    if (delivery.removed == sync::Removal::archive)
      throw Error("destination.unsupported", "a SQLite table has no archive",
                  "use `removed: delete`, `clear` or `ignore`");
    const auto option = delivery.options["create_table"];
    const bool create = option.exists() && option.as_boolean();
    if (!exists() && !create)
      throw Error(
          "destination.no_such_object", fmt::format("there is no file {}", file_.path.string()),
          "check the connection's path, or let the sync make it with `options: {create_table: true}`");
    if (exists()) check_table(delivery, create);
    return std::make_unique<SqliteWriter>(file_, delivery, create);
  }

  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override {
    const auto create = reading.options["create_table"];
    std::optional<sqlite::Table> table;
    if (exists()) {
      auto database = read();
      table = sqlite::describe_table(database, reading.object);
    }
    if (!table) {
      // A table that the sync will make has no records yet.
      if (create.exists() && create.as_boolean()) return std::make_unique<EmptyReader>();
      fail_to_find(reading.object);
    }
    for (const Schema* columns : {&reading.key, &reading.fields})
      for (const Column& wanted : *columns) find(*table, wanted.name);
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
    if (table) return check_fields(*table, delivery);
    if (create) return;
    fail_to_find(delivery.object);
  }

  [[noreturn]] void fail_to_find(const std::string& object) {
    std::string guess;
    if (exists()) {
      auto database = read();
      guess = did_you_mean_hint(object, sqlite::list_tables(database));
    }
    throw Error(
        "destination.no_such_object", fmt::format("there is no table {} in {}", object, file_.path.string()),
        guess.empty() ? "create it, or let the sync do it with `options: {create_table: true}`" : guess);
  }

  static const sqlite::TableColumn& find(const sqlite::Table& table, const std::string& name) {
    if (const sqlite::TableColumn* column = table.find(name)) return *column;
    std::vector<std::string> names;
    for (const sqlite::TableColumn& column : table.columns) names.push_back(column.name);
    throw Error("destination.unknown_field", fmt::format("table {} has no column `{}`", table.name, name),
                did_you_mean_hint(name, names));
  }

  static void check_fields(const sqlite::Table& table, const sync::Delivery& delivery) {
    std::vector<std::string> key, quoted_key;
    for (const Schema* columns : {&delivery.key, &delivery.fields})
      for (const Column& wanted : *columns) {
        const sqlite::TableColumn& column = find(table, wanted.name);
        if (column.generated)
          throw Error("destination.read_only_field",
                      fmt::format("column `{}` of {} is generated by the database and cannot be written",
                                  wanted.name, table.name),
                      "leave it out of the mapping");
      }
    for (const Column& column : delivery.key) {
      key.push_back(column.name);
      quoted_key.push_back(sqlite::quote_identifier(column.name));
    }
    if (table.has_unique_key(key)) return;
    throw Error("destination.key_not_unique",
                fmt::format("{} has no unique index on its key ({}), so rows could be doubled", table.name,
                            join(key, ", ")),
                table.is_view ? "it is a view: deliver to the table below it"
                              : fmt::format("run: create unique index {} on {} ({});",
                                            sqlite::quote_identifier(table.name + "_" + join(key, "_")),
                                            sqlite::quote_identifier(table.name), join(quoted_key, ", ")));
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
  config::Field create = config::field(
      "create_table", Shape::boolean(),
      "make the table, and the file, when they do not exist: types from the mapping, the key as primary key");
  create.default_text = "false";
  return {.type = "sqlite",
          .summary = "Tables of a SQLite file",
          .settings = Shape::object(
              {config::required("path", Shape::string(), "the file, relative to the project"), timeout}),
          .options = Shape::object({create}),
          .make = make};
}

}  // namespace eddy::connectors
