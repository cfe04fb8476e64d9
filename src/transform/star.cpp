#include "transform/star.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace eddy::transform {

using engine::Connection;
using engine::quote_identifier;

namespace {

using Columns = std::vector<TableDefinition::Column>;

std::vector<std::string> texts(const std::vector<Word>& words) {
  std::vector<std::string> out;
  for (const Word& word : words) out.push_back(word.text);
  return out;
}

std::vector<std::string> names_of(const Columns& columns) {
  std::vector<std::string> out;
  for (const auto& column : columns) out.push_back(column.name);
  return out;
}

std::string quoted(const std::vector<std::string>& columns) {
  std::vector<std::string> out;
  for (const std::string& column : columns) out.push_back(quote_identifier(column));
  return join(out, ", ");
}

std::uint64_t count(Connection& connection, const std::string& sql) {
  const Value value = connection.query(sql).scalar();
  return value.is_null() ? 0 : static_cast<std::uint64_t>(value.as_integer());
}

// Up to five rows as "{…}, {…}".
std::string examples(Connection& connection, const std::string& sql) {
  std::vector<std::string> out;
  for (const Row& row :
       connection.query(fmt::format("select to_json(eddy_row)::varchar from ({} limit 5) as eddy_row", sql))
           .rows())
    out.push_back(row[0].as_string());
  return join(out, ", ");
}

class Builder {
 public:
  Builder(Connection& connection, const ModelSpec& spec)
      : connection_(connection), spec_(spec), old_(read_table(connection, spec.name)) {
    for (const Row& row : connection
                              .query("select column_name, data_type from duckdb_columns() where "
                                     "database_name = 'temp' and table_name = ? "
                                     "order by column_index",
                                     {Value::text(std::string(staged_table))})
                              .rows())
      staged_.columns.push_back({row[0].as_string(), row[1].as_string()});
    content_.table.name = spec.name;
    for (const Word& word : spec.key)
      if (spec.materialize != Materialize::fact) need_column(word);
  }

  Content make() {
    if (spec_.materialize == Materialize::dimension)
      make_dimension();
    else if (spec_.materialize == Materialize::fact)
      make_fact();
    else
      make_table();
    add_references();
    // The unknown member is no row of the model.
    content_.rows = count(connection_, fmt::format("select count(*) from temp.{}", content_table)) -
                    (spec_.materialize == Materialize::dimension ? 1 : 0);
    return std::move(content_);
  }

 private:
  [[noreturn]] void fail(std::string code, std::string message, std::string hint,
                         const SourcePosition& at) const {
    throw spec_.error(std::move(code), std::move(message), std::move(hint), at);
  }

  // The column as the model spells it.
  std::string need_column(const Word& word) const {
    if (const auto* column = staged_.find(word.text)) return column->name;
    const std::vector<std::string> known = names_of(staged_.columns);
    std::string hint = did_you_mean_hint(word.text, known);
    if (hint.empty()) hint = "it gives: " + join(known, ", ");
    fail("transform.unknown_column",
         fmt::format("the SELECT of {} gives no column `{}`", spec_.relation(), word.text), hint, word.at);
  }

  void need_free(const std::string& column, const SourcePosition& at) const {
    if (staged_.find(column) != nullptr)
      fail("transform.column_taken",
           fmt::format("the SELECT of {} already gives a column `{}`, which is the surrogate key's name",
                       spec_.relation(), column),
           "rename it in the SELECT", at);
  }

  TableDefinition need_table(const std::string& table, const SourcePosition& at) const {
    if (auto found = read_table(connection_, table)) return std::move(*found);
    std::vector<std::string> known;
    for (const Row& row : connection_
                              .query(fmt::format("select 'warehouse.' || table_name from duckdb_tables() "
                                                 "where database_name = '{}' and schema_name = 'warehouse'",
                                                 warehouse::Session::warehouse_catalog))
                              .rows())
      known.push_back(row[0].as_string());
    std::string hint = did_you_mean_hint("warehouse." + table, known);
    if (hint.empty()) hint = "build it first; a view cannot be referred to";
    fail("transform.unknown_table", fmt::format("there is no table warehouse.{} to refer to", table), hint,
         at);
  }

  void make_table() {
    content_.table.columns = staged_.columns;
    content_.table.primary_key = texts(spec_.key);
    mark_key_not_null();
    if (!spec_.key.empty())
      check_key(connection_, spec_, fmt::format("temp.{}", staged_table), texts(spec_.key),
                spec_.key.front().at);
    // A view, not a copy: what the model gave is what the table shall hold.
    connection_.execute(
        fmt::format("create or replace temp view {} as from temp.{}", content_table, staged_table));
    keep_referred_rows();
  }

  void mark_key_not_null() {
    for (std::string& key : content_.table.primary_key)
      for (auto& column : content_.table.columns)
        if (lower(column.name) == lower(key)) {
          column.not_null = true;
          key = column.name;
        }
  }

  // "try_cast(old.a as T) as a" per staged column; NULL where the old table has no such column.
  std::string from_old(std::string_view alias) const {
    std::vector<std::string> out;
    for (const auto& column : staged_.columns) {
      const auto* before = old_->find(column.name);
      const std::string value =
          before == nullptr ? "null" : fmt::format("{}.{}", alias, quote_identifier(before->name));
      out.push_back(
          fmt::format("try_cast({} as {}) as {}", value, column.type, quote_identifier(column.name)));
    }
    return join(out, ", ");
  }

  // "try_cast(old.a as T) = staged.a and …"
  std::string matches(const std::vector<std::string>& key, std::string_view old_alias,
                      std::string_view new_alias) const {
    std::vector<std::string> out;
    for (const std::string& column : key)
      out.push_back(fmt::format("try_cast({0}.{2} as {3}) = {1}.{2}", old_alias, new_alias,
                                quote_identifier(column), staged_.find(column)->type));
    return join(out, " and ");
  }

  bool old_has(const std::vector<std::string>& columns) const {
    return old_ && std::all_of(columns.begin(), columns.end(),
                               [&](const std::string& c) { return old_->find(c) != nullptr; });
  }

  void keep_referred_rows() {
    const std::vector<std::string> key = content_.table.primary_key;
    if (key.empty() || !old_has(key)) return;
    std::vector<std::string> referred;
    for (const std::string& child : tables_referring_to(connection_, spec_.name)) {
      const auto definition = read_table(connection_, child);
      for (const auto& foreign : definition->foreign_keys) {
        if (lower(foreign.table) != lower(spec_.name)) continue;
        std::vector<std::string> equal;
        for (std::size_t i = 0; i < foreign.columns.size(); ++i)
          equal.push_back(fmt::format("c.{} = o.{}", quote_identifier(foreign.columns[i]),
                                      quote_identifier(foreign.target[i])));
        referred.push_back(fmt::format("exists (select 1 from {} as c where {})", warehouse_name(child),
                                       join(equal, " and ")));
      }
    }
    if (referred.empty()) return;
    connection_.execute(
        fmt::format("create or replace temp table eddy_kept as select {} from {} as o where not exists "
                    "(select 1 from temp.{} as s where {}) and ({})",
                    from_old("o"), warehouse_name(old_->name), staged_table, matches(key, "o", "s"),
                    join(referred, " or ")));
    content_.kept = count(connection_, "select count(*) from temp.eddy_kept");
    if (content_.kept > 0)
      connection_.execute(fmt::format("insert into temp.{} from temp.eddy_kept", staged_table));
  }

  void make_dimension() {
    const std::string surrogate = surrogate_column(spec_.name);
    need_free(surrogate, spec_.key.front().at);
    std::vector<std::string> key;
    for (const Word& word : spec_.key) key.push_back(need_column(word));
    check_key(connection_, spec_, fmt::format("temp.{}", staged_table), key, spec_.key.front().at);

    TableDefinition& table = content_.table;
    table.columns.push_back({surrogate, "BIGINT", true});
    table.columns.insert(table.columns.end(), staged_.columns.begin(), staged_.columns.end());
    table.primary_key = {surrogate};
    table.unique = {key};

    const std::string id = quote_identifier(surrogate);
    const std::string order = quoted(key);
    const bool goes_on = numbers_can_be_kept(surrogate, key);
    if (goes_on) {
      const std::string old = warehouse_name(old_->name);
      std::vector<std::string> by_key;
      for (const std::string& column : key) by_key.push_back("s." + quote_identifier(column));
      connection_.execute(
          fmt::format("create or replace temp table {content} as select coalesce(o.{id}, (select "
                      "coalesce(max({id}), 0) from {old}) + "
                      "row_number() over (partition by o.{id} is null order by {by_key}))::bigint as {id}, "
                      "s.* from temp.{staged} as s left join {old} as o on o.{id} <> 0 and {matches}",
                      fmt::arg("content", content_table), fmt::arg("id", id), fmt::arg("old", old),
                      fmt::arg("staged", staged_table), fmt::arg("by_key", join(by_key, ", ")),
                      fmt::arg("matches", matches(key, "o", "s"))));
      content_.kept =
          connection_
              .query(fmt::format("insert into temp.{} select o.{id}, {} from {} as o where o.{id} <> 0 and "
                                 "not exists (select 1 from temp.{} as s where {})",
                                 content_table, from_old("o"), old, staged_table, matches(key, "o", "s"),
                                 fmt::arg("id", id)))
              .rows_changed();
      check_kept_keys(key);
    } else {
      connection_.execute(fmt::format(
          "create or replace temp table {} as select row_number() over (order by {}) as {}, * from temp.{}",
          content_table, order, id, staged_table));
    }
    insert_unknown_member();
  }

  // False: there is nothing to go on from. Throws when there is, but it cannot be gone on from.
  bool numbers_can_be_kept(const std::string& surrogate, const std::vector<std::string>& key) const {
    if (!old_) return false;
    const bool same = old_->is_dimension() && old_->primary_key[0] == surrogate && old_has(key) &&
                      old_->unique[0].size() == key.size() &&
                      std::equal(key.begin(), key.end(), old_->unique[0].begin(),
                                 [](const auto& a, const auto& b) { return lower(a) == lower(b); });
    if (same) return true;
    const std::vector<std::string> referring = tables_referring_to(connection_, spec_.name);
    if (referring.empty()) return false;
    const std::string before = old_->is_dimension() ? join(old_->unique[0], ", ") : "none";
    fail("transform.key_changed",
         fmt::format("the natural key of {} was {} and is now {}, so the surrogate keys in warehouse.{} "
                     "would point at other members",
                     spec_.relation(), before, join(key, ", "), join(referring, ", warehouse.")),
         "give the dimension a new name, or drop the tables that refer to it and build them again",
         spec_.key.front().at);
  }

  // A retyped natural key may lose members that the model no longer gives: two become one, or one becomes
  // NULL.
  void check_kept_keys(const std::vector<std::string>& key) const {
    std::vector<std::string> null;
    for (const std::string& column : key) null.push_back(quote_identifier(column) + " is null");
    const std::string lost = fmt::format(
        "select * from temp.{0} where {1} union all select * from temp.{0} qualify count(*) over (partition "
        "by {2}) > 1",
        content_table, join(null, " or "), quoted(key));
    if (content_.kept == 0 || count(connection_, fmt::format("select count(*) from ({})", lost)) == 0) return;
    fail("transform.key_changed",
         fmt::format("the type of the natural key of {} has changed, and members that the model no longer "
                     "gives cannot follow: {}",
                     spec_.relation(), examples(connection_, lost)),
         "cast the key to its former type in the SELECT, or give the dimension a new name",
         spec_.key.front().at);
  }

  void insert_unknown_member() {
    for (const UnknownValue& value : spec_.unknown) {
      const std::string column = need_column(value.column);
      try {
        connection_.columns_of(fmt::format("select ({}\n)::{}", value.sql, staged_.find(column)->type));
      } catch (const Error& e) {
        const EngineMessage said = read_engine_message(e.message());
        fail("transform.unknown_value",
             fmt::format("`{}` is no SQL value for the unknown member: {}", value.sql, said.text),
             "write SQL, with text in single quotes inside the YAML: column: \"'unknown'\"", value.at);
      }
    }
    std::vector<std::string> values = {std::to_string(unknown_member)};
    for (const auto& column : staged_.columns) {
      const auto value = std::find_if(spec_.unknown.begin(), spec_.unknown.end(), [&](const UnknownValue& v) {
        return lower(v.column.text) == lower(column.name);
      });
      values.push_back(fmt::format(
          "cast({}\n as {})", value == spec_.unknown.end() ? "null" : "(" + value->sql + "\n)", column.type));
    }
    connection_.execute(fmt::format("insert into temp.{} select {}", content_table, join(values, ", ")));
  }

  void make_fact() {
    std::vector<std::string> columns, joins;
    TableDefinition& table = content_.table;
    std::vector<std::string> counts;
    for (std::size_t i = 0; i < spec_.dimensions.size(); ++i) {
      const DimensionLookup& lookup = spec_.dimensions[i];
      const TableDefinition dimension = need_table(lookup.dimension, lookup.at);
      if (!dimension.is_dimension())
        fail("transform.not_a_dimension",
             fmt::format("warehouse.{} is no dimension: it has no surrogate key", lookup.dimension),
             fmt::format("write `materialize: dimension` in models/warehouse/{}.sql", lookup.dimension),
             lookup.at);
      const std::vector<std::string>& natural = dimension.unique[0];
      if (natural.size() != lookup.key.size())
        fail("transform.wrong_key",
             fmt::format("the natural key of warehouse.{} is {}, but {} column(s) are given",
                         lookup.dimension, join(natural, ", "), lookup.key.size()),
             "give one column of the fact for each of them, in that order", lookup.at);
      need_free(lookup.column.text, lookup.column.at);
      const std::string alias = fmt::format("eddy_d{}", i), name = quote_identifier(lookup.column.text);
      std::vector<std::string> equal, null;
      for (std::size_t k = 0; k < natural.size(); ++k) {
        const std::string column = quote_identifier(need_column(lookup.key[k]));
        need_comparable(dimension, natural[k], lookup.key[k]);
        equal.push_back(fmt::format("{}.{} = s.{}", alias, quote_identifier(natural[k]), column));
        null.push_back(column + " is null");
      }
      columns.push_back(fmt::format("coalesce({}.{}, {})::bigint as {}", alias,
                                    quote_identifier(dimension.primary_key[0]), unknown_member, name));
      joins.push_back(fmt::format("left join {} as {} on {}", warehouse_name(dimension.name), alias,
                                  join(equal, " and ")));
      table.columns.push_back({lookup.column.text, "BIGINT"});
      table.foreign_keys.push_back({{lookup.column.text}, dimension.name, dimension.primary_key});
      const std::string none = join(null, " or ");
      counts.push_back(fmt::format(
          "count(*) filter (where {0} = {1} and ({2})), count(*) filter (where {0} = {1} and not ({2}))",
          name, unknown_member, none));
      content_.unknown.push_back({lookup.column.text});
    }
    columns.push_back("s.*");
    table.columns.insert(table.columns.end(), staged_.columns.begin(), staged_.columns.end());
    connection_.execute(fmt::format("create or replace temp table {} as select {} from temp.{} as s {}",
                                    content_table, join(columns, ", "), staged_table, join(joins, " ")));
    for (const Word& word : spec_.key) {
      if (table.find(word.text) == nullptr) need_column(word);
      table.primary_key.push_back(table.find(word.text)->name);
    }
    mark_key_not_null();
    if (!spec_.key.empty())
      check_key(connection_, spec_, fmt::format("temp.{}", content_table), table.primary_key,
                spec_.key.front().at);
    if (counts.empty()) return;
    const Row row =
        connection_.query(fmt::format("select {} from temp.{}", join(counts, ", "), content_table))
            .rows()
            .at(0);
    for (std::size_t i = 0; i < content_.unknown.size(); ++i) {
      content_.unknown[i].null = static_cast<std::uint64_t>(row[2 * i].as_integer());
      content_.unknown[i].not_found = static_cast<std::uint64_t>(row[2 * i + 1].as_integer());
    }
  }

  // Text against number would be compared by casting every text: one odd value would sink the build, or match
  // by accident.
  void need_comparable(const TableDefinition& dimension, const std::string& natural, const Word& word) const {
    const std::string &there = dimension.find(natural)->type, &here = staged_.find(word.text)->type;
    if (there == here || (there != "VARCHAR" && here != "VARCHAR")) return;
    fail("transform.wrong_key",
         fmt::format("`{}` is {} but {} of warehouse.{} is {}", word.text, here, natural, dimension.name,
                     there),
         fmt::format("cast it in the SELECT: {}::{}", word.text, there), word.at);
  }

  void add_references() {
    for (const Reference& reference : spec_.references) {
      const TableDefinition parent = need_table(reference.table, reference.at);
      std::vector<std::string> columns;
      for (const Word& word : reference.columns) {
        if (content_.table.find(word.text) == nullptr) need_column(word);
        columns.push_back(content_.table.find(word.text)->name);
      }
      const std::vector<std::string> target = target_key(parent, reference, columns);
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::string &here = content_.table.find(columns[i])->type,
                          &there = parent.find(target[i])->type;
        if (here != there)
          fail("transform.wrong_key",
               fmt::format("`{}` is {} but {} of warehouse.{} is {}", columns[i], here, target[i],
                           parent.name, there),
               fmt::format("a foreign key needs the same type: {}::{}", columns[i], there), reference.at);
      }
      content_.table.foreign_keys.push_back({columns, parent.name, target});
    }
  }

  // The key of `parent` that is meant: the one named in the file, else one whose columns have the same names
  // (a dimension's natural key), else the primary key.
  std::vector<std::string> target_key(const TableDefinition& parent, const Reference& reference,
                                      const std::vector<std::string>& columns) const {
    std::vector<std::vector<std::string>> keys = parent.unique;
    if (!parent.primary_key.empty()) keys.insert(keys.begin(), parent.primary_key);
    const std::vector<std::string>& wanted = reference.target.empty() ? columns : reference.target;
    for (const auto& key : keys)
      if (key.size() == wanted.size() &&
          std::equal(key.begin(), key.end(), wanted.begin(),
                     [](const auto& a, const auto& b) { return lower(a) == lower(b); }))
        return key;
    if (reference.target.empty() && parent.primary_key.size() == columns.size()) return parent.primary_key;
    std::vector<std::string> said;
    for (const auto& key : keys) said.push_back(join(key, ", "));
    fail("transform.no_such_key",
         fmt::format("({}) is no key of warehouse.{}", join(wanted, ", "), parent.name),
         said.empty() ? fmt::format("add `key:` to models/warehouse/{}.sql", parent.name)
                      : "its keys are: " + join(said, "; "),
         reference.at);
  }

  Connection& connection_;
  const ModelSpec& spec_;
  std::optional<TableDefinition> old_;
  TableDefinition staged_;
  Content content_;
};

}  // namespace

Content make_content(Connection& connection, const ModelSpec& spec) {
  return Builder(connection, spec).make();
}

void check_key(Connection& connection, const ModelSpec& spec, const std::string& from,
               const std::vector<std::string>& columns, const SourcePosition& at) {
  std::vector<std::string> null;
  for (const std::string& column : columns) null.push_back(quote_identifier(column) + " is null");
  const std::string key = join(columns, ", ");
  const std::string nulls = fmt::format("select * from {} where {}", from, join(null, " or "));
  if (const auto rows = count(connection, fmt::format("select count(*) from ({})", nulls)); rows > 0)
    throw spec.error("transform.key_null",
                     fmt::format("the key ({}) of {} is NULL in {} row{}: {}", key, spec.relation(),
                                 with_commas(rows), rows == 1 ? "" : "s", examples(connection, nulls)),
                     "leave those rows out in the SELECT, or give them a key", at);
  const std::string duplicates = fmt::format(
      "select {0}, count(*) as rows from {1} group by {0} having count(*) > 1", quoted(columns), from);
  if (const auto values = count(connection, fmt::format("select count(*) from ({})", duplicates)); values > 0)
    throw spec.error("transform.key_duplicate",
                     fmt::format("the key ({}) of {} is not unique: {} value{} occur{} more than once: {}",
                                 key, spec.relation(), with_commas(values), values == 1 ? "" : "s",
                                 values == 1 ? "s" : "", examples(connection, duplicates + " order by all")),
                     "keep one row per key, for example: qualify row_number() over (partition by " + key +
                         " order by …) = 1",
                     at);
}

Error explain_violation(Connection& connection, const ModelSpec& spec, const TableDefinition& table,
                        const Error& error) {
  if (error.code() != "engine.query_failed" || error.message().find("Constraint Error") == std::string::npos)
    return error;
  for (const auto& key : table.foreign_keys) {
    std::vector<std::string> equal, present;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      equal.push_back(
          fmt::format("p.{} = c.{}", quote_identifier(key.target[i]), quote_identifier(key.columns[i])));
      present.push_back(fmt::format("c.{} is not null", quote_identifier(key.columns[i])));
    }
    const std::string orphans =
        fmt::format("select c.* from temp.{} as c where {} and not exists (select 1 from {} as p where {})",
                    content_table, join(present, " and "), warehouse_name(key.table), join(equal, " and "));
    const auto rows = count(connection, fmt::format("select count(*) from ({})", orphans));
    if (rows == 0) continue;
    const auto declared =
        std::find_if(spec.references.begin(), spec.references.end(),
                     [&](const Reference& r) { return r.columns.front().text == key.columns.front(); });
    return spec.error(
        "transform.foreign_key",
        fmt::format("FOREIGN KEY ({}) of {} to warehouse.{} ({}) is violated by {} row{}: {}",
                    join(key.columns, ", "), spec.relation(), key.table, join(key.target, ", "),
                    with_commas(rows), rows == 1 ? "" : "s", examples(connection, orphans)),
        "leave those rows out in the SELECT, or bring the missing ones into warehouse." + key.table,
        declared == spec.references.end() ? SourcePosition{} : declared->at);
  }
  return spec.error("transform.constraint",
                    fmt::format("{}: {}", spec.relation(), read_engine_message(error.message()).text), {},
                    {});
}

}  // namespace eddy::transform
