// One cell of one row, as it travels from the warehouse to a destination.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

namespace eddy {

// The types a destination can meet. Every engine type maps to exactly one of them.
enum class Type {
  null,       // only as the type of a Value without a column
  boolean,    // bool
  integer,    // int64_t
  real,       // double
  decimal,    // std::string, exact digits: "-12.50"; also integers beyond 64 bits
  text,       // std::string, UTF-8
  date,       // std::string, "2026-11-23"
  timestamp,  // std::string, UTC, "2026-11-23T10:53:42Z" or with up to 6 fraction digits; time zones are
              // converted
  json,       // std::string, JSON text: lists, structs, maps
  blob,       // std::string, bytes
};

std::string_view name_of(Type type);                // "integer"
bool parse_type(std::string_view name, Type& out);  // the inverse; false when unknown

// Owns its bytes. Copying copies; comparison is by type and content (NaN equals NaN, -0.0 equals 0.0).
class Value {
 public:
  Value() = default;  // null
  static Value boolean(bool v) { return {Type::boolean, v}; }
  static Value integer(std::int64_t v) { return {Type::integer, v}; }
  static Value real(double v) { return {Type::real, v}; }
  static Value decimal(std::string v) { return {Type::decimal, std::move(v)}; }
  static Value text(std::string v) { return {Type::text, std::move(v)}; }
  static Value date(std::string v) { return {Type::date, std::move(v)}; }
  static Value timestamp(std::string v) { return {Type::timestamp, std::move(v)}; }
  static Value json(std::string v) { return {Type::json, std::move(v)}; }
  static Value blob(std::string v) { return {Type::blob, std::move(v)}; }

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::null; }
  bool as_boolean() const { return std::get<bool>(data_); }
  std::int64_t as_integer() const { return std::get<std::int64_t>(data_); }
  double as_real() const { return std::get<double>(data_); }
  const std::string& as_string() const { return std::get<std::string>(data_); }  // decimal…blob

  // Human and wire text: null is "", booleans "true"/"false", reals the shortest form that reads back equal.
  std::string to_text() const;
  // JSON: decimals and reals as numbers (non-finite reals as null), blobs as base64 text, json spliced in.
  nlohmann::json to_json() const;

  friend bool operator==(const Value& a, const Value& b);

 private:
  Value(Type type, std::variant<std::monostate, bool, std::int64_t, double, std::string> data)
      : type_(type), data_(std::move(data)) {}
  Type type_ = Type::null;
  std::variant<std::monostate, bool, std::int64_t, double, std::string> data_;
};

using Row = std::vector<Value>;

struct Column {
  std::string name;
  Type type = Type::text;
  bool operator==(const Column&) const = default;
};
using Schema = std::vector<Column>;

}  // namespace eddy
