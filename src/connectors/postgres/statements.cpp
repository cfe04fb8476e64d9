#include "connectors/postgres/statements.h"

#include <fmt/format.h>

#include "connectors/tables/columns.h"
#include "core/text.h"
#include "transport/postgres/encoding.h"

namespace eddy::connectors {
namespace {
using postgres::quote_identifier;

constexpr std::string_view stage = "pg_temp.eddy_stage";
constexpr std::string_view number_column = "_eddy_row";

std::string each(const Schema& columns, const std::string& pattern, std::string_view separator) {
  return connectors::each(names_of(columns), quote_identifier, pattern, separator);
}

std::string_view native_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "boolean";
    case Type::integer:
      return "bigint";
    case Type::real:
      return "double precision";
    case Type::decimal:
      return "numeric";
    case Type::date:
      return "date";
    case Type::timestamp:
      return "timestamptz";
    case Type::json:
      return "jsonb";
    case Type::blob:
      return "bytea";
    case Type::null:
    case Type::text:
      break;
  }
  return "text";
}

}  // namespace

PostgresStatements postgres_statements(const postgres::TableName& table, const sync::Delivery& delivery,
                                       const std::vector<bool>& kept, bool update_first) {
  const Schema fields = written(delivery.fields, kept);
  Schema all = delivery.key, every = delivery.key;
  all.insert(all.end(), fields.begin(), fields.end());
  every.insert(every.end(), delivery.fields.begin(), delivery.fields.end());
  const std::string target = table.quoted();
  const std::string columns = each(all, "{0}", ", ");
  const std::string keys = each(delivery.key, "{0}", ", ");
  const std::string match = each(delivery.key, "t.{0} = s.{0}", " and ");
  const std::string staged = each(all, "s.{0}", ", ");
  const std::string exists = fmt::format("exists (select from {} t where {})", target, match);

  PostgresStatements out;
  out.create_stage = fmt::format(
      "create temporary table eddy_stage on commit delete rows as select 0::int as {}, {} from {} with no "
      "data",
      number_column, each(every, "{0}", ", "), target);
  out.empty_stage = fmt::format("delete from {}", stage);
  out.copy_removes = fmt::format("copy {} ({}) from stdin", stage, keys);
  out.numbered = delivery.mode != sync::Mode::upsert;
  out.copy_writes = out.numbered ? fmt::format("copy {} ({}, {}) from stdin", stage, number_column, columns)
                                 : fmt::format("copy {} ({}) from stdin", stage, columns);
  const std::string insert =
      fmt::format("insert into {} ({}) select {} from {} s", target, columns, staged, stage);
  const std::string update =
      fmt::format("update {} t set {} from {} s where {}", target,
                  each(fields.empty() ? delivery.key : fields, "{0} = s.{0}", ", "), stage, match);
  out.copy_straight = fmt::format("copy {} ({}) from stdin", target, columns);
  out.is_empty = fmt::format("select not exists (select from {})", target);
  switch (delivery.mode) {
    case sync::Mode::upsert:
      if (update_first && !fields.empty()) out.write.push_back(update);
      out.write.push_back(
          fmt::format("{}{} on conflict ({}) do {}", insert, update_first ? " where not " + exists : "", keys,
                      fields.empty() ? "nothing" : "update set " + each(fields, "{0} = excluded.{0}", ", ")));
      break;
    case sync::Mode::update:
      out.find_forbidden = fmt::format("select {} from {} s where not {}", number_column, stage, exists);
      out.write = {update};
      break;
    case sync::Mode::insert:
      out.find_forbidden = fmt::format("select {} from {} s where {}", number_column, stage, exists);
      out.write = {insert + " where not " + exists};
      break;
  }
  if (delivery.removed == sync::Removal::erase)
    out.remove = fmt::format("delete from {} t using {} s where {}", target, stage, match);
  return out;
}

std::string create_table_statement(const postgres::TableName& table, const sync::Delivery& delivery) {
  std::vector<std::string> lines;
  for (const Schema* columns : {&delivery.key, &delivery.fields})
    for (const Column& column : *columns)
      lines.push_back(fmt::format("{} {}", quote_identifier(column.name), native_type(column.type)));
  return fmt::format("create table if not exists {} ({}, primary key ({}))", table.quoted(),
                     join(lines, ", "), each(delivery.key, "{0}", ", "));
}

std::string create_unique_index_statement(const postgres::TableName& table, const Schema& key) {
  return fmt::format("create unique index on {} ({});", table.quoted(), each(key, "{0}", ", "));
}

}  // namespace eddy::connectors
