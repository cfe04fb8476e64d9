#include "transport/mysql/encoding.h"

#include <cstdint>
#include <cstring>

namespace eddy::mysql {
namespace {

// Eight bytes at a time: none is below 0x20 or a backslash, so all can be copied as they are. (The classic
// "has a byte less than n": https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord; bytes from
// 0x80 are looked at one by one.)
bool is_plain(std::uint64_t word) {
  constexpr std::uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
  const std::uint64_t backslash = word ^ (ones * '\\');
  return (((word - ones * 0x20) | (backslash - ones) | word) & high) == 0;
}

template <class Escape>
void append_escaped(std::string& out, std::string_view text, Escape escape_of) {
  std::size_t copied = 0;  // everything before this is in `out`
  for (std::size_t i = 0; i < text.size();) {
    std::uint64_t word;
    if (i + sizeof word <= text.size()) {
      std::memcpy(&word, text.data() + i, sizeof word);
      if (is_plain(word)) {
        i += sizeof word;
        continue;
      }
    }
    if (const char escape = escape_of(text[i]); escape != '\0') {
      out.append(text.data() + copied, i - copied);
      out += '\\';
      out += escape;
      copied = i + 1;
    }
    ++i;
  }
  out.append(text.data() + copied, text.size() - copied);
}

}  // namespace

void append_cell(std::string& out, std::string_view text) {
  append_escaped(out, text, [](char c) {
    return c == '\\' ? '\\' : c == '\t' ? 't' : c == '\n' ? 'n' : c == '\0' ? '0' : '\0';
  });
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
}

void append_literal(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    if (c == '\0')
      out += "\\0";
    else
      out += c;
  }
  out += '\'';
}

std::string quote_literal(std::string_view text) {
  std::string out;
  append_literal(out, text);
  return out;
}

std::string quote_identifier(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + '`';
}

}  // namespace eddy::mysql
