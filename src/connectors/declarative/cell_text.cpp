#include "connectors/declarative/cell_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "connectors/declarative/cells.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

// What stands after the backslash: 0 for bytes that stand for themselves, 'u' for \u00XX.
constexpr auto escapes = [] {
  std::array<char, 256> out{};
  for (std::size_t c = 0; c < 0x20; ++c) out[c] = 'u';
  out['"'] = '"';
  out['\\'] = '\\';
  out['\b'] = 'b';
  out['\f'] = 'f';
  out['\n'] = 'n';
  out['\r'] = 'r';
  out['\t'] = 't';
  return out;
}();

bool is_plain(char c) {
  return static_cast<unsigned char>(c) < 0x80 && escapes[static_cast<unsigned char>(c)] == 0;
}

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

}  // namespace

bool append_json_string(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  while (plain < text.size() && is_plain(text[plain])) ++plain;
  if (plain < text.size() && !is_utf8(text)) return false;
  out += '"';
  out.append(text.substr(0, plain));
  for (std::size_t i = plain; i < text.size(); ++i) {
    const char c = text[i], escape = escapes[static_cast<unsigned char>(c)];
    if (escape == 0) {
      out += c;
      continue;
    }
    out += '\\';
    out += escape;
    if (escape != 'u') continue;
    constexpr std::string_view digits = "0123456789abcdef";
    out += "00";
    out += digits[static_cast<std::size_t>(c) >> 4];
    out += digits[static_cast<std::size_t>(c) & 15];
  }
  out += '"';
  return true;
}

std::expected<CellText, std::string> append_cell(std::string& out, const Value& value,
                                                 const TransformSpec& transforms) {
  const std::string_view quote = transforms.all_text ? "\"" : "";
  switch (value.type()) {
    case Type::null:
      if (transforms.null == TransformSpec::Null::omit) return CellText::left_out;
      out += transforms.null == TransformSpec::Null::empty_text ? "\"\"" : "null";
      return CellText::written;
    case Type::boolean:
      out += quote;
      out += value.as_boolean() ? "true" : "false";
      out += quote;
      return CellText::written;
    case Type::integer:
      out += quote;
      append_integer(out, value.as_integer());
      out += quote;
      return CellText::written;
    case Type::text:
      if (!append_json_string(out, value.as_string()))
        return std::unexpected(std::string("the text is not valid UTF-8"));
      return CellText::written;
    case Type::real: {
      if (transforms.all_text || !std::isfinite(value.as_real())) break;
      std::array<char, 64> digits;
      out.append(digits.data(),
                 nlohmann::detail::to_chars(digits.data(), digits.data() + digits.size(), value.as_real()));
      return CellText::written;
    }
    case Type::date:
      if (transforms.date != TransformSpec::Time::iso || !append_json_string(out, value.as_string())) break;
      return CellText::written;
    case Type::timestamp:
      if (transforms.timestamp != TransformSpec::Time::iso || !append_json_string(out, value.as_string()))
        break;
      return CellText::written;
    default:
      break;
  }
  const auto rendered = render_cell(value, transforms);
  if (!rendered) return std::unexpected(rendered.error());
  if (!*rendered) return CellText::left_out;
  out += (*rendered)->dump();
  return CellText::written;
}

}  // namespace eddy::connectors
