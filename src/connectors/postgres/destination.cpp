#include "connectors/postgres/destination.h"

#include <fmt/format.h>

#include "connectors/postgres/reader.h"
#include "connectors/postgres/statements.h"
#include "connectors/postgres/writer.h"
#include "connectors/tables/columns.h"
#include "connectors/tables/found_table.h"
#include "connectors/tables/records.h"
#include "core/secrets.h"
#include "core/text.h"
#include "transport/postgres/connection.h"
#include "transport/postgres/table.h"

namespace eddy::connectors {
namespace {
using config::Shape;

FoundTable found(const postgres::Table& table) {
  return found_table(table.name.display(), table,
                     [](const postgres::TableColumn& column, sync::FieldSchema& field) {
                       field.native_type = column.native_type;
                       field.length_max = column.length_max;
                       field.options = column.options;
                     });
}

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
    return options["schema"].exists() || makes_table(options);
  }

  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    postgres::Connection connection(options_);
    const auto table = postgres::describe_table(connection, name_of(object, {}));
    if (!table) return std::nullopt;
    return sync::ObjectSchema{.name = object, .fields = found(*table).fields};
  }

  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    refuse_archive(delivery, "a PostgreSQL table");
    const auto name = name_of(delivery.object, delivery.options);
    postgres::Connection connection(options_);
    const auto table = postgres::describe_table(connection, name);
    std::string create_table;
    bool update_first = false;
    if (table) {
      const FoundTable there = found(*table);
      check_columns(there, delivery);
      check_key(there, delivery.key, table->has_unique_key(names_of(delivery.key)),
                create_unique_index_statement(name, delivery.key));
      update_first = asks_for_more(there, delivery);
    } else if (makes_table(delivery.options)) {
      create_table = create_table_statement(name, delivery);
    } else {
      fail_to_find(connection, delivery.object, name);
    }
    return std::make_unique<PostgresWriter>(options_, name, delivery, update_first,
                                            !table || table->takes_copy, std::move(create_table));
  }

  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override {
    const auto name = name_of(reading.object, reading.options);
    postgres::Connection connection(options_);
    const auto table = postgres::describe_table(connection, name);
    if (!table) {
      // A table that the sync will make has no records yet.
      if (makes_table(reading.options)) return std::make_unique<EmptyReader>();
      fail_to_find(connection, reading.object, name);
    }
    const FoundTable there = found(*table);
    check_there(there, reading.key);
    check_there(there, reading.fields);
    return std::make_unique<PostgresReader>(options_, *table, reading);
  }

 private:
  postgres::TableName name_of(const std::string& object, const config::Node& options) const {
    return table_name<postgres::TableName>(object, options["schema"].as_string(schema_));
  }

  std::vector<std::string> names_in(postgres::Connection& connection) const {
    std::vector<std::string> names;
    for (const postgres::TableName& table : postgres::list_tables(connection))
      names.push_back(table.schema == schema_ ? table.name : table.display());
    return names;
  }

  [[noreturn]] void fail_to_find(postgres::Connection& connection, const std::string& object,
                                 const postgres::TableName& name) const {
    connectors::fail_to_find(
        fmt::format("there is no table {} in database {}", name.display(), connection.database()), object,
        names_in(connection));
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
               create_table_option()}),
          .make = make};
}

}  // namespace eddy::connectors
