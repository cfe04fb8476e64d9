#include "core/value.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace eddy {
namespace {
constexpr std::array<std::string_view, 10> names = {"null", "boolean", "integer",   "real", "decimal",
                                                    "text", "date",    "timestamp", "json", "blob"};
}

std::string_view name_of(Type type) { return names[static_cast<std::size_t>(type)]; }

bool parse_type(std::string_view name, Type& out) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) {
      out = static_cast<Type>(i);
      return true;
    }
  return false;
}

std::string Value::to_text() const {
  switch (type_) {
    case Type::null:
      return {};
    case Type::boolean:
      return as_boolean() ? "true" : "false";
    case Type::integer:
      return fmt::format("{}", as_integer());
    case Type::real:
      return fmt::format("{}", as_real());
    default:
      return as_string();
  }
}

nlohmann::json Value::to_json() const {
  switch (type_) {
    case Type::null:
      return nullptr;
    case Type::boolean:
      return as_boolean();
    case Type::integer:
      return as_integer();
    case Type::real:
      return std::isfinite(as_real()) ? nlohmann::json(as_real()) : nlohmann::json(nullptr);
    case Type::decimal:
    case Type::json: {
      auto parsed = nlohmann::json::parse(as_string(), nullptr, /*allow_exceptions=*/false);
      return parsed.is_discarded() ? nlohmann::json(as_string()) : parsed;
    }
    case Type::blob:
      return base64(as_string());
    default:
      return as_string();
  }
}

bool operator==(const Value& a, const Value& b) {
  if (a.type_ != b.type_) return false;
  if (a.type_ == Type::real && std::isnan(a.as_real()) && std::isnan(b.as_real())) return true;
  return a.data_ == b.data_;
}

}  // namespace eddy
