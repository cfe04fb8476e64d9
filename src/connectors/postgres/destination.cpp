#include "connectors/postgres/destination.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/postgres/reader.h"
#include "connectors/postgres/statements.h"
#include "connectors/postgres/writer.h"
#include "connectors/tables/rows.h"
#include "core/secrets.h"
#include "core/text.h"
#include "transport/postgres/connection.h"
#include "transport/postgres/table.h"

namespace eddy::connectors {
namespace {
using config::Shape;

class PostgresDestination final : public sync::Destination {
 public:
  PostgresDestination(postgres::ConnectOptions options, std::string schema)
      : options_(std::move(options)), schema_(std::move(schema)) {}

  std::string check() override {
    const postgres::Connection connection(options_);
    return fmt::format("PostgreSQL {}, database {} as {}", connection.server_version(), connection.database(),
                       connection.user());
  }

  std::vector<std::string> objects() override {
    postgres::Connection connection(options_);
    return names_in(connection);
  }

  bool checked_by_open(const config::Node& options) const override {
    return options["schema"].exists() ||
           (options["create_table"].exists() && options["create_table"].as_boolean());
  }

  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    postgres::Connection connection(options_);
    const auto table = postgres::describe_table(connection, table_name(object, schema_));
    if (!table) return std::nullopt;
    sync::ObjectSchema schema{.name = object, .fields = {}};
    for (const postgres::TableColumn& column : table->columns)
      schema.fields.push_back({.name = column.name,
                               .type = column.type,
                               .native_type = column.native_type,
                               .required = column.not_null && !column.has_default && !column.generated,
                               .writable = !column.generated,
                               .key = table->has_unique_key({column.name}),
                               .length_max = column.length_max,
                               .options = column.options});
    return schema;
  }

  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    if (delivery.removed == sync::Removal::archive)
      throw Error("destination.unsupported", "a PostgreSQL table has no archive",
                  "use `removed: delete`, `clear` or `ignore`");
    const auto name = table_name(delivery.object, delivery.options["schema"].as_string(schema_));
    const auto create = delivery.options["create_table"];
    postgres::Connection connection(options_);
    const auto table = postgres::describe_table(connection, name);
    std::string create_table;
    bool update_first = false;
    if (table) {
      check_fields(*table, delivery);
      update_first = asks_for_more(*table, delivery);
    } else if (create.exists() && create.as_boolean()) {
      create_table = create_table_statement(name, delivery);
    } else {
      fail_to_find(connection, delivery.object, name);
    }
    return std::make_unique<PostgresWriter>(options_, name, delivery, update_first,
                                            !table || table->takes_copy, std::move(create_table));
  }

  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override {
    const auto name = table_name(reading.object, reading.options["schema"].as_string(schema_));
    const auto create = reading.options["create_table"];
    postgres::Connection connection(options_);
    const auto table = postgres::describe_table(connection, name);
    if (!table) {
      // A table that the sync will make has no records yet.
      if (create.exists() && create.as_boolean()) return std::make_unique<EmptyReader>();
      fail_to_find(connection, reading.object, name);
    }
    for (const Schema* columns : {&reading.key, &reading.fields})
      for (const Column& wanted : *columns) find(*table, wanted.name);
    return std::make_unique<PostgresReader>(options_, *table, reading);
  }

 private:
  // "orders" in the default schema, or "crm.orders".
  static postgres::TableName table_name(const std::string& object, const std::string& default_schema) {
    const auto dot = object.find('.');
    if (dot == std::string::npos) return {default_schema, object};
    return {object.substr(0, dot), object.substr(dot + 1)};
  }

  std::vector<std::string> names_in(postgres::Connection& connection) const {
    std::vector<std::string> names;
    for (const postgres::TableName& table : postgres::list_tables(connection))
      names.push_back(table.schema == schema_ ? table.name : table.display());
    return names;
  }

  // A new record needs a column that the delivery does not have; one that is there can be updated.
  static bool asks_for_more(const postgres::Table& table, const sync::Delivery& delivery) {
    return std::any_of(table.columns.begin(), table.columns.end(), [&](const postgres::TableColumn& column) {
      return column.not_null && !column.has_default && !column.generated && !delivers(delivery, column.name);
    });
  }

  [[noreturn]] void fail_to_find(postgres::Connection& connection, const std::string& object,
                                 const postgres::TableName& name) const {
    const std::string guess = did_you_mean_hint(object, names_in(connection));
    throw Error(
        "destination.no_such_object",
        fmt::format("there is no table {} in database {}", name.display(), connection.database()),
        guess.empty() ? "create it, or let the sync do it with `options: {create_table: true}`" : guess);
  }

  static const postgres::TableColumn& find(const postgres::Table& table, const std::string& name) {
    if (const postgres::TableColumn* column = table.find(name)) return *column;
    std::vector<std::string> names;
    for (const postgres::TableColumn& column : table.columns) names.push_back(column.name);
    throw Error("destination.unknown_field",
                fmt::format("table {} has no column `{}`", table.name.display(), name),
                did_you_mean_hint(name, names));
  }

  static void check_fields(const postgres::Table& table, const sync::Delivery& delivery) {
    std::vector<std::string> key;
    for (const Schema* columns : {&delivery.key, &delivery.fields})
      for (const Column& wanted : *columns) {
        const postgres::TableColumn& column = find(table, wanted.name);
        if (column.generated && !(delivery.mode == sync::Mode::update && columns == &delivery.key))
          throw Error("destination.read_only_field",
                      fmt::format("column `{}` of {} is generated by the database and cannot be written",
                                  wanted.name, table.name.display()),
                      "leave it out of the mapping");
      }
    for (const Column& column : delivery.key) key.push_back(column.name);
    if (table.has_unique_key(key)) return;
    const std::string index = create_unique_index_statement(table.name, delivery.key);
    throw Error("destination.key_not_unique",
                fmt::format("{} has no unique index on its key ({}), so rows could be doubled",
                            table.name.display(), join(key, ", ")),
                table.is_view ? "it is a view: deliver to the table below it" : "run: " + index);
  }

  postgres::ConnectOptions options_;
  std::string schema_;
};

// The password inside a URL is a secret of its own: messages may show it without the rest.
void register_password_of(const std::string& url) {
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return;
  const auto colon = url.find(':', scheme + 3);
  if (colon < at) register_secret(url.substr(colon + 1, at - colon - 1));
}

std::unique_ptr<sync::Destination> make(const config::Node& settings, const sync::Surroundings&) {
  postgres::ConnectOptions options;
  if (settings["url"].exists()) {
    options.parameters["dbname"] = settings["url"].as_string();
    register_password_of(options.parameters["dbname"]);
    for (const char* part : {"host", "port", "database", "user"})
      if (settings[part].exists())
        settings[part].fail("config.not_allowed", fmt::format("`{}` is already part of `url`", part),
                            "keep one of the two");
  } else if (!settings["host"].exists() || !settings["database"].exists()) {
    settings.fail("config.missing_key", "a postgres connection needs `url`, or `host` and `database`");
  }
  for (const auto& [setting, keyword] : {std::pair{"host", "host"},
                                         {"port", "port"},
                                         {"database", "dbname"},
                                         {"user", "user"},
                                         {"password", "password"},
                                         {"sslmode", "sslmode"}})
    if (settings[setting].exists()) options.parameters[keyword] = settings[setting].as_string();
  if (settings["connect_timeout"].exists()) options.timeout = settings["connect_timeout"].as_duration();
  return std::make_unique<PostgresDestination>(std::move(options), settings["schema"].as_string("public"));
}

}  // namespace

sync::DestinationType postgres_destination() {
  config::Field schema = config::field("schema", Shape::string(), "schema of tables named without one");
  schema.default_text = "public";
  config::Field port = config::field("port", Shape::integer(), "TCP port");
  port.default_text = "5432";
  config::Field timeout = config::field("connect_timeout", Shape::duration(), "how long a login may take");
  timeout.default_text = "10s";
  config::Field create =
      config::field("create_table", Shape::boolean(),
                    "make the table when it does not exist: types from the mapping, the key as primary key");
  create.default_text = "false";
  return {.type = "postgres",
          .summary = "Tables of a PostgreSQL database",
          .settings = Shape::object(
              {config::secret("url", "postgresql://user:password@host:port/database, instead of the parts",
                              false),
               config::field("host", Shape::string(), "name, address, or folder of the server's unix socket"),
               port, config::field("database", Shape::string(), "name of the database"),
               config::field("user", Shape::string(), "role to log in as"),
               config::secret("password", "its password", false),
               config::field(
                   "sslmode",
                   Shape::enumeration({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}),
                   "how TLS is used, as in libpq"),
               schema, timeout}),
          .options = Shape::object(
              {config::field("schema", Shape::string(), "schema of the table, instead of the connection's"),
               create}),
          .make = make};
}

}  // namespace eddy::connectors
