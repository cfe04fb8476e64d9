#include "ingest/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace eddy::ingest {

using nlohmann::json;

namespace {

constexpr std::string_view white = " \t\r\n";
constexpr std::size_t words_max = 300;

std::size_t begin_of(std::string_view text) {
  const std::size_t start = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  return std::min(text.find_first_not_of(white, start), text.size());
}

// Follows the parser without building anything.
class Checker : public nlohmann::json_sax<json> {
 public:
  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override {
    is_object = is_object || depth_ == 0;
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1 && is_object && !keys_.insert(name).second && duplicate.empty()) duplicate = name;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    at = position;
    message = e.what();
    return false;
  }

  bool is_object = false;
  std::string duplicate;
  std::size_t at = 0;
  std::string message;

 private:
  bool value() { return true; }
  int depth_ = 0;
  std::unordered_set<std::string> keys_;
};

// "[json.exception.parse_error.101] parse error at line 1, column 9: syntax error while parsing value -
// unexpected …; last read: '…'"
std::string words_of(const std::string& message) {
  const auto what = message.find(": ");
  std::string words = what == std::string::npos ? message : message.substr(what + 2);
  if (words.size() > words_max) words.replace(words_max, std::string::npos, "…");
  return words;
}

JsonProblem check(std::string_view text, bool record) {
  Checker checker;
  if (!json::sax_parse(text.begin(), text.end(), &checker))
    return {"json.syntax", words_of(checker.message),
            checker.at == 0 ? 0 : std::min(checker.at - 1, text.size())};
  if (!record) return {};
  if (!checker.is_object) return {"json.not_an_object", "is no object", 0};
  if (!checker.duplicate.empty())
    return {"json.duplicate_key", fmt::format("the key `{}` is there twice", checker.duplicate), 0};
  return {};
}

// The end of the value that begins at `at`; text.size() when it does not end.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  int depth = 0;
  bool inside = false;  // of a string
  for (std::size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (inside) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inside = false;
      if (!inside && c == '"' && depth == 0) return i + 1;
      continue;
    }
    if (c == '"')
      inside = true;
    else if (c == '{' || c == '[')
      ++depth;
    else if (c == '}' || c == ']') {
      if (depth == 0) return i;
      if (--depth == 0) return i + 1;
    } else if (depth == 0 && (c == ',' || white.find(c) != std::string_view::npos))
      return i;
  }
  return text.size();
}

}  // namespace

JsonLayout json_layout(std::string_view text, bool declared_lines) {
  if (declared_lines) return JsonLayout::lines;
  const std::size_t begin = begin_of(text);
  if (begin >= text.size()) return JsonLayout::values;
  if (text[begin] == '[') return JsonLayout::array;
  const Span first = line_at(text, begin);
  const std::size_t next = text.find_first_not_of(white, first.offset + first.length);
  if (next != std::string_view::npos && !check(text.substr(first.offset, first.length), false))
    return JsonLayout::lines;
  return JsonLayout::values;
}

JsonProblem check_record(std::string_view record) { return check(record, true); }

JsonProblem check_structure(std::string_view text, JsonLayout layout) {
  std::size_t at = begin_of(text);
  if (layout == JsonLayout::array) {
    JsonProblem problem = check(text.substr(at), false);
    problem.offset += at;
    return problem;
  }
  while (at < text.size()) {
    const std::size_t end = end_of_value(text, at);
    JsonProblem problem = check(text.substr(at, end - at), false);
    if (!problem && end == at) problem = {"json.syntax", "a value is expected", 0};
    if (problem) {
      problem.offset += at;
      return problem;
    }
    at = std::min(text.find_first_not_of(white, end), text.size());
  }
  return {};
}

void for_each_record(std::string_view text, JsonLayout layout, const std::function<bool(const Span&)>& each) {
  if (layout == JsonLayout::lines) {
    for (std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      Span line{at, end - at};
      while (line.length > 0 && white.find(text[line.offset + line.length - 1]) != std::string_view::npos)
        --line.length;
      while (line.length > 0 && white.find(text[line.offset]) != std::string_view::npos) {
        ++line.offset;
        --line.length;
      }
      if (line.length > 0 && !each(line)) return;
      at = end + 1;
    }
    return;
  }
  std::size_t at = begin_of(text);
  if (layout == JsonLayout::array) at = std::min(text.find_first_not_of(white, at + 1), text.size());
  while (at < text.size() && text[at] != ']') {
    const std::size_t end = end_of_value(text, at);
    if (!each({at, end - at})) return;
    at = std::min(
        text.find_first_not_of(layout == JsonLayout::array ? std::string_view(" \t\r\n,") : white, end),
        text.size());
  }
}

}  // namespace eddy::ingest
