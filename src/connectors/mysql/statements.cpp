#include "connectors/mysql/statements.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/tables/columns.h"
#include "core/text.h"
#include "transport/mysql/encoding.h"
#include "transport/mysql/load.h"

namespace eddy::connectors {
namespace {
using mysql::quote_identifier;
using Columns = std::vector<MysqlColumn>;

constexpr std::string_view stage = "`_eddy_stage`";
constexpr std::string_view number_column = "`_eddy_row`";

std::string each(const Columns& columns, const std::string& pattern, std::string_view separator) {
  std::vector<std::string> names;
  for (const MysqlColumn& column : columns) names.push_back(column.schema().name);
  return connectors::each(names, quote_identifier, pattern, separator);
}

std::string matches(const MysqlTarget& target) { return each(target.key, "t.{0} = s.{0}", " and "); }

std::string same_bytes(const MysqlTarget& target) {
  std::vector<std::string> parts;
  for (const MysqlColumn& column : target.key)
    if (column.schema().is_text())
      parts.push_back(fmt::format("cast(t.{0} as binary) = cast(s.{0} as binary)",
                                  quote_identifier(column.schema().name)));
  return join(parts, " and ");
}

// Two joins that differ in whom they trust: the index finds, the bytes decide.
std::string matches_exactly(const MysqlTarget& target) {
  if (!target.exact_keys || !target.has_text_key()) return matches(target);
  return matches(target) + " and " + same_bytes(target);
}

void load_statements(MysqlStatements& out, const MysqlTarget& target, const Columns& columns) {
  std::vector<std::string> targets, names = {std::string(number_column)}, assignments;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    targets.push_back(columns[i].load_target(i));
    names.push_back(quote_identifier(columns[i].schema().name));
    if (const std::string set = columns[i].load_assignment(i); !set.empty()) assignments.push_back(set);
  }
  const std::string set = assignments.empty() ? "" : " set " + join(assignments, ", ");
  out.load = fmt::format("load data local infile 'stream' into table {} {} ({}, {}){}", stage,
                         mysql::load_format, number_column, join(targets, ", "), set);
  out.straight = fmt::format("load data local infile 'stream' into table {} {} ({}){}", target.table.quoted(),
                             mysql::load_format, join(targets, ", "), set);
  out.insert = fmt::format("insert ignore into {} ({}) values ", stage, join(names, ", "));
}

std::string native_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "tinyint(1)";
    case Type::integer:
      return "bigint";
    case Type::real:
      return "double";
    case Type::decimal:
      return "decimal(65,30)";
    case Type::date:
      return "date";
    case Type::timestamp:
      return "datetime(6)";
    case Type::json:
      return "json";
    case Type::blob:
      return "longblob";
    case Type::null:
    case Type::text:
      break;
  }
  return "longtext";
}

}  // namespace

bool MysqlTarget::has_text_key() const {
  return std::any_of(key.begin(), key.end(), [](const MysqlColumn& c) { return c.schema().is_text(); });
}

bool MysqlTarget::keys_can_meet(const Schema& key_types) const {
  for (std::size_t i = 0; i < key.size(); ++i)
    if (key_types[i].type != Type::integer || !key[i].schema().is_integer()) return true;
  return false;
}

std::string create_stage(const MysqlTarget& target) {
  std::vector<std::string> lines = {fmt::format("{} int unsigned not null", number_column)};
  for (const Columns* columns : {&target.key, &target.fields})
    for (const MysqlColumn& column : *columns) lines.push_back(column.definition());
  // A stage needs no rollback: Aria, where there is one, loads in half the time.
  return fmt::format("create temporary table {} ({}) engine = {}", stage, join(lines, ", "),
                     target.mariadb ? "Aria" : "InnoDB");
}

std::string empty_stage() { return fmt::format("truncate table {}", stage); }

std::string remove_from_stage(const std::vector<std::size_t>& rows) {
  return fmt::format("delete from {} where {} in ({})", stage, number_column, fmt::join(rows, ", "));
}

MysqlStatements write_statements(const MysqlTarget& target, const std::vector<bool>& kept) {
  const Columns fields = written(target.fields, kept);
  Columns all = target.key;
  all.insert(all.end(), fields.begin(), fields.end());
  const std::string table = target.table.quoted();
  const std::string insert = fmt::format("insert into {} ({}) select {} from {} s", table,
                                         each(all, "{0}", ", "), each(all, "s.{0}", ", "), stage);
  const std::string update = fmt::format("update {} t join {} s on {} set {}", table, stage, matches(target),
                                         each(fields, "t.{0} = s.{0}", ", "));
  MysqlStatements out;
  load_statements(out, target, all);
  switch (target.mode) {
    case sync::Mode::upsert:
      if (!target.update_first && kept.empty()) {
        const std::string& key = quote_identifier(target.key.front().schema().name);
        out.write =
            insert + " on duplicate key update " +
            (fields.empty() ? fmt::format("{0} = {1}.{0}", key, table) : each(fields, "{0} = s.{0}", ", "));
        break;
      }
      if (!fields.empty()) out.write = update;
      out.drop_updated = fmt::format("delete s from {} s join {} t on {}", stage, table, matches(target));
      out.insert_rest = insert;
      break;
    case sync::Mode::update:
      if (!fields.empty()) out.write = update;
      break;
    case sync::Mode::insert:
      out.write = insert;
      break;
  }
  return out;
}

MysqlStatements remove_statements(const MysqlTarget& target) {
  MysqlStatements out;
  load_statements(out, target, target.key);
  if (target.erases)
    out.write = fmt::format("delete t from {} t join {} s on {}", target.table.quoted(), stage,
                            matches_exactly(target));
  return out;
}

std::string is_empty(const MysqlTarget& target) {
  return fmt::format("select not exists (select 1 from {})", target.table.quoted());
}

// The stage may stand only once in a statement: MySQL cannot open a temporary table twice.
std::string find_repeated_keys(const MysqlTarget& target) {
  return fmt::format(
      "select {0} from (select {0}, row_number() over (partition by {1} order by {0}) as place from {2}) r "
      "where "
      "place > 1",
      number_column, each(target.key, "{0}", ", "), stage);
}

std::string find_neighbour_keys(const MysqlTarget& target) {
  return fmt::format("select {}, concat_ws(', ', {}) from {} s join {} t on {} where not ({})", number_column,
                     each(target.key, "t.{0}", ", "), stage, target.table.quoted(), matches(target),
                     same_bytes(target));
}

std::string find_missing(const MysqlTarget& target) {
  return fmt::format("select {} from {} s left join {} t on {} where t.{} is null", number_column, stage,
                     target.table.quoted(), matches(target),
                     quote_identifier(target.key.front().schema().name));
}

std::string find_existing(const MysqlTarget& target) {
  return fmt::format("select {} from {} s join {} t on {}", number_column, stage, target.table.quoted(),
                     matches(target));
}

std::vector<mysql::TableColumn> new_columns(const sync::Delivery& delivery, bool mariadb) {
  // An InnoDB index takes 3,072 bytes, of four per character.
  const auto characters = std::min<std::size_t>(255, 768 / delivery.key.size());
  std::vector<mysql::TableColumn> columns;
  for (const Schema* schema : {&delivery.key, &delivery.fields})
    for (const Column& wanted : *schema) {
      const bool is_key = schema == &delivery.key;
      mysql::TableColumn column{
          .name = wanted.name, .native_type = native_type(wanted.type), .data_type = ""};
      if (is_key && column.native_type == "longtext")
        column.native_type = fmt::format("varchar({})", characters);
      if (is_key && column.native_type == "longblob")
        column.native_type = fmt::format("varbinary({})", characters);
      column.data_type = column.native_type.substr(0, column.native_type.find('('));
      column.type = wanted.type;
      column.not_null = is_key;
      column.fraction_digits = 6;
      if (column.data_type == "varchar" || column.data_type == "longtext") column.character_set = "utf8mb4";
      if (column.data_type == "varchar")
        column.collation = mariadb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin";
      columns.push_back(std::move(column));
    }
  return columns;
}

std::string create_table_statement(const mysql::TableName& table, const sync::Delivery& delivery,
                                   bool mariadb) {
  std::vector<std::string> lines;
  Columns key;
  for (mysql::TableColumn& column : new_columns(delivery, mariadb)) {
    lines.push_back(column.not_null
                        ? replace_all(MysqlColumn(column).definition(), "null default null", "not null")
                        : MysqlColumn(column).definition());
    if (column.not_null) key.emplace_back(std::move(column));
  }
  return fmt::format(
      "create table if not exists {} ({}, primary key ({})) engine = InnoDB default character set "
      "utf8mb4",
      table.quoted(), join(lines, ", "), each(key, "{0}", ", "));
}

std::string create_unique_index_statement(const mysql::TableName& table, const Schema& key) {
  const std::vector<std::string> names = names_of(key);
  return fmt::format("alter table {} add unique index {} ({});", table.quoted(),
                     quote_identifier(table.name + "_" + join(names, "_")),
                     connectors::each(names, quote_identifier, "{0}", ", "));
}

}  // namespace eddy::connectors
