#include "connectors/files/cells.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

FileCell text(std::string t) { return {std::move(t), {}}; }
FileCell problem(std::string why) { return {std::nullopt, std::move(why)}; }

std::string real_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{}", value);
}

// Years before 1 as the engine reads them: "0044-03-15 (BC)".
std::string engine_date(const std::string& iso) {
  if (!iso.ends_with(" BC")) return iso;
  return iso.substr(0, 10) + " (BC)" + iso.substr(10, iso.size() - 13);
}

FileCell csv_cell(const Value& value) {
  switch (value.type()) {
    case Type::real:
      return text(real_text(value.as_real()));
    case Type::blob:
      return text(base64(value.as_string()));
    default:
      return text(value.to_text());
  }
}

FileCell json_cell(const Value& value) {
  switch (value.type()) {
    case Type::real:
      if (!std::isfinite(value.as_real())) return problem("is not finite, which JSON has no word for");
      return text(json(value.as_real()).dump());
    case Type::decimal: {
      const auto digits = decimal_digits(value.as_string());
      // 15 digits always survive the double that most readers make of a number.
      const bool plain = digits && digits->whole + digits->fraction <= 15 && json::accept(value.as_string());
      return text(plain ? value.as_string() : json(value.as_string()).dump());
    }
    case Type::json:
      if (!json::accept(value.as_string())) return problem("is not valid JSON");
      // A line is a record.
      return text(replace_all(replace_all(trim(value.as_string()), "\n", " "), "\r", " "));
    case Type::blob:
      return text(json(base64(value.as_string())).dump());
    case Type::text:
    case Type::date:
    case Type::timestamp:
      return text(json(value.as_string()).dump());
    default:
      return text(value.to_text());
  }
}

FileCell parquet_cell(const Value& value) {
  switch (value.type()) {
    case Type::real:
      return text(real_text(value.as_real()));
    case Type::blob:
      return text(base64(value.as_string()));
    case Type::date:
    case Type::timestamp:
      if (value.as_string().find("infinity") != std::string::npos) return problem("is no point in time");
      return text(engine_date(value.as_string()));
    case Type::json:
      if (!json::accept(value.as_string())) return problem("is not valid JSON");
      return text(value.as_string());
    default:
      return text(value.to_text());
  }
}

}  // namespace

FileCell file_cell(const Value& value, FileFormat format) {
  if (value.is_null()) return {};
  if ((value.type() == Type::text || value.type() == Type::json) && !is_utf8(value.as_string()))
    return problem("is not valid UTF-8");
  if (value.type() == Type::decimal && !decimal_digits(value.as_string()))
    return problem("is not a decimal number");
  switch (format) {
    case FileFormat::csv:
      return csv_cell(value);
    case FileFormat::jsonl:
      return json_cell(value);
    case FileFormat::parquet:
      return parquet_cell(value);
  }
  return {};
}

std::optional<DecimalDigits> decimal_digits(std::string_view t) {
  if (t.starts_with('-') || t.starts_with('+')) t.remove_prefix(1);
  const auto point = t.find('.');
  std::string_view whole = t.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : t.substr(point + 1);
  if (whole.empty() && fraction.empty()) return std::nullopt;
  for (const std::string_view part : {whole, fraction})
    if (part.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  return DecimalDigits{static_cast<int>(std::min<std::size_t>(whole.size(), 1000)),
                       static_cast<int>(std::min<std::size_t>(fraction.size(), 1000))};
}

bool DecimalRoom::take(DecimalDigits digits) {
  const DecimalDigits both = {std::max(used_.whole, digits.whole), std::max(used_.fraction, digits.fraction)};
  if (both.whole + both.fraction > digits_max) return false;
  used_ = both;
  return true;
}

std::string DecimalRoom::engine_type() const {
  // Two widths only, so that a file keeps its type while numbers grow.
  return fmt::format("DECIMAL({},{})", used_.whole + used_.fraction <= 18 ? 18 : digits_max, used_.fraction);
}

}  // namespace eddy::connectors
