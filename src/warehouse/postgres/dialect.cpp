#include "warehouse/postgres/dialect.h"

#include <fmt/format.h>

#include <set>

#include "core/secrets.h"
#include "core/text.h"
#include "transport/postgres/copy.h"
#include "transport/postgres/encoding.h"
#include "transport/postgres/table.h"
#include "warehouse/postgres/wire.h"
#include "warehouse/postgres/words.h"

namespace eddy::warehouse {

using postgres::PostgresError;
using postgres::quote_identifier;

namespace {

namespace words = postgres_words;

// What each column of a query is made of, below all domains. pg_typeof() tells it of a row of nulls, so that
// the query itself is planned but never run.
constexpr std::string_view types_query = R"(
with recursive base(place, oid, native) as (
  select u.place, u.oid, u.oid
  from (select array[{types}] as list from (select 1) one left join (select * from ({select}
) inner_query limit 0) as x({names}) on true) given, unnest(given.list) with ordinality as u(oid, place)
  union all
  select b.place, t.typbasetype, b.native from base b join pg_type t on t.oid = b.oid where t.typtype = 'd')
select format_type(b.native, null), t.typname, t.typtype, t.typcategory
from base b join pg_type t on t.oid = b.oid where t.typtype <> 'd' order by b.place)";

constexpr std::string_view rights_query = R"(
select has_database_privilege(current_database(), 'TEMPORARY'), has_database_privilege(current_database(), 'CREATE'),
  n.oid is not null, coalesce(has_schema_privilege(n.oid, 'USAGE') and has_schema_privilege(n.oid, 'CREATE'), false),
  (select min(c.relname) from pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'p')
     and not pg_has_role(c.relowner, 'USAGE')),
  current_user, current_database()
from (select 1) one left join pg_namespace n on n.nspname = $1)";

class PostgresDialect final : public Dialect {
 public:
  explicit PostgresDialect(const postgres::ConnectOptions& options) : connection_(options) {
    // The written form of values is what is hashed: it must not depend on settings of the role or database.
    connection_.exec("SET extra_float_digits = 1; SET IntervalStyle = 'postgres'");
    unicode_ = connection_.exec("SHOW server_encoding").text(0, 0) == "UTF8";
  }

  std::uint64_t execute(std::string_view sql) override {
    return said([&] { return connection_.exec(sql).affected(); });
  }

  void stream(std::string_view select, const std::vector<Type>& types, const OnRow& on_row) override {
    said([&] {
      postgres::CopyOut lines(connection_, fmt::format("copy ({}\n) to stdout", select));
      Row row(types.size());
      std::string scratch;
      while (const auto line = lines.next()) {
        read_line(line->substr(0, line->size() - 1), types, row, scratch);
        on_row(row);
      }
    });
  }

  std::vector<NativeColumn> describe(std::string_view select) override {
    return said([&] {
      const postgres::Result shape =
          connection_.exec(fmt::format("select * from ({}\n) inner_query limit 0", select));
      std::vector<std::string> types, names;
      for (std::size_t i = 1; i <= shape.columns(); ++i) {
        types.push_back(fmt::format("cast(pg_typeof(x.c{}) as oid)", i));
        names.push_back(fmt::format("c{}", i));
      }
      std::vector<NativeColumn> columns;
      if (names.empty()) return columns;
      const postgres::Result found =
          connection_.exec(fmt::format(fmt::runtime(types_query), fmt::arg("types", join(types, ", ")),
                                       fmt::arg("names", join(names, ", ")), fmt::arg("select", select)));
      for (std::size_t i = 0; i < found.rows(); ++i) {
        words::Kept kept = words::kept(found.text(i, 1), found.text(i, 2), found.text(i, 3));
        columns.push_back({shape.column_name(i), std::string(found.text(i, 0)), kept.type,
                           std::move(kept.form), std::move(kept.key_form)});
      }
      return columns;
    });
  }

  std::uint64_t load(std::string_view table, const NextRow& next) override {
    return said([&] {
      postgres::CopyIn copy(connection_, fmt::format("copy {} from stdin", table));
      for (Row row; next(row);) {
        for (std::size_t i = 0; i < row.size(); ++i) {
          if (i > 0) copy.buffer() += '\t';
          if (const auto encoded = postgres::append_copy_cell(copy.buffer(), row[i]);
              encoded != postgres::Encoded::ok)
            throw Error("warehouse.refused",
                        fmt::format("a value for {} {}", table, postgres::explain(encoded)));
        }
        copy.buffer() += '\n';
        copy.row_done();
      }
      return copy.finish();
    });
  }

  void transaction(Purpose purpose, const std::function<void()>& work) override {
    said([&] {
      postgres::Transaction transaction(connection_);
      connection_.exec(purpose == Purpose::read
                           ? "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
                           : "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ WRITE");
      work();
      transaction.commit();
    });
  }

  std::string scratch(std::string_view name, std::string_view select) override {
    said([&] {
      connection_.exec(fmt::format("create temp table {} on commit drop as {}", name, select));
      connection_.exec(fmt::format("analyze pg_temp.{}", name));
    });
    return fmt::format("pg_temp.{}", name);
  }

  std::vector<std::string> relations() override {
    return said([&] {
      std::vector<std::string> names;
      for (const postgres::TableName& name : postgres::list_tables(connection_))
        names.push_back(name.display());
      return names;
    });
  }

  std::string identity() override {
    return fmt::format("PostgreSQL {}, database {} as {}", connection_.server_version(),
                       connection_.database(), connection_.user());
  }

  std::optional<MissingRight> missing_right(std::string_view schema) override {
    return said([&]() -> std::optional<MissingRight> {
      const postgres::Result r = connection_.exec(rights_query, {Value::text(std::string(schema))});
      const auto yes = [&](std::size_t column) { return r.text(0, column) == "t"; };
      const std::string role(r.text(0, 5)), database(r.text(0, 6)), named = quote_identifier(schema);
      if (!yes(0))
        return MissingRight{
            fmt::format("role {} may not create temporary tables in database {}", role, database),
            fmt::format("GRANT TEMPORARY ON DATABASE {} TO {}", quote_identifier(database),
                        quote_identifier(role))};
      if (!yes(2) && !yes(1))
        return MissingRight{
            fmt::format("role {} may not create the schema {} in database {}", role, schema, database),
            fmt::format("CREATE SCHEMA {} AUTHORIZATION {}", named, quote_identifier(role))};
      if (yes(2) && !yes(3))
        return MissingRight{
            fmt::format("role {} may not create tables in the schema {} of database {}", role, schema,
                        database),
            fmt::format("GRANT USAGE, CREATE ON SCHEMA {} TO {}", named, quote_identifier(role))};
      if (!r.is_null(0, 4))
        return MissingRight{fmt::format("{}.{} belongs to another role than {}", schema, r.text(0, 4), role),
                            fmt::format("ALTER TABLE {}.{} OWNER TO {}", named,
                                        quote_identifier(r.text(0, 4)), quote_identifier(role))};
      return std::nullopt;
    });
  }

  std::string kept_type(Type type) override { return words::kept_type(type); }
  std::string literal(const Value& value, Type type) override { return words::literal(value, type); }
  std::string hash(const std::vector<std::string>& names, const std::vector<Type>& types) override {
    return words::hash(names, types);
  }
  std::string hash_algorithm() override {
    if (algorithm_.empty())
      algorithm_ =
          said([&] { return fmt::format("postgres:{}", connection_.exec(words::hash_probe()).text(0, 0)); });
    return algorithm_;
  }

  std::string converted(const std::string& value, Type from, Type to) override {
    if (words::kept_type(from) == words::kept_type(to)) return value;
    if (conversions_.insert({from, to}).second) execute(words::create_conversion(from, to));
    return fmt::format("{}({})", words::conversion_name(from, to), value);
  }

  std::string normalized(Word word, const std::string& text) override {
    return words::normalized(word, text, unicode_);
  }

 private:
  static void read_line(std::string_view line, const std::vector<Type>& types, Row& row,
                        std::string& scratch) {
    for (std::size_t i = 0; i < types.size(); ++i) {
      const std::size_t tab = line.find('\t');
      row[i] = value_of_copy_cell(line.substr(0, tab), types[i], scratch);
      line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
    }
  }

  template <typename Action>
  auto said(const Action& action) -> decltype(action()) {
    try {
      return action();
    } catch (const PostgresError& error) {
      throw_as_warehouse_error(error, connection_.user(),
                               [this](const std::string& name) { return schema_of(name); });
    }
  }

  // Of a table that may not be read; "" when there are several, or when the transaction can tell no more.
  std::string schema_of(const std::string& table) {
    try {
      const postgres::Result found = connection_.exec(
          "select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relname = "
          "$1 and "
          "has_schema_privilege(n.oid, 'USAGE') and not has_table_privilege(c.oid, 'SELECT')",
          {Value::text(table)});
      return found.rows() == 1 ? std::string(found.text(0, 0)) : "";
    } catch (const PostgresError&) {
      return "";
    }
  }

  postgres::Connection connection_;
  bool unicode_ = true;
  std::string algorithm_;
  std::set<std::pair<Type, Type>> conversions_;  // that this connection has defined
};

// The same settings as those of the destination of this type.
postgres::ConnectOptions options_from(const config::Node& settings) {
  postgres::ConnectOptions options;
  options.application_name = "eddy warehouse";
  if (settings["url"].exists()) {
    const std::string url = settings["url"].as_string();
    options.parameters["dbname"] = url;
    // The password inside a URL is a secret of its own: messages may show it without the rest.
    const auto scheme = url.find("://"), at = url.rfind('@');
    if (scheme != std::string::npos && at != std::string::npos && at > scheme)
      if (const auto colon = url.find(':', scheme + 3); colon < at)
        register_secret(url.substr(colon + 1, at - colon - 1));
  } else if (!settings["host"].exists() || !settings["database"].exists()) {
    settings.fail("config.missing_key", "a postgres connection needs `url`, or `host` and `database`");
  }
  for (const auto& [setting, keyword] : {std::pair{"host", "host"},
                                         {"port", "port"},
                                         {"database", "dbname"},
                                         {"user", "user"},
                                         {"password", "password"},
                                         {"sslmode", "sslmode"}})
    if (settings[setting].exists() && (!settings["url"].exists() || std::string_view(keyword) != "dbname"))
      options.parameters[keyword] = settings[setting].as_string();
  if (settings["connect_timeout"].exists()) options.timeout = settings["connect_timeout"].as_duration();
  return options;
}

config::Shape settings_shape() {
  using config::Shape;
  config::Field snapshots = config::field(
      "snapshots", Shape::enumeration({"inside", "outside"}),
      "as the warehouse: keep what was delivered in a schema there, or, where only reading is allowed, in "
      "Eddy's own file");
  snapshots.default_text = "inside";
  config::Field schema = config::field("snapshot_schema", Shape::string(),
                                       "as the warehouse: the schema of `snapshots: inside`");
  schema.default_text = "eddy";
  return Shape::object({snapshots, schema});
}

OwnWarehouse make(const std::string& connection, const config::Node& settings) {
  OwnWarehouse own;
  own.connection = connection;
  if (settings["snapshots"].as_string("inside") == "outside") own.snapshots = Snapshots::outside;
  own.schema = settings["snapshot_schema"].as_string("eddy");
  own.open = [options = options_from(settings)] {
    try {
      return std::make_unique<PostgresDialect>(options);
    } catch (const PostgresError& error) {
      throw Error("warehouse.unreachable", error.message(), error.hint());
    }
  };
  return own;
}

}  // namespace

WarehouseType postgres_warehouse() { return {"postgres", settings_shape(), make}; }

}  // namespace eddy::warehouse
