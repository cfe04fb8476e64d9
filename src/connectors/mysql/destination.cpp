#include "connectors/mysql/destination.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/mysql/reader.h"
#include "connectors/mysql/writer.h"
#include "connectors/tables/rows.h"
#include "core/text.h"
#include "transport/mysql/connection.h"
#include "transport/mysql/table.h"

namespace eddy::connectors {
namespace {
using config::Shape;

bool has_exact_keys(const config::Node& options) {
  return !options["keys"].exists() || options["keys"].as_string() == "exact";
}
bool is_on(const config::Node& option) { return option.exists() && option.as_boolean(); }

class MysqlDestination final : public sync::Destination {
 public:
  explicit MysqlDestination(mysql::ConnectOptions options) : options_(std::move(options)) {}

  std::string check() override {
    const mysql::Connection connection(options_);
    return fmt::format("{} {}, database {} as {}{}", connection.product(), connection.server_version(),
                       connection.database(), connection.user(), connection.is_encrypted() ? ", TLS" : "");
  }

  std::vector<std::string> objects() override {
    mysql::Connection connection(options_);
    return names_in(connection);
  }

  bool checked_by_open(const config::Node& options) const override { return is_on(options["create_table"]); }

  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    mysql::Connection connection(options_);
    const auto table = mysql::describe_table(connection, table_name(object));
    if (!table) return std::nullopt;
    sync::ObjectSchema schema{.name = object, .fields = {}};
    for (const mysql::TableColumn& column : table->columns)
      schema.fields.push_back(
          {.name = column.name,
           .type = column.type,
           .native_type = column.native_type,
           .required = column.not_null && !column.has_default && !column.generated,
           .writable = !column.generated,
           .key = table->has_unique_key({column.name}),
           .length_max = column.is_text() ? column.length_max : 0,
           .options = column.data_type == "enum" ? column.options : std::vector<std::string>()});
    return schema;
  }

  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    if (delivery.removed == sync::Removal::archive)
      throw Error("destination.unsupported", "a MySQL table has no archive",
                  "use `removed: delete`, `clear` or `ignore`");
    mysql::Connection connection(options_);
    MysqlTarget target{.table = table_name(delivery.object),
                       .key = {},
                       .fields = {},
                       .mode = delivery.mode,
                       .erases = delivery.removed == sync::Removal::erase,
                       .exact_keys = has_exact_keys(delivery.options),
                       .mariadb = connection.is_mariadb()};
    std::string create_table;
    if (const auto table = mysql::describe_table(connection, target.table)) {
      check_table(*table, delivery);
      for (const Column& column : delivery.key) target.key.emplace_back(*table->find(column.name));
      for (const Column& column : delivery.fields) target.fields.emplace_back(*table->find(column.name));
      target.takes_load = table->transactional;
      target.update_first = table->unique_indexes > 1 || asks_for_more(*table, delivery);
    } else if (is_on(delivery.options["create_table"])) {
      for (mysql::TableColumn& column : new_columns(delivery, target.mariadb))
        (target.key.size() < delivery.key.size() ? target.key : target.fields)
            .emplace_back(std::move(column));
      create_table = create_table_statement(target.table, delivery, target.mariadb);
    } else {
      fail_to_find(connection, delivery.object);
    }
    return std::make_unique<MysqlWriter>(options_, std::move(target), delivery.key, std::move(create_table));
  }

  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override {
    mysql::Connection connection(options_);
    const auto table = mysql::describe_table(connection, table_name(reading.object));
    if (!table) {
      // A table that the sync will make has no records yet.
      if (is_on(reading.options["create_table"])) return std::make_unique<EmptyReader>();
      fail_to_find(connection, reading.object);
    }
    for (const Schema* columns : {&reading.key, &reading.fields})
      for (const Column& wanted : *columns) find(*table, wanted.name);
    return std::make_unique<MysqlReader>(options_, *table, reading, has_exact_keys(reading.options));
  }

 private:
  // "orders" in the connection's database, or "shop.orders".
  mysql::TableName table_name(const std::string& object) const {
    const auto dot = object.find('.');
    if (dot == std::string::npos) return {options_.database, object};
    return {object.substr(0, dot), object.substr(dot + 1)};
  }

  std::vector<std::string> names_in(mysql::Connection& connection) const {
    std::vector<std::string> names;
    for (const mysql::TableName& table : mysql::list_tables(connection))
      names.push_back(table.database == options_.database ? table.name : table.display());
    return names;
  }

  // A new record needs a column that the delivery does not have; one that is there can be updated.
  static bool asks_for_more(const mysql::Table& table, const sync::Delivery& delivery) {
    return std::any_of(table.columns.begin(), table.columns.end(), [&](const mysql::TableColumn& column) {
      return column.not_null && !column.has_default && !column.generated && !delivers(delivery, column.name);
    });
  }

  [[noreturn]] void fail_to_find(mysql::Connection& connection, const std::string& object) const {
    const std::string guess = did_you_mean_hint(object, names_in(connection));
    throw Error(
        "destination.no_such_object", fmt::format("there is no table {}", table_name(object).display()),
        guess.empty() ? "create it, or let the sync do it with `options: {create_table: true}`" : guess);
  }

  static const mysql::TableColumn& find(const mysql::Table& table, const std::string& name) {
    if (const mysql::TableColumn* column = table.find(name)) return *column;
    std::vector<std::string> names;
    for (const mysql::TableColumn& column : table.columns) names.push_back(column.name);
    throw Error("destination.unknown_field",
                fmt::format("table {} has no column `{}`", table.name.display(), name),
                did_you_mean_hint(name, names));
  }

  static void check_table(const mysql::Table& table, const sync::Delivery& delivery) {
    std::vector<std::string> key;
    for (const Schema* columns : {&delivery.key, &delivery.fields})
      for (const Column& wanted : *columns) {
        const mysql::TableColumn& column = find(table, wanted.name);
        if (column.generated && !(delivery.mode == sync::Mode::update && columns == &delivery.key))
          throw Error("destination.read_only_field",
                      fmt::format("column `{}` of {} is generated by the database and cannot be written",
                                  wanted.name, table.name.display()),
                      "leave it out of the mapping");
      }
    for (const Column& column : delivery.key) key.push_back(column.name);
    if (!table.has_unique_key(key))
      throw Error("destination.key_not_unique",
                  fmt::format("{} has no unique index on its key ({}), so rows could be doubled",
                              table.name.display(), join(key, ", ")),
                  table.is_view ? "it is a view: deliver to the table below it"
                                : "run: " + create_unique_index_statement(table.name, delivery.key));
    // Half a batch would stay when the other half is refused, and be taken for somebody else's records.
    if (delivery.mode == sync::Mode::insert && !table.transactional)
      throw Error(
          "destination.unsupported",
          fmt::format("{} is stored by {}, which cannot undo a batch, so mode insert could not tell "
                      "its own rows from others",
                      table.name.display(), table.engine),
          fmt::format("use mode upsert, or run: alter table {} engine = InnoDB;", table.name.quoted()));
  }

  mysql::ConnectOptions options_;
};

std::unique_ptr<sync::Destination> make(const config::Node& settings,
                                        const sync::Surroundings& surroundings) {
  if (settings["host"].exists() == settings["socket"].exists())
    settings.fail("config.missing_key", "a mysql connection needs `host` or `socket`, one of the two");
  mysql::ConnectOptions options;
  if (settings["host"].exists()) options.host = settings["host"].as_string();
  if (settings["socket"].exists()) options.socket = surroundings.project / settings["socket"].as_string();
  if (settings["port"].exists()) options.port = static_cast<unsigned>(settings["port"].as_integer());
  options.database = settings["database"].as_string();
  options.user = settings["user"].as_string("");
  options.password = settings["password"].as_string("");
  const std::string tls = settings["tls"].as_string("prefer");
  options.tls = tls == "disable"   ? mysql::Tls::disable
                : tls == "require" ? mysql::Tls::require
                : tls == "verify"  ? mysql::Tls::verify
                                   : mysql::Tls::prefer;
  if (settings["tls_ca"].exists()) options.tls_ca = surroundings.project / settings["tls_ca"].as_string();
  if (settings["connect_timeout"].exists())
    options.connect_timeout = settings["connect_timeout"].as_duration();
  if (settings["read_timeout"].exists()) options.read_timeout = settings["read_timeout"].as_duration();
  return std::make_unique<MysqlDestination>(std::move(options));
}

config::Field with_default(config::Field field, std::string text) {
  field.default_text = std::move(text);
  return field;
}

}  // namespace

sync::DestinationType mysql_destination() {
  using config::field;
  return {
      .type = "mysql",
      .summary = "Tables of a MySQL or MariaDB database",
      .settings = Shape::object(
          {field("host", Shape::string(), "name or address of the server"),
           with_default(field("port", Shape::integer(), "TCP port"), "3306"),
           field("socket", Shape::string(), "the server's unix socket, instead of host and port"),
           config::required("database", Shape::string(), "name of the database"),
           field("user", Shape::string(), "user to log in as"),
           config::secret("password", "the user's password", false),
           with_default(field("tls", Shape::enumeration({"disable", "prefer", "require", "verify"}),
                              "prefer: where the server offers it; verify: certificate and host name must be "
                              "right"),
                        "prefer"),
           field("tls_ca", Shape::string(), "PEM file of the authorities to trust, instead of the system's"),
           with_default(field("connect_timeout", Shape::duration(), "how long a login may take"), "10s"),
           with_default(field("read_timeout", Shape::duration(), "how long one statement may take"), "10m")}),
      .options = Shape::object(
          {with_default(
               field("create_table", Shape::boolean(),
                     "make the table when it does not exist: types from the mapping, the key as primary key"),
               "false"),
           with_default(
               field("keys", Shape::enumeration({"exact", "collation"}),
                     "which record a text key matches: the one with the same characters, or also one "
                     "that the column's collation calls equal (`A` and `a`)"),
               "exact")}),
      .make = make};
}

}  // namespace eddy::connectors
