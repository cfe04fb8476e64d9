#include "transport/postgres/encoding.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/text.h"

namespace eddy::postgres {
namespace {

template <class Number>
void append_number(std::string& out, Number number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_real(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "NaN";
  } else if (std::isinf(number)) {
    out += number > 0 ? "Infinity" : "-Infinity";
  } else {
    append_number(out, number);
  }
}

// The engine writes years before 1 as "0044-03-15 (BC)", ISO 8601 as "-0043-03-15"; PostgreSQL wants
// "0044-03-15 BC".
void append_time(std::string& out, std::string_view text) {
  if (text.ends_with(" (BC)")) {
    out.append(text.substr(0, text.size() - 5)).append(" BC");
  } else if (text.size() > 5 && text.front() == '-' && text.find('-', 1) != std::string_view::npos) {
    const auto dash = text.find('-', 1);
    const int year = std::atoi(std::string(text.substr(1, dash - 1)).c_str()) + 1;
    if (year < 1000) out.append(year < 10 ? 3 : year < 100 ? 2 : 1, '0');
    append_number(out, year);
    out.append(text.substr(dash)).append(" BC");
  } else {
    out += text;
  }
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  const std::size_t start = out.size();
  out.resize(start + 2 * bytes.size());
  char* to = out.data() + start;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
  }
}

// Eight bytes at a time: none is below 0x20, above 0x7F or a backslash, so all can be copied as they are.
bool is_plain(std::uint64_t word) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t highs = 0x8080808080808080U;
  const std::uint64_t backslash = word ^ (ones * '\\');
  const std::uint64_t below_space = (word - ones * 0x20) & ~word;
  const std::uint64_t is_backslash = (backslash - ones) & ~backslash;
  return ((word | below_space | is_backslash) & highs) == 0;
}

Encoded append_escaped(std::string& out, std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  std::size_t copied = 0;  // everything before this is in `out`
  const auto copy_until = [&](std::size_t end) { out.append(text.data() + copied, end - copied); };
  for (std::size_t i = 0; i < size;) {
    std::uint64_t word;
    if (i + sizeof word <= size && (std::memcpy(&word, p + i, sizeof word), is_plain(word))) {
      i += sizeof word;
      continue;
    }
    const unsigned char c = p[i];
    if (c >= 0x80) {
      const std::size_t length = utf8_length_at(text, i);
      if (length == 0) return Encoded::invalid_utf8;
      i += length;
      continue;
    }
    const char escape = c == '\\' ? '\\' : c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\0';
    if (c == 0) return Encoded::nul_byte;
    if (escape != '\0') {
      copy_until(i);
      out += '\\';
      out += escape;
      copied = i + 1;
    }
    ++i;
  }
  copy_until(size);
  return Encoded::ok;
}

}  // namespace

std::string_view explain(Encoded encoded) {
  switch (encoded) {
    case Encoded::ok:
      return "is fine";
    case Encoded::nul_byte:
      return "contains a NUL byte, which PostgreSQL text cannot hold";
    case Encoded::invalid_utf8:
      return "is not valid UTF-8";
  }
  return "";
}

Encoded append_copy_cell(std::string& out, const Value& value) {
  switch (value.type()) {
    case Type::null:
      out += "\\N";
      return Encoded::ok;
    case Type::boolean:
      out += value.as_boolean() ? "true" : "false";
      return Encoded::ok;
    case Type::integer:
      append_number(out, value.as_integer());
      return Encoded::ok;
    case Type::real:
      append_real(out, value.as_real());
      return Encoded::ok;
    case Type::date:
    case Type::timestamp: {
      std::string text;
      append_time(text, value.as_string());
      return append_escaped(out, text);
    }
    case Type::blob:
      out += "\\\\x";
      append_hex(out, value.as_string());
      return Encoded::ok;
    case Type::decimal:
    case Type::text:
    case Type::json:
      return append_escaped(out, value.as_string());
  }
  return Encoded::ok;
}

void append_input(std::string& out, const Value& value) {
  switch (value.type()) {
    case Type::null:
      break;
    case Type::boolean:
      out += value.as_boolean() ? "true" : "false";
      break;
    case Type::integer:
      append_number(out, value.as_integer());
      break;
    case Type::real:
      append_real(out, value.as_real());
      break;
    case Type::date:
    case Type::timestamp:
      append_time(out, value.as_string());
      break;
    case Type::blob:
      out += "\\x";
      append_hex(out, value.as_string());
      break;
    case Type::decimal:
    case Type::text:
    case Type::json:
      out += value.as_string();
      break;
  }
}

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string quote_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

}  // namespace eddy::postgres
