#include "engine/values.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace eddy::engine {
namespace {

struct LogicalType {
  explicit LogicalType(duckdb_logical_type t) : type(t) {}
  ~LogicalType() { duckdb_destroy_logical_type(&type); }
  LogicalType(const LogicalType&) = delete;
  LogicalType& operator=(const LogicalType&) = delete;
  duckdb_logical_type type;
};

std::string take(char* text) {
  std::string out = text == nullptr ? "" : text;
  duckdb_free(text);
  return out;
}

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

std::string digits_of(uint128 value) {
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return out;
}

std::string decimal_text(int128 value, int scale) {
  const bool negative = value < 0;
  std::string digits = digits_of(negative ? -static_cast<uint128>(value) : static_cast<uint128>(value));
  if (scale > 0) {
    if (digits.size() <= static_cast<std::size_t>(scale))
      digits.insert(0, static_cast<std::size_t>(scale) + 1 - digits.size(), '0');
    digits.insert(digits.size() - static_cast<std::size_t>(scale), ".");
  }
  return negative ? "-" + digits : digits;
}

int128 signed_of(duckdb_hugeint v) {
  return (static_cast<int128>(v.upper) << 64) | static_cast<int128>(v.lower);
}
uint128 unsigned_of(duckdb_uhugeint v) {
  return (static_cast<uint128>(v.upper) << 64) | static_cast<uint128>(v.lower);
}

// Beyond 64 bits an integer travels as exact digits.
Value integer_or_digits(int128 value) {
  if (value >= INT64_MIN && value <= INT64_MAX) return Value::integer(static_cast<std::int64_t>(value));
  return Value::decimal(decimal_text(value, 0));
}

// `width` digits with zeros in front. On the path of every cell of a delivery: no format string is read here.
void put_digits(std::string& out, std::uint64_t value, std::size_t width) {
  const std::size_t end = out.size() + width;
  out.append(width, '0');
  for (std::size_t at = end; value > 0 && at > end - width; value /= 10)
    out[--at] = static_cast<char>('0' + value % 10);
}

// Years before 1 are written the way PostgreSQL reads them: "0044-03-15 BC".
std::string date_text(duckdb_date date) {
  if (date.days == INT32_MAX) return "infinity";
  if (date.days == -INT32_MAX) return "-infinity";
  const duckdb_date_struct d = duckdb_from_date(date);
  const auto year = static_cast<std::uint64_t>(d.year > 0 ? d.year : 1 - static_cast<std::int64_t>(d.year));
  std::string out;
  put_digits(out, year, year < 10'000 ? 4 : std::to_string(year).size());
  out += '-';
  put_digits(out, static_cast<std::uint64_t>(d.month), 2);
  out += '-';
  put_digits(out, static_cast<std::uint64_t>(d.day), 2);
  return d.year > 0 ? out : out + " BC";
}

std::string time_text(std::int64_t micros) {
  const auto seconds = static_cast<std::uint64_t>(micros / 1'000'000);
  std::string out;
  put_digits(out, seconds / 3600, seconds / 3600 < 100 ? 2 : std::to_string(seconds / 3600).size());
  out += ':';
  put_digits(out, seconds / 60 % 60, 2);
  out += ':';
  put_digits(out, seconds % 60, 2);
  if (micros % 1'000'000 != 0) {
    out += '.';
    put_digits(out, static_cast<std::uint64_t>(micros % 1'000'000), 6);
  }
  return out;
}

std::string timestamp_text(std::int64_t micros) {
  if (micros == INT64_MAX) return "infinity";
  if (micros == -INT64_MAX) return "-infinity";
  constexpr std::int64_t day = 86'400'000'000;
  const std::int64_t days = micros >= 0 ? micros / day : -((-micros + day - 1) / day);
  std::string date = date_text({static_cast<std::int32_t>(days)});
  const bool bc = date.ends_with(" BC");
  if (bc) date.resize(date.size() - 3);
  return date + "T" + time_text(micros - days * day) + "Z" + (bc ? " BC" : "");
}

std::string uuid_text(duckdb_hugeint v) {
  // DuckDB flips the top bit so that UUIDs sort as signed numbers.
  const std::uint64_t high = static_cast<std::uint64_t>(v.upper) ^ (1ULL << 63);
  const std::uint64_t low = v.lower;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF,
                     low >> 48, low & 0xFFFFFFFFFFFFULL);
}

std::string interval_text(duckdb_interval v) {
  std::string out;
  if (v.months != 0) out += fmt::format("{} months ", v.months);
  if (v.days != 0) out += fmt::format("{} days ", v.days);
  const std::string sign = v.micros < 0 ? "-" : "";
  if (v.micros != 0 || out.empty()) return out + sign + time_text(std::abs(v.micros));
  out.pop_back();
  return out;
}

template <typename T>
T at(duckdb_vector vector, idx_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

std::string string_at(duckdb_vector vector, idx_t row) {
  duckdb_string_t s = at<duckdb_string_t>(vector, row);
  return {duckdb_string_t_data(&s), duckdb_string_t_length(s)};
}

bool null_at(duckdb_vector vector, idx_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

Value decimal_at(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const int scale = duckdb_decimal_scale(type);
  int128 raw = 0;
  switch (duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT:
      raw = at<std::int16_t>(vector, row);
      break;
    case DUCKDB_TYPE_INTEGER:
      raw = at<std::int32_t>(vector, row);
      break;
    case DUCKDB_TYPE_BIGINT:
      raw = at<std::int64_t>(vector, row);
      break;
    default:
      raw = signed_of(at<duckdb_hugeint>(vector, row));
  }
  return Value::decimal(decimal_text(raw, scale));
}

std::string enum_at(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  idx_t index = 0;
  switch (duckdb_enum_internal_type(type)) {
    case DUCKDB_TYPE_UTINYINT:
      index = at<std::uint8_t>(vector, row);
      break;
    case DUCKDB_TYPE_USMALLINT:
      index = at<std::uint16_t>(vector, row);
      break;
    default:
      index = at<std::uint32_t>(vector, row);
  }
  return take(duckdb_enum_dictionary_value(type, index));
}

nlohmann::json list_json(duckdb_vector child, duckdb_logical_type child_type, idx_t offset, idx_t length) {
  auto out = nlohmann::json::array();
  for (idx_t i = 0; i < length; ++i) out.push_back(read_cell(child, child_type, offset + i).to_json());
  return out;
}

nlohmann::json struct_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  auto out = nlohmann::json::object();
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    const LogicalType child(duckdb_struct_type_child_type(type, i));
    out[take(duckdb_struct_type_child_name(type, i))] =
        read_cell(duckdb_struct_vector_get_child(vector, i), child.type, row).to_json();
  }
  return out;
}

nlohmann::json map_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const auto entry = at<duckdb_list_entry>(vector, row);
  duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  const LogicalType key(duckdb_map_type_key_type(type));
  const LogicalType value(duckdb_map_type_value_type(type));
  auto out = nlohmann::json::object();
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i)
    out[read_cell(duckdb_struct_vector_get_child(pairs, 0), key.type, i).to_text()] =
        read_cell(duckdb_struct_vector_get_child(pairs, 1), value.type, i).to_json();
  return out;
}

Value nested_cell(duckdb_vector vector, duckdb_logical_type type, duckdb_type id, idx_t row) {
  nlohmann::json json;
  if (id == DUCKDB_TYPE_STRUCT) {
    json = struct_json(vector, type, row);
  } else if (id == DUCKDB_TYPE_MAP) {
    json = map_json(vector, type, row);
  } else if (id == DUCKDB_TYPE_ARRAY) {
    const LogicalType child(duckdb_array_type_child_type(type));
    const idx_t size = duckdb_array_type_array_size(type);
    json = list_json(duckdb_array_vector_get_child(vector), child.type, row * size, size);
  } else {
    const LogicalType child(duckdb_list_type_child_type(type));
    const auto entry = at<duckdb_list_entry>(vector, row);
    json = list_json(duckdb_list_vector_get_child(vector), child.type, entry.offset, entry.length);
  }
  // Bytes that are not UTF-8 cannot be JSON; they are replaced rather than thrown on.
  return Value::json(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

Type type_of(duckdb_logical_type type) {
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN:
      return Type::boolean;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
      return Type::integer;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      return Type::real;
    case DUCKDB_TYPE_DECIMAL:
      return Type::decimal;
    case DUCKDB_TYPE_DATE:
      return Type::date;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return Type::timestamp;
    case DUCKDB_TYPE_BLOB:
      return Type::blob;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP:
      return Type::json;
    case DUCKDB_TYPE_VARCHAR: {
      char* alias = duckdb_logical_type_get_alias(type);
      return take(alias) == "JSON" ? Type::json : Type::text;
    }
    default:
      return Type::text;
  }
}

std::string type_text(duckdb_logical_type type) {
  const duckdb_type id = duckdb_get_type_id(type);
  if (char* alias = duckdb_logical_type_get_alias(type); alias != nullptr) return take(alias);
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_TIME_TZ:
      return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_BIT:
      return "BIT";
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_ENUM:
      return "ENUM";
    case DUCKDB_TYPE_SQLNULL:
      return "NULL";
    case DUCKDB_TYPE_LIST: {
      const LogicalType child(duckdb_list_type_child_type(type));
      return type_text(child.type) + "[]";
    }
    case DUCKDB_TYPE_ARRAY: {
      const LogicalType child(duckdb_array_type_child_type(type));
      return fmt::format("{}[{}]", type_text(child.type), duckdb_array_type_array_size(type));
    }
    case DUCKDB_TYPE_STRUCT: {
      std::vector<std::string> parts;
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        const LogicalType child(duckdb_struct_type_child_type(type, i));
        parts.push_back(fmt::format("\"{}\" {}",
                                    replace_all(take(duckdb_struct_type_child_name(type, i)), "\"", "\"\""),
                                    type_text(child.type)));
      }
      return "STRUCT(" + join(parts, ", ") + ")";
    }
    case DUCKDB_TYPE_MAP: {
      const LogicalType key(duckdb_map_type_key_type(type));
      const LogicalType value(duckdb_map_type_value_type(type));
      return fmt::format("MAP({}, {})", type_text(key.type), type_text(value.type));
    }
    default:
      return "VARCHAR";
  }
}

Value read_cell(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  if (null_at(vector, row)) return {};
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return Value::boolean(at<bool>(vector, row));
    case DUCKDB_TYPE_TINYINT:
      return Value::integer(at<std::int8_t>(vector, row));
    case DUCKDB_TYPE_SMALLINT:
      return Value::integer(at<std::int16_t>(vector, row));
    case DUCKDB_TYPE_INTEGER:
      return Value::integer(at<std::int32_t>(vector, row));
    case DUCKDB_TYPE_BIGINT:
      return Value::integer(at<std::int64_t>(vector, row));
    case DUCKDB_TYPE_UTINYINT:
      return Value::integer(at<std::uint8_t>(vector, row));
    case DUCKDB_TYPE_USMALLINT:
      return Value::integer(at<std::uint16_t>(vector, row));
    case DUCKDB_TYPE_UINTEGER:
      return Value::integer(at<std::uint32_t>(vector, row));
    case DUCKDB_TYPE_UBIGINT:
      return integer_or_digits(static_cast<int128>(at<std::uint64_t>(vector, row)));
    case DUCKDB_TYPE_HUGEINT:
      return integer_or_digits(signed_of(at<duckdb_hugeint>(vector, row)));
    case DUCKDB_TYPE_UHUGEINT:
      return Value::decimal(digits_of(unsigned_of(at<duckdb_uhugeint>(vector, row))));
    // The shortest decimal form of the float, not the float's expansion to a double.
    case DUCKDB_TYPE_FLOAT:
      return Value::real(std::strtod(fmt::format("{}", at<float>(vector, row)).c_str(), nullptr));
    case DUCKDB_TYPE_DOUBLE:
      return Value::real(at<double>(vector, row));
    case DUCKDB_TYPE_DECIMAL:
      return decimal_at(vector, type, row);
    case DUCKDB_TYPE_DATE:
      return Value::date(date_text(at<duckdb_date>(vector, row)));
    case DUCKDB_TYPE_TIME:
      return Value::text(time_text(at<std::int64_t>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return Value::timestamp(timestamp_text(at<std::int64_t>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_S:
      return Value::timestamp(timestamp_text(at<std::int64_t>(vector, row) * 1'000'000));
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return Value::timestamp(timestamp_text(at<std::int64_t>(vector, row) * 1'000));
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return Value::timestamp(timestamp_text(at<std::int64_t>(vector, row) / 1'000));
    case DUCKDB_TYPE_INTERVAL:
      return Value::text(interval_text(at<duckdb_interval>(vector, row)));
    case DUCKDB_TYPE_UUID:
      return Value::text(uuid_text(at<duckdb_hugeint>(vector, row)));
    case DUCKDB_TYPE_ENUM:
      return Value::text(enum_at(vector, type, row));
    case DUCKDB_TYPE_BLOB:
      return Value::blob(string_at(vector, row));
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP:
      return nested_cell(vector, type, id, row);
    case DUCKDB_TYPE_VARCHAR: {
      if (type_of(type) == Type::json) return Value::json(string_at(vector, row));
      return Value::text(string_at(vector, row));
    }
    case DUCKDB_TYPE_SQLNULL:
      return {};
    default:
      return Value::text("?");
  }
}

}  // namespace eddy::engine
