#include "transform/sql_file.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/text.h"

namespace eddy::transform {

namespace {

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

int characters(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_a_character(c); }));
}

// Where the comment, string or quoted name that starts at `at` ends; `at` when nothing of the kind starts
// there.
std::size_t skip_opaque(std::string_view text, std::size_t at) {
  const auto end_of = [&](std::string_view mark, std::size_t from) {
    const auto found = text.find(mark, from);
    return found == std::string_view::npos ? text.size() : found + mark.size();
  };
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("--")) return end_of("\n", at);
  if (rest.starts_with("/*")) {
    int depth = 1;  // block comments nest
    for (at += 2; at < text.size() && depth > 0; ++at) {
      if (text.substr(at).starts_with("/*"))
        ++depth, ++at;
      else if (text.substr(at).starts_with("*/"))
        --depth, ++at;
    }
    return at;
  }
  if (rest.starts_with('\'') || rest.starts_with('"')) {
    const char quote = rest.front();
    const bool escapes =
        quote == '\'' && at > 0 && (text[at - 1] == 'e' || text[at - 1] == 'E') &&
        (at < 2 || !(std::isalnum(static_cast<unsigned char>(text[at - 2])) || text[at - 2] == '_'));
    for (++at; at < text.size(); ++at) {
      if (escapes && text[at] == '\\')
        ++at;
      else if (text[at] == quote)
        return at + 1;  // a doubled quote starts another string at once
    }
    return text.size();
  }
  if (rest.starts_with('$')) {  // $tag$ … $tag$
    std::size_t end = at + 1;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
      ++end;
    const bool starts_with_digit = end > at + 1 && std::isdigit(static_cast<unsigned char>(text[at + 1]));
    if (end < text.size() && text[end] == '$' && !starts_with_digit)
      return end_of(text.substr(at, end + 1 - at), end + 1);
  }
  return at;
}

std::size_t skip_spaces_and_line_comments(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (is_space(text[at]))
      ++at;
    else if (text.substr(at).starts_with("--"))
      at = skip_opaque(text, at);
    else
      break;
  }
  return at;
}

constexpr std::string_view mark = "eddy";

// The first block comment, when it is a header: [start, end) with its delimiters.
std::optional<std::pair<std::size_t, std::size_t>> find_header(std::string_view text) {
  const std::size_t start = skip_spaces_and_line_comments(text, text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  if (!text.substr(start).starts_with("/*")) return std::nullopt;
  std::size_t at = start + 2;
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  if (!text.substr(at).starts_with(mark)) return std::nullopt;
  at += mark.size();
  if (at < text.size() && !is_space(text[at]) && text[at] != '*') return std::nullopt;
  const auto end = text.find("*/", at);
  return std::pair(start, end == std::string_view::npos ? text.size() : end + 2);
}

// The end of the statement: before a semicolon after which there is nothing but space and comments.
std::size_t end_of_statement(std::string_view text) {
  std::size_t end = 0, semicolon = std::string_view::npos;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t after = skip_opaque(text, at);
    const bool comment =
        after != at && (text.substr(at).starts_with("--") || text.substr(at).starts_with("/*"));
    if (after == at && text[at] == ';') {
      if (semicolon == std::string_view::npos) semicolon = at;
    } else if (!comment && !(after == at && is_space(text[at]))) {
      end = after == at ? at + 1 : after;
      semicolon = std::string_view::npos;
    }
    at = after == at ? at + 1 : after;
  }
  return std::min(end, semicolon);
}

std::string line_of(std::string_view text, int line) {
  const std::vector<std::string> lines = split(text, '\n');
  if (line < 1 || static_cast<std::size_t>(line) > lines.size()) return {};
  std::string out = lines[static_cast<std::size_t>(line) - 1];
  if (out.ends_with('\r')) out.pop_back();
  return out;
}

}  // namespace

SqlFile read_sql_file(std::string file, std::string text) {
  SqlFile out;
  out.file = std::move(file);
  out.text = std::move(text);
  const std::string_view all = out.text;
  std::size_t start = all.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  if (const auto header = find_header(all)) {
    const auto [from, to] = *header;
    out.header_line =
        static_cast<int>(std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from), '\n'));
    // `/* eddy` and `*/` become spaces, so that YAML's columns are the file's.
    const std::size_t line_start =
        all.rfind('\n', from) == std::string_view::npos ? 0 : all.rfind('\n', from) + 1;
    const std::size_t body = all.find(mark, from) + mark.size();
    const std::size_t body_end = all.substr(0, to).ends_with("*/") ? to - 2 : to;
    out.header =
        std::string(static_cast<std::size_t>(characters(all.substr(line_start, body - line_start))), ' ');
    out.header += all.substr(body, body_end - body);
    start = to;
  }
  while (start < all.size() && is_space(all[start])) ++start;
  out.sql = all.substr(start, end_of_statement(all.substr(start)));
  const std::string_view before = all.substr(0, start);
  out.sql_line = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  const auto newline = before.rfind('\n');
  out.sql_column = characters(newline == std::string_view::npos ? before : before.substr(newline + 1));
  return out;
}

SourcePosition SqlFile::position(int line_in_sql, int column_in_sql) const {
  if (line_in_sql < 1) return {file, 0, 0};
  const int column = column_in_sql < 1 ? 0 : column_in_sql + (line_in_sql == 1 ? sql_column : 0);
  return {file, line_in_sql + sql_line, column};
}

Diagnostic SqlFile::complaint(std::string code, std::string message, std::string hint,
                              SourcePosition at) const {
  if (at.file.empty()) at.file = file;
  std::string excerpt = line_of(text, at.line);
  return {std::move(code), std::move(message), std::move(hint), std::move(at), std::move(excerpt)};
}

EngineMessage read_engine_message(std::string_view message) {
  EngineMessage out;
  const std::vector<std::string> lines = split(message, '\n');
  std::vector<std::string> text, hints;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    const auto colon = line.find(": ");
    if (line.starts_with("LINE ") && colon != std::string::npos && i + 1 < lines.size()) {
      const std::string number = line.substr(5, colon - 5);
      const bool is_number = !number.empty() && std::all_of(number.begin(), number.end(),
                                                            [](char c) { return c >= '0' && c <= '9'; });
      if (is_number && number.size() < 9) {
        out.line = std::stoi(number);
        out.excerpt = line.substr(colon + 2);
        const auto caret = lines[i + 1].find('^');
        out.caret = caret == std::string::npos
                        ? 0
                        : std::max(0, static_cast<int>(caret) - static_cast<int>(colon) - 2);
        break;
      }
    }
    if (line.starts_with("Candidate ") || line.starts_with("Did you mean "))
      hints.push_back(line);
    else if (!trim(line).empty())
      text.push_back(trim(line));
  }
  out.text = join(text, " ");
  for (std::string_view kind : {"Binder Error: ", "Catalog Error: ", "Parser Error: "})
    if (out.text.starts_with(kind)) out.text.erase(0, kind.size());
  while (out.text.ends_with('!') || out.text.ends_with('.')) out.text.pop_back();
  out.hint = join(hints, "; ");
  return out;
}

Error sql_error(const SqlFile& file, const Error& error, int lines_before) {
  if (error.code() != "engine.query_failed") return error;
  const EngineMessage said = read_engine_message(error.message());
  std::string hint = said.hint.empty() ? error.hint() : said.hint;
  const int line = said.line - lines_before;
  SourcePosition at{file.file, 0, 0};
  const auto lines = static_cast<int>(std::count(file.sql.begin(), file.sql.end(), '\n')) + 1;
  if (said.line > 0 && line >= 1 && line <= lines) {
    // The engine shows a window of a long line, with dots where it cut: the caret counts from the window.
    std::string window = said.excerpt;
    int caret = said.caret;
    if (window.starts_with("...")) window.erase(0, 3), caret -= 3;
    if (window.ends_with("...")) window.erase(window.size() - 3);
    const std::string whole = line_of(file.sql, line);
    const auto found = whole.find(window);
    const int before = found == std::string::npos ? 0 : characters(std::string_view(whole).substr(0, found));
    at = file.position(line, found == std::string::npos || caret < 0 ? 0 : before + caret + 1);
  }
  return Error(file.complaint("transform.sql", said.text, hint, at));
}

}  // namespace eddy::transform
