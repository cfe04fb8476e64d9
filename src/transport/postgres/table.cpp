#include "transport/postgres/table.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "transport/postgres/encoding.h"

namespace eddy::postgres {
namespace {

Type type_named(std::string_view name) {
  if (name == "bool") return Type::boolean;
  if (name == "int2" || name == "int4" || name == "int8" || name == "oid") return Type::integer;
  if (name == "float4" || name == "float8") return Type::real;
  if (name == "numeric" || name == "money") return Type::decimal;
  if (name == "date") return Type::date;
  if (name == "timestamp" || name == "timestamptz") return Type::timestamp;
  if (name == "json" || name == "jsonb") return Type::json;
  if (name == "bytea") return Type::blob;
  return Type::text;
}

std::vector<std::string> list_of(std::string_view json) {
  return nlohmann::json::parse(json).get<std::vector<std::string>>();
}

// A domain is followed down to its base type; the length is in the type modifier, four more than the user
// wrote.
constexpr std::string_view columns_query = R"(
with recursive base(attnum, oid, typmod) as (
  select attnum, atttypid, atttypmod from pg_attribute where attrelid = $1::oid and attnum > 0 and not attisdropped
  union all
  select b.attnum, t.typbasetype, case when t.typtypmod >= 0 then t.typtypmod else b.typmod end
  from base b join pg_type t on t.oid = b.oid where t.typtype = 'd')
select a.attname, format_type(a.atttypid, a.atttypmod), t.typname,
       a.attnotnull or (d.typtype = 'd' and d.typnotnull),
       a.atthasdef or a.attidentity <> '' or d.typdefault is not null,
       a.attgenerated <> '' or a.attidentity = 'a',
       case when t.typname in ('varchar', 'bpchar') and b.typmod > 4 then b.typmod - 4 else 0 end,
       coalesce((select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), '[]')
from pg_attribute a
join pg_type d on d.oid = a.atttypid
join base b on b.attnum = a.attnum
join pg_type t on t.oid = b.oid and t.typtype <> 'd'
where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
order by a.attnum)";

constexpr std::string_view keys_query = R"(
select json_agg(a.attname order by k.place)
from pg_index i
cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indimmediate
  and i.indpred is null and i.indexprs is null and k.place <= i.indnkeyatts
group by i.indexrelid, i.indisprimary
order by i.indisprimary desc, i.indexrelid)";

}  // namespace

std::string TableName::quoted() const { return quote_identifier(schema) + "." + quote_identifier(name); }
std::string TableName::display() const { return schema + "." + name; }

const TableColumn* Table::find(std::string_view column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const TableColumn& c) { return c.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

bool Table::has_unique_key(std::vector<std::string> wanted) const {
  std::sort(wanted.begin(), wanted.end());
  return std::any_of(unique_keys.begin(), unique_keys.end(), [&](std::vector<std::string> key) {
    std::sort(key.begin(), key.end());
    return key == wanted;
  });
}

std::optional<Table> describe_table(Connection& connection, const TableName& name) {
  const Result found = connection.exec(
      "select c.oid, c.relkind, c.relkind in ('r', 'p') and not c.relhasrules and not c.relrowsecurity from "
      "pg_class c join pg_namespace n on n.oid = c.relnamespace "
      "where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')",
      {Value::text(name.schema), Value::text(name.name)});
  if (found.rows() == 0) return std::nullopt;
  Table table{.name = name,
              .is_view = found.text(0, 1) == "v" || found.text(0, 1) == "m",
              .takes_copy = found.text(0, 2) == "t",
              .columns = {},
              .unique_keys = {}};
  const Row oid = {Value::text(std::string(found.text(0, 0)))};

  const Result columns = connection.exec(columns_query, oid);
  for (std::size_t i = 0; i < columns.rows(); ++i) {
    TableColumn column;
    column.name = columns.text(i, 0);
    column.native_type = columns.text(i, 1);
    column.type = type_named(columns.text(i, 2));
    column.not_null = columns.text(i, 3) == "t";
    column.has_default = columns.text(i, 4) == "t";
    column.generated = columns.text(i, 5) == "t";
    column.length_max = static_cast<std::size_t>(std::stoul(std::string(columns.text(i, 6))));
    column.options = list_of(columns.text(i, 7));
    table.columns.push_back(std::move(column));
  }
  const Result keys = connection.exec(keys_query, oid);
  for (std::size_t i = 0; i < keys.rows(); ++i) table.unique_keys.push_back(list_of(keys.text(i, 0)));
  return table;
}

std::vector<TableName> list_tables(Connection& connection) {
  const Result found = connection.exec(
      "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
      "where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname !~ "
      "'^pg_' "
      "order by 1, 2");
  std::vector<TableName> names;
  for (std::size_t i = 0; i < found.rows(); ++i)
    names.push_back({std::string(found.text(i, 0)), std::string(found.text(i, 1))});
  return names;
}

}  // namespace eddy::postgres
