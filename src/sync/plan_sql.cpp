#include "sync/plan_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/normalization.h"

namespace eddy::sync {

using engine::quote_literal;

namespace {

std::string listed(std::size_t count, std::string_view separator, const auto& one) {
  std::vector<std::string> parts;
  for (std::size_t i = 1; i <= count; ++i) parts.push_back(one(i));
  return join(parts, separator);
}

// Where `column` stood in the older list, counted from 1; 0 when it was not there.
std::size_t place_in(const std::vector<BoundColumn>& older, const BoundColumn& column) {
  const auto at =
      std::find_if(older.begin(), older.end(), [&](const BoundColumn& c) { return c.field == column.field; });
  return at == older.end() ? 0 : static_cast<std::size_t>(at - older.begin()) + 1;
}

bool same_form(const BoundColumn& a, const BoundColumn& b) {
  return a.normalize == b.normalize && a.phone_region == b.phone_region;
}

bool same_columns(const std::vector<BoundColumn>& a, const std::vector<BoundColumn>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const BoundColumn& x, const BoundColumn& y) {
    return x.field == y.field && x.engine_type == y.engine_type && x.type == y.type;
  });
}

bool same_keys(const std::vector<BoundColumn>& a, const std::vector<BoundColumn>& b) {
  return same_columns(a, b) && std::equal(a.begin(), a.end(), b.begin(), b.end(), same_form);
}

std::string converted(std::string_view letter, std::size_t place, const std::string& from,
                      const std::string& to) {
  if (place == 0) return fmt::format("cast(null as {})", to);
  return from == to ? fmt::format("{}{}", letter, place)
                    : fmt::format("try_cast({}{} as {})", letter, place, to);
}

// Numbers of more digits than a double has would lose them on their way through JSON.
bool is_wide(const BoundColumn& column) {
  if (column.type != Type::decimal) return false;
  int digits = 0;
  return std::sscanf(column.engine_type.c_str(), "DECIMAL(%d", &digits) != 1 || digits > 15;
}

// JSON knows no NaN and no infinity either.
std::string json_value(std::string_view prefix, std::string_view letter, std::size_t place,
                       const BoundColumn& column) {
  const std::string name = fmt::format("{}{}{}", prefix, letter, place);
  if (is_wide(column)) return name + "::varchar";
  return column.type == Type::real ? fmt::format("case when isfinite({0}) then {0} end", name) : name;
}

std::string json_object(std::string_view prefix, std::string_view letter,
                        const std::vector<BoundColumn>& columns) {
  return "json_object(" +
         listed(columns.size(), ", ",
                [&](std::size_t i) {
                  return quote_literal(columns[i - 1].field) + ", " +
                         json_value(prefix, letter, i, columns[i - 1]);
                }) +
         ")";
}

}  // namespace

std::string numbered(std::string_view prefix, std::size_t count) {
  return listed(count, ", ", [&](std::size_t i) { return fmt::format("{}{}", prefix, i); });
}

std::string keys_equal(std::string_view a, std::string_view b, std::size_t count) {
  return listed(count, " and ", [&](std::size_t i) { return fmt::format("{0}.k{2} = {1}.k{2}", a, b, i); });
}

std::string any_key_null(std::string_view prefix, std::size_t count) {
  return "(" + listed(count, " or ", [&](std::size_t i) { return fmt::format("{}k{} is null", prefix, i); }) +
         ")";
}

std::string hash_of(std::string_view prefix, std::size_t count) {
  return count == 0 ? "1::ubigint" : "hash(" + numbered(fmt::format("{}v", prefix), count) + ")";
}

std::string comparable(const BoundColumn& column, const std::string& value) {
  if (column.type != Type::decimal || column.engine_type != "VARCHAR") return value;
  return fmt::format("case when {0} like '%.%' then rtrim(rtrim({0}, '0'), '.') else {0} end", value);
}

bool same_keys(const Standing& standing, const Definition& now) {
  return standing.definition && same_keys(standing.definition->key, now.key);
}

bool same_columns(const Standing& standing, const Definition& now, const std::string& hash_algorithm) {
  return standing.definition && standing.hash_algorithm == hash_algorithm &&
         same_keys(standing.definition->key, now.key) &&
         same_columns(standing.definition->fields, now.fields);
}

std::string aligned_snapshot(const Standing& standing, const Definition& now,
                             const std::string& hash_algorithm) {
  const Definition& then = standing.definition.value();
  const std::string table = snapshot_table(now.sync);
  // Suspect: the destination may hold something else than the value that stands here.
  std::vector<std::string> columns, values, suspect = {"row_hash = 0"};
  bool new_field = false;
  for (std::size_t i = 0; i < now.key.size(); ++i) {
    const std::size_t place = place_in(then.key, now.key[i]);
    std::string key = converted("k", place, then.key[place - 1].engine_type, now.key[i].engine_type);
    // A key that is normalized from now on is the same key: both sides of the comparison are.
    if (!same_form(then.key[place - 1], now.key[i]))
      key = normalized_sql(key, now.key[i].normalize, now.key[i].phone_region);
    columns.push_back(fmt::format("{} as k{}", key, i + 1));
  }
  for (std::size_t i = 0; i < now.fields.size(); ++i) {
    const std::size_t place = place_in(then.fields, now.fields[i]);
    const std::string from = place == 0 ? "" : then.fields[place - 1].engine_type;
    values.push_back(converted("v", place, from, now.fields[i].engine_type));
    columns.push_back(fmt::format("{} as v{}", values.back(), i + 1));
    new_field = new_field || place == 0;
    if (place != 0 && from != now.fields[i].engine_type)
      suspect.push_back(fmt::format("try_cast({} as {}) is distinct from v{}", values.back(), from, place));
  }
  const std::string doubtful = "(" + join(suspect, " or ") + ")";
  columns.push_back(doubtful + " as suspect");
  // Hashes of a warehouse of the user's own cannot be made here: 1 is equal to none of them.
  const std::string fresh =
      !now.hash_algorithm.empty() || values.empty() ? "1::ubigint" : "hash(" + join(values, ", ") + ")";
  if (same_columns(standing, now, hash_algorithm))
    columns.push_back("row_hash as h");
  else
    columns.push_back(fmt::format("case when {} then 0::ubigint else {} end as r", doubtful, fresh));
  // Nothing is known of a field that was not delivered before, so every row is looked at.
  if (!same_columns(standing, now, hash_algorithm))
    columns.push_back(new_field ? "0::ubigint as h" : "r as h");
  return fmt::format("(select {}, delivered_at from {})", join(columns, ", "), table);
}

std::vector<bool> new_fields(const Standing& standing, const Definition& now) {
  std::vector<bool> out(now.fields.size(), false);
  if (standing.definition)
    for (std::size_t i = 0; i < now.fields.size(); ++i)
      out[i] = place_in(standing.definition->fields, now.fields[i]) == 0;
  return out;
}

std::string key_json(std::string_view prefix, const Definition& d) {
  return "json_array(" +
         listed(d.key.size(), ", ", [&](std::size_t i) { return json_value(prefix, "k", i, d.key[i - 1]); }) +
         ")::varchar";
}

std::string key_is(std::string_view prefix, const Definition& d, std::string_view typed) {
  const auto json = nlohmann::json::parse(typed, nullptr, false);
  const std::string array = json.is_array()
                                ? json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                                : std::string(typed);
  const std::string text =
      d.key.size() == 1 ? fmt::format("{}k1::varchar = {} or ", prefix, quote_literal(typed)) : "";
  return fmt::format("({}{} = {})", text, key_json(prefix, d), quote_literal(array));
}

std::string payload_json(std::string_view prefix, const std::string& op, const Definition& d) {
  return fmt::format("json_object('key', {}, 'fields', case when {} = 2 then null else {} end)::varchar",
                     json_object(prefix, "k", d.key), op, json_object(prefix, "v", d.fields));
}

std::string payload_hash(std::string_view prefix, const std::string& op, const Definition& d) {
  std::string mapping = d.object;
  for (const auto* columns : {&d.key, &d.fields})
    for (const BoundColumn& column : *columns) mapping += "\n" + column.field + "\n" + column.expression;
  return fmt::format("md5({} || '{}')", payload_json(prefix, op, d), sha256_hex(mapping));
}

}  // namespace eddy::sync
