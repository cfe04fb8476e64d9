#include "connectors/tables/wanted.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace eddy::connectors {
namespace {

std::string without_end_zeros(std::string digits) {
  if (digits.find('.') == std::string::npos || digits.find_first_of("eE") != std::string::npos) return digits;
  digits.resize(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

template <class Number>
bool reads_whole(const std::string& text, Number& out) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
  return end.ec == std::errc() && end.ptr == text.data() + text.size() && !text.empty();
}

Value as_integer(const Value& found) {
  std::int64_t number = 0;
  if (found.type() == Type::boolean) return Value::integer(found.as_boolean() ? 1 : 0);
  if (found.type() == Type::real) {
    // 2^63 itself is no int64_t.
    constexpr double limit = 9223372036854775808.0;
    const double real = found.as_real();
    return real == std::floor(real) && real >= -limit && real < limit
               ? Value::integer(static_cast<std::int64_t>(real))
               : found;
  }
  if (found.type() == Type::decimal && reads_whole(without_end_zeros(found.as_string()), number))
    return Value::integer(number);
  if (found.type() == Type::text && reads_whole(found.as_string(), number)) return Value::integer(number);
  return found;
}

Value as_real(const Value& found) {
  double number = 0;
  if (found.type() == Type::integer) return Value::real(static_cast<double>(found.as_integer()));
  if ((found.type() == Type::decimal || found.type() == Type::text) && reads_whole(found.as_string(), number))
    return Value::real(number);
  return found;
}

Value as_decimal(const Value& found) {
  if (found.type() == Type::integer || found.type() == Type::real) return Value::decimal(found.to_text());
  double number = 0;
  if (found.type() == Type::decimal) return Value::decimal(without_end_zeros(found.as_string()));
  if (found.type() == Type::text && reads_whole(found.as_string(), number))
    return Value::decimal(without_end_zeros(found.as_string()));
  return found;
}

Value as_boolean(const Value& found) {
  if (found.type() == Type::integer && (found.as_integer() == 0 || found.as_integer() == 1))
    return Value::boolean(found.as_integer() == 1);
  if (found.type() == Type::text && (found.as_string() == "true" || found.as_string() == "false"))
    return Value::boolean(found.as_string() == "true");
  return found;
}

Value as_date(const Value& found) {
  if (found.type() == Type::text) return Value::date(found.as_string());
  if (found.type() != Type::timestamp) return found;
  const std::string& text = found.as_string();
  const bool midnight = text.size() > 10 && text.find_first_of("123456789", 10) == std::string::npos;
  return midnight ? Value::date(text.substr(0, 10)) : found;
}

Value as_timestamp(const Value& found) {
  if (found.type() == Type::text) return Value::timestamp(found.as_string());
  if (found.type() == Type::date && found.as_string().size() == 10)
    return Value::timestamp(fmt::format("{}T00:00:00Z", found.as_string()));
  return found;
}

}  // namespace

Value as_wanted(const Value& found, Type wanted) {
  if (found.is_null()) return found;
  switch (wanted) {
    case Type::boolean:
      return as_boolean(found);
    case Type::integer:
      return as_integer(found);
    case Type::real:
      return as_real(found);
    case Type::decimal:
      return as_decimal(found);
    case Type::text:
      return Value::text(found.to_text());
    case Type::date:
      return as_date(found);
    case Type::timestamp:
      return as_timestamp(found);
    case Type::json:
      return found.type() == Type::text && nlohmann::json::accept(found.as_string())
                 ? Value::json(found.as_string())
                 : found;
    case Type::blob:
      return found.type() == Type::text ? Value::blob(found.as_string()) : found;
    case Type::null:
      break;
  }
  return found;
}

}  // namespace eddy::connectors
