#include "connectors/mysql/column.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/text.h"
#include "transport/mysql/encoding.h"

namespace eddy::connectors {
namespace {

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::uint64_t word;
    if (i + sizeof word <= text.size()) {
      std::memcpy(&word, text.data() + i, sizeof word);
      if ((word & 0x8080808080808080) == 0) {
        i += sizeof word;
        continue;
      }
    }
    const std::size_t length = utf8_length_at(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

bool is_whole_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Between the first and the last digit that is not a zero.
std::size_t significant_digits(std::string_view number) {
  std::string digits;
  for (const char c : number.substr(0, number.find_first_of("eE")))
    if (c >= '0' && c <= '9') digits += c;
  const auto first = digits.find_first_not_of('0');
  return first == std::string::npos ? 0 : digits.find_last_not_of('0') - first + 1;
}

// Digits after the point of the seconds, without zeros at the end.
std::size_t fraction_digits(std::string_view time) {
  const auto point = time.find('.');
  if (point == std::string_view::npos) return 0;
  std::size_t digits = 0, significant = 0;
  for (const char c : time.substr(point + 1)) {
    if (c < '0' || c > '9') break;
    ++digits;
    if (c != '0') significant = digits;
  }
  return significant;
}

bool has_time_of_day(std::string_view time) {
  return time.size() > 10 && time.substr(10).find_first_of("123456789") != std::string_view::npos;
}

bool is_option(const std::vector<std::string>& options, std::string_view word) {
  return std::find(options.begin(), options.end(), word) != options.end();
}

}  // namespace

std::string_view MysqlColumn::text_of(const Value& value, std::string& scratch) const {
  char digits[32];
  const auto number = [&](auto n) {
    const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
    scratch.assign(digits, static_cast<std::size_t>(end - digits));
    return std::string_view(scratch);
  };
  switch (value.type()) {
    case Type::boolean:
      if (column_.is_text()) return value.as_boolean() ? "true" : "false";
      return value.as_boolean() ? "1" : "0";
    case Type::integer:
      return number(value.as_integer());
    case Type::real:
      return number(value.as_real());
    case Type::timestamp: {
      const std::string& text = value.as_string();
      if (!column_.is_time() || text.size() < 11) return text;
      scratch = text;
      scratch[10] = ' ';
      if (scratch.ends_with('Z')) scratch.pop_back();
      // Further digits are zeros, or loss() has refused the value.
      if (scratch.find('.') != std::string::npos)
        scratch.resize(scratch.find('.') + (fraction_digits(text) == 0 ? 0 : fraction_digits(text) + 1));
      return column_.data_type == "date" ? std::string_view(scratch).substr(0, 10) : scratch;
    }
    case Type::null:
      return {};
    default:
      return value.as_string();
  }
}

std::string MysqlColumn::loss(const Value& value) const {
  if (value.is_null()) return column_.not_null ? "is null, and the column takes no null" : "";
  if (value.type() == Type::integer && (column_.is_integer() || column_.data_type == "decimal")) return {};
  if (value.type() == Type::real && !std::isfinite(value.as_real()) && !column_.is_text())
    return "is not a finite number, and MySQL has no other";
  std::string scratch;
  return loss_of_text(text_of(value, scratch), value);
}

std::string MysqlColumn::loss_of_text(std::string_view text, const Value& value) const {
  const std::string& type = column_.data_type;
  if (column_.is_text()) {
    if (!is_valid_utf8(text)) return "is not valid UTF-8";
    if (type == "char" && text.ends_with(' ')) return "ends with a blank, which a CHAR column does not keep";
    if (type == "enum" && !is_option(column_.options, text))
      return fmt::format("is not one of: {}", join(column_.options, ", "));
    if (type == "set" && !text.empty())
      for (const std::string& word : split(text, ','))
        if (!is_option(column_.options, word))
          return fmt::format("holds `{}`, which is not one of: {}", word, join(column_.options, ", "));
    return {};
  }
  if (type == "decimal")
    return text.find_first_not_of("+-.0123456789eE") == std::string_view::npos ? "" : "is not a number";
  if (column_.is_integer() || type == "bit")
    return is_whole_number(text) ? "" : "is not a whole number, as the column keeps them";
  if (type == "float" || type == "double") {
    if (value.type() == Type::real) return {};
    const std::size_t exact = type == "float" ? 6 : 15;
    return significant_digits(text) > exact
               ? fmt::format("has more digits than the {} that a {} keeps", exact, type)
               : "";
  }
  if (type == "year") {
    const bool fits = is_whole_number(text) && text.size() == 4 && (text == "0000" || text >= "1901");
    return fits ? "" : "is not a year that a YEAR column keeps (1901 to 2155)";
  }
  if (type == "binary" && text.size() < column_.length_max)
    return fmt::format("is shorter than the {} bytes to which the column would fill it up",
                       column_.length_max);
  if (column_.is_time()) {
    if (text.ends_with("(BC)") || text.starts_with('-'))
      return "lies before the year 1, where MySQL's dates end";
    if (type == "date" && value.type() == Type::timestamp && has_time_of_day(value.as_string()))
      return "has a time of day, which a DATE column does not keep";
    if (type != "date" && fraction_digits(text) > column_.fraction_digits)
      return fmt::format("has {} digits of a second's fraction, and the column keeps {}",
                         fraction_digits(text), column_.fraction_digits);
  }
  return {};
}

std::string MysqlColumn::load_target(std::size_t place) const {
  return goes_as_hex() || goes_as_bits() ? fmt::format("@c{}", place) : mysql::quote_identifier(column_.name);
}

std::string MysqlColumn::load_assignment(std::size_t place) const {
  if (!goes_as_hex() && !goes_as_bits()) return {};
  return fmt::format(fmt::runtime(goes_as_hex() ? "{} = unhex(@c{})" : "{} = cast(@c{} as unsigned)"),
                     mysql::quote_identifier(column_.name), place);
}

void MysqlColumn::append_cell(std::string& out, const Value& value) const {
  if (value.is_null()) {
    out += mysql::null_cell;
    return;
  }
  std::string scratch;
  const std::string_view text = text_of(value, scratch);
  if (goes_as_hex())
    mysql::append_hex(out, text);
  else
    mysql::append_cell(out, text);
}

void MysqlColumn::append_literal(std::string& out, const Value& value) const {
  if (value.is_null()) {
    out += "null";
    return;
  }
  std::string scratch;
  const std::string_view text = text_of(value, scratch);
  if (goes_as_hex()) {
    out += "x'";
    mysql::append_hex(out, text);
    out += '\'';
  } else if (goes_as_bits()) {
    out += "cast(";
    mysql::append_literal(out, text);
    out += " as unsigned)";
  } else {
    mysql::append_literal(out, text);
  }
}

std::string MysqlColumn::comparable(const Value& value) const {
  std::string out, scratch;
  const std::string& type = column_.data_type;
  if (column_.is_integer() || type == "decimal" || type == "year")
    return std::string(text_of(value, scratch));
  append_literal(out, value);
  if (type == "float" || type == "double") return fmt::format("cast({} as double)", out);
  if (type == "date") return fmt::format("cast({} as date)", out);
  if (column_.is_time())
    return fmt::format("cast({} as {}({}))", out, type == "time" ? "time" : "datetime",
                       column_.fraction_digits);
  return out;
}

std::string MysqlColumn::definition() const {
  std::string text = mysql::quote_identifier(column_.name) + " " + column_.native_type;
  if (column_.is_text() && column_.data_type != "json") text += " character set " + column_.character_set;
  if (!column_.collation.empty() && column_.data_type != "json") text += " collate " + column_.collation;
  return text + " null default null";
}

std::string MysqlColumn::converted(const std::string& expression) const {
  if (!column_.is_text()) return expression;
  return fmt::format("convert({} using {}) collate {}", expression, column_.character_set, column_.collation);
}

}  // namespace eddy::connectors
