#include "sync/normalization.h"

#include <fmt/format.h>

#include "core/phone.h"
#include "core/text.h"
#include "engine/database.h"

namespace eddy::sync {
namespace {

// What trim_unicode() takes off; DuckDB's trim(x) alone takes spaces only.
constexpr std::string_view white_space =
    "\t\n\v\f\r \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u200B"
    "\u2028\u2029\u202F\u205F\u3000\uFEFF";

std::string step_sql(Normalization step, const std::string& value, const std::string& phone_region) {
  switch (step) {
    case Normalization::trim:
      return fmt::format("nullif(trim({}, {}), '')", value, engine::quote_literal(white_space));
    case Normalization::lower:
      return fmt::format("lower({})", value);
    case Normalization::upper:
      return fmt::format("upper({})", value);
    case Normalization::email:
      return fmt::format("eddy_email({})", value);
    case Normalization::e164:
      break;
  }
  return phone_region.empty() ? fmt::format("eddy_phone({})", value)
                              : fmt::format("eddy_phone({}, {})", value, engine::quote_literal(phone_region));
}

}  // namespace

std::string normalized_sql(const std::string& expression, const std::vector<Normalization>& steps,
                           const std::string& phone_region) {
  if (steps.empty()) return expression;
  std::string sql = "(" + expression + "\n)";  // the line break ends a comment
  for (const Normalization step : steps) sql = step_sql(step, sql, phone_region);
  return sql;
}

std::optional<Diagnostic> check_normalization(const Mapping& mapping, const std::string& engine_type) {
  if (mapping.normalize.empty() || engine_type == "VARCHAR" || engine_type.starts_with("ENUM") ||
      engine_type == "NULL")
    return std::nullopt;
  return mapping.node.complaint(
      "sync.normalize_not_text",
      fmt::format("`{}` is a {}; `normalize: {}` is for text", mapping.field, engine_type,
                  name_of(mapping.normalize.front())),
      fmt::format("leave `normalize` out, or make text of it: {}::varchar", mapping.expression));
}

void check_phone_regions(const SyncSpec& spec, Diagnostics& diagnostics) {
  for (const std::vector<Mapping>* mappings : {&spec.key, &spec.fields, &spec.removed_values})
    for (const Mapping& mapping : *mappings)
      if (!mapping.phone_region.empty() && !is_phone_region(mapping.phone_region))
        diagnostics.add(mapping.node.complaint(
            "sync.unknown_region",
            fmt::format("`{}`: `{}` is no region of phone numbers", mapping.field, mapping.phone_region),
            lower(mapping.phone_region) == "uk" ? "write GB"
                                                : "write its two letters of ISO 3166, such as US, DE or GB"));
}

}  // namespace eddy::sync
