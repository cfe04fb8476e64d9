#include "connectors/mysql/destination.h"

#include <fmt/format.h>

#include "connectors/mysql/reader.h"
#include "connectors/mysql/writer.h"
#include "connectors/tables/columns.h"
#include "connectors/tables/found_table.h"
#include "connectors/tables/records.h"
#include "transport/mysql/connection.h"
#include "transport/mysql/table.h"

namespace eddy::connectors {
namespace {
using config::Shape;

bool has_exact_keys(const config::Node& options) {
  return !options["keys"].exists() || options["keys"].as_string() == "exact";
}

FoundTable found(const mysql::Table& table) {
  return found_table(table.name.display(), table,
                     [](const mysql::TableColumn& column, sync::FieldSchema& field) {
                       field.native_type = column.native_type;
                       field.length_max = column.is_text() ? column.length_max : 0;
                       if (column.data_type == "enum") field.options = column.options;
                     });
}

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

  bool checked_by_open(const config::Node& options) const override { return makes_table(options); }

  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    mysql::Connection connection(options_);
    const auto table = mysql::describe_table(connection, name_of(object));
    if (!table) return std::nullopt;
    return sync::ObjectSchema{.name = object, .fields = found(*table).fields};
  }

  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    refuse_archive(delivery, "a MySQL table");
    mysql::Connection connection(options_);
    MysqlTarget target{.table = name_of(delivery.object),
                       .key = {},
                       .fields = {},
                       .mode = delivery.mode,
                       .erases = delivery.removed == sync::Removal::erase,
                       .exact_keys = has_exact_keys(delivery.options),
                       .mariadb = connection.is_mariadb()};
    std::string create_table;
    if (const auto table = mysql::describe_table(connection, target.table)) {
      const FoundTable there = found(*table);
      check_table(*table, there, delivery);
      for (const Column& column : delivery.key) target.key.emplace_back(*table->find(column.name));
      for (const Column& column : delivery.fields) target.fields.emplace_back(*table->find(column.name));
      target.takes_load = table->transactional;
      target.update_first = table->unique_indexes > 1 || asks_for_more(there, delivery);
    } else if (makes_table(delivery.options)) {
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
    const auto table = mysql::describe_table(connection, name_of(reading.object));
    if (!table) {
      // A table that the sync will make has no records yet.
      if (makes_table(reading.options)) return std::make_unique<EmptyReader>();
      fail_to_find(connection, reading.object);
    }
    const FoundTable there = found(*table);
    check_there(there, reading.key);
    check_there(there, reading.fields);
    return std::make_unique<MysqlReader>(options_, *table, reading, has_exact_keys(reading.options));
  }

 private:
  mysql::TableName name_of(const std::string& object) const {
    return table_name<mysql::TableName>(object, options_.database);
  }

  std::vector<std::string> names_in(mysql::Connection& connection) const {
    std::vector<std::string> names;
    for (const mysql::TableName& table : mysql::list_tables(connection))
      names.push_back(table.database == options_.database ? table.name : table.display());
    return names;
  }

  [[noreturn]] void fail_to_find(mysql::Connection& connection, const std::string& object) const {
    connectors::fail_to_find(fmt::format("there is no table {}", name_of(object).display()), object,
                             names_in(connection));
  }

  static void check_table(const mysql::Table& table, const FoundTable& there,
                          const sync::Delivery& delivery) {
    check_columns(there, delivery);
    check_key(there, delivery.key, table.has_unique_key(names_of(delivery.key)),
              create_unique_index_statement(table.name, delivery.key));
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
          {create_table_option(),
           with_default(
               field("keys", Shape::enumeration({"exact", "collation"}),
                     "which record a text key matches: the one with the same characters, or also one "
                     "that the column's collation calls equal (`A` and `a`)"),
               "exact")}),
      .make = make};
}

}  // namespace eddy::connectors
