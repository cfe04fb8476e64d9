#include "sync/field_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace eddy::sync {

using engine::quote_literal;

namespace {

bool is_number(Type type) { return type == Type::integer || type == Type::real || type == Type::decimal; }

std::string list_of(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(quote_literal(text));
  return "[" + join(quoted, ", ") + "]";
}

void add_rules(const std::string& cell, const BoundColumn& column, const FieldSchema& field, bool creates,
               std::vector<FieldRule>& rules) {
  const auto when = [&](const std::string& broken, const char* reason, bool only_new = false) {
    rules.push_back({reason, column.field, cell, broken, only_new});
  };
  if (field.required && creates) when(fmt::format("{} is null", cell), "required", true);
  if (column.lookup) return;
  if (field.length_max > 0 && column.type == Type::text)
    when(fmt::format("length({}) > {}", cell, field.length_max), "too_long");
  // A field of several choices holds them joined by semicolons.
  if (!field.options.empty() && column.type == Type::text)
    when(fmt::format("{0} <> '' and not list_contains({1}, {0}) and not list_has_all({1}, "
                     "string_split({0}, ';'))",
                     cell, list_of(field.options)),
         "not_an_option");
  if (is_number(field.type) && column.type == Type::text)
    when(fmt::format("{0} <> '' and try_cast({0} as double) is null", cell), "wrong_type");
  if (field.type == Type::integer && column.type == Type::real)
    when(fmt::format("isfinite({0}) and {0} <> trunc({0})", cell), "wrong_type");
}

}  // namespace

std::vector<FieldRule> field_rules(const Definition& d, const ObjectSchema& object) {
  std::vector<FieldRule> rules;
  const auto add_all = [&](const std::vector<BoundColumn>& columns, char letter) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto field = std::find_if(object.fields.begin(), object.fields.end(),
                                      [&](const FieldSchema& f) { return f.name == columns[i].field; });
      if (field != object.fields.end())
        add_rules(fmt::format("{}{}", letter, i + 1), columns[i], *field, d.mode != Mode::update, rules);
    }
  };
  add_all(d.key, 'k');
  add_all(d.fields, 'v');
  return rules;
}

std::string invalid_reason_sql(const Definition& d, const ObjectSchema& object) {
  std::string branches;
  for (const FieldRule& rule : field_rules(d, object))
    branches += fmt::format(" when {}{} then {}", rule.creates ? "op = 0 and " : "", rule.broken,
                            quote_literal(fmt::format("{}:{}", rule.reason, rule.field)));
  return branches.empty() ? "" : "case when op = 2 then null" + branches + " end";
}

std::string describe_reason(std::string_view reason) {
  if (reason == "null_key") return "without a key";
  if (reason == "duplicate_key") return "with a key that occurs more than once";
  if (reason == "required") return "without a value that the destination needs";
  if (reason == "too_long") return "longer than the destination takes";
  if (reason == "not_an_option") return "not among the values the destination allows";
  if (reason == "wrong_type") return "not of the type the destination takes";
  return std::string(reason);
}

}  // namespace eddy::sync
