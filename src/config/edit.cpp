#include "config/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "config/document.h"
#include "core/text.h"

namespace eddy::config {
namespace {

// Variables stand for themselves: the file is compared with itself, whatever the environment says.
Node parse_as_written(std::string_view text, const std::string& name) {
  Diagnostics diagnostics;
  Node root = parse(
      text, name, [](std::string_view variable) { return fmt::format("${{{}}}", variable); }, diagnostics);
  diagnostics.throw_if_any();
  return root;
}

bool same(const Node& a, const Node& b);

// The entries of `a` are the first entries of `b`.
bool begins_with(const Node& b, const Node& a) {
  const auto before = a.entries(), after = b.entries();
  if (after.size() < before.size()) return false;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i].name != after[i].name || !same(before[i].value, after[i].value)) return false;
  return true;
}

bool same(const Node& a, const Node& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is_scalar()) return a.text() == b.text() && a.quoted() == b.quoted();
  if (a.is_map()) return a.entries().size() == b.entries().size() && begins_with(a, b);
  const auto left = a.items(), right = b.items();
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(), same);
}

std::string plain(const NewEntry& entry) { return entry.name + ": " + entry.value; }

[[noreturn]] void refuse(const Node& where, const std::string& why, const std::vector<NewEntry>& entries) {
  std::vector<std::string> lines;
  for (const NewEntry& entry : entries) lines.push_back(plain(entry));
  where.fail("config.cannot_edit", why, "add by hand: " + join(lines, ", "));
}

// The text with its lines; a line's end belongs to it.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at < text.size();) {
      const auto newline = text.find('\n', at);
      const auto end = newline == std::string_view::npos ? text.size() : newline + 1;
      starts_.push_back(at);
      at = end;
    }
    const bool windows = !starts_.empty() && end_of(0) >= 2 && text.substr(end_of(0) - 2, 2) == "\r\n";
    end_ = windows ? "\r\n" : "\n";
  }
  std::size_t count() const { return starts_.size(); }
  std::size_t start_of(std::size_t i) const { return starts_[i]; }
  std::size_t end_of(std::size_t i) const { return i + 1 < starts_.size() ? starts_[i + 1] : text_.size(); }
  std::string_view line(std::size_t i) const {  // without its end
    std::string_view out = text_.substr(starts_[i], end_of(i) - starts_[i]);
    while (out.ends_with('\n') || out.ends_with('\r')) out.remove_suffix(1);
    return out;
  }
  const std::string& line_end() const { return end_; }

  // The text with whole lines behind line i; of an empty text they are all there is.
  std::string with_lines_behind(std::size_t i, const std::vector<std::string>& added) const {
    const std::size_t at = count() == 0 ? 0 : end_of(i);
    std::string in;
    const bool unfinished = at > 0 && text_[at - 1] != '\n';
    for (const std::string& one : added) in += unfinished ? end_ + one : one + end_;
    return std::string(text_.substr(0, at)) + in + std::string(text_.substr(at));
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
  std::string end_;
};

std::size_t indentation(std::string_view line) {
  const auto first = line.find_first_not_of(' ');
  return first == std::string_view::npos ? line.size() : first;
}
bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }
bool is_comment(std::string_view line) {
  const auto first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '#';
}

// Behind white space and comments.
std::size_t next_word(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (text[at] == '#' && (at == 0 || std::isspace(static_cast<unsigned char>(text[at - 1])) != 0))
      at = std::min(text.find('\n', at), text.size());
    else if (std::isspace(static_cast<unsigned char>(text[at])) != 0)
      ++at;
    else
      break;
  }
  return at;
}

// The place behind the last thing between the braces that begin at `open`; `closed` is the brace's.
struct Braces {
  std::size_t last = 0;  // behind the last character that is neither white space nor comment
  std::size_t closed = 0;
  char last_character = '{';
};

// Behind the closing quote of a scalar that begins at `open`.
std::size_t behind_quoted(std::string_view text, std::size_t open) {
  const char quote = text[open];
  for (std::size_t at = open + 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\')
      ++at;
    else if (text[at] == quote) {
      if (quote == '"' || text.substr(at + 1, 1) != "'") return at + 1;
      ++at;  // two of them stand for one
    }
  }
  return text.size();
}

std::optional<Braces> find_end(std::string_view text, std::size_t open) {
  Braces out{open + 1, 0, '{'};
  int depth = 0;
  for (std::size_t at = open; at < text.size();) {
    const std::size_t word = next_word(text, at);
    if (word != at) {
      at = word;
      continue;
    }
    const char c = text[at];
    std::size_t end = at + 1;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (--depth == 0) {
        out.closed = at;
        return out;
      }
    }
    // Quotes count where a scalar may begin.
    if ((c == '"' || c == '\'') &&
        std::string_view("{[,:").find(out.last_character) != std::string_view::npos) {
      end = behind_quoted(text, at);
    }
    out.last = std::min(end, text.size());
    out.last_character = c;
    at = end;
  }
  return std::nullopt;
}

std::string add_between_braces(std::string_view text, std::size_t open, const Node& where,
                               const std::vector<NewEntry>& entries) {
  const auto braces = find_end(text, open);
  if (!braces) refuse(where, "its closing brace is not found", entries);
  std::vector<std::string> parts;
  for (const NewEntry& entry : entries) parts.push_back(plain(entry));
  const std::string_view before = braces->last_character == '{'   ? ""
                                  : braces->last_character == ',' ? " "
                                                                  : ", ";
  return std::string(text.substr(0, braces->last)) + std::string(before) + join(parts, ", ") +
         std::string(text.substr(braces->last));
}

std::string add_lines(const Lines& lines, const Node& map, const std::vector<NewEntry>& entries) {
  const SourcePosition first = map.entries().front().key.position();
  std::size_t last = static_cast<std::size_t>(first.line - 1);
  const std::string_view first_line = lines.line(last);
  const std::size_t indent = indentation(first_line);
  if (indent + 1 != static_cast<std::size_t>(first.column) || first_line.find('\t') < indent + 1)
    refuse(map, "its entries do not stand on lines of their own", entries);
  for (std::size_t i = last + 1; i < lines.count(); ++i) {
    const std::string_view line = lines.line(i);
    if (is_blank(line)) continue;
    const bool deep = indentation(line) >= indent;
    if (deep)
      last = i;
    else if (!is_comment(line))
      break;
  }
  std::vector<std::string> added;
  for (const NewEntry& entry : entries) added.push_back(std::string(indent, ' ') + plain(entry));
  return lines.with_lines_behind(last, added);
}

std::string add_at_end(const Lines& lines, const std::vector<std::string>& added, const Node& root,
                       const std::vector<NewEntry>& entries) {
  for (std::size_t i = 0; i < lines.count(); ++i)
    if (lines.line(i) == "..." || (i > 0 && lines.line(i).starts_with("---")))
      refuse(root, "the file has more than one document", entries);
  return lines.with_lines_behind(lines.count() == 0 ? 0 : lines.count() - 1, added);
}

// Where the value of a root key is written: behind `key:`.
std::size_t value_of(std::string_view text, const Lines& lines, const Node& key) {
  const SourcePosition at = key.position();
  const std::size_t line = static_cast<std::size_t>(at.line - 1);
  const auto colon =
      text.find(':', lines.start_of(line) + static_cast<std::size_t>(at.column - 1) + key.text().size());
  return colon == std::string_view::npos ? text.size() : colon + 1;
}

std::string edited(std::string_view text, const Node& root, const std::string& key,
                   const std::vector<NewEntry>& entries) {
  const Lines lines(text);
  const auto root_entries = root.entries();
  const auto found = std::find_if(root_entries.begin(), root_entries.end(),
                                  [&](const Node::Entry& entry) { return entry.name == key; });
  if (found == root_entries.end()) {
    std::vector<std::string> added = {key + ":"};
    for (const NewEntry& entry : entries) added.push_back("  " + plain(entry));
    return add_at_end(lines, added, root, entries);
  }
  std::size_t at = next_word(text, value_of(text, lines, found->key));
  while (at < text.size() && (text[at] == '&' || text[at] == '!') &&
         found->value.is_map())  // an anchor, a tag
    at = next_word(text, std::min(text.find_first_of(" \t\r\n", at), text.size()));
  if (at < text.size() && text[at] == '*')
    refuse(found->key, fmt::format("`{}` is what stands elsewhere (an alias)", key), entries);
  if (found->value.kind() == Kind::null) {
    const std::size_t line = static_cast<std::size_t>(found->key.position().line - 1);
    const std::size_t behind = next_word(text, value_of(text, lines, found->key));
    if (behind < lines.end_of(line)) refuse(found->key, fmt::format("`{}` is null", key), entries);
    std::vector<std::string> added;
    for (const NewEntry& entry : entries)
      added.push_back(std::string(indentation(lines.line(line)) + 2, ' ') + plain(entry));
    return lines.with_lines_behind(line, added);
  }
  if (!found->value.is_map()) refuse(found->key, fmt::format("`{}` is no map", key), entries);
  if (at < text.size() && text[at] == '{') return add_between_braces(text, at, found->key, entries);
  return add_lines(lines, found->value, entries);
}

// Nothing is given back that does not read as what was meant.
void check_result(const std::string& after, const Node& root, const std::string& name, const std::string& key,
                  const std::vector<NewEntry>& entries) {
  Node now;
  try {
    now = parse_as_written(after, name);
  } catch (const Error&) {
    refuse(root, "it would no longer be readable", entries);
  }
  const auto old_entries = root.entries(), new_entries = now.entries();
  bool good = new_entries.size() == old_entries.size() + (root[key].exists() ? 0 : 1);
  for (std::size_t i = 0; good && i < old_entries.size(); ++i)
    good = new_entries[i].name == old_entries[i].name &&
           (old_entries[i].name == key ? begins_with(new_entries[i].value, old_entries[i].value)
                                       : same(new_entries[i].value, old_entries[i].value));
  if (good) good = now[key].entries().size() == root[key].entries().size() + entries.size();
  if (!good) refuse(root[key].exists() ? root[key] : root, "something else would change with it", entries);
}

void check_root(const Node& root, std::string_view text, const std::vector<NewEntry>& entries) {
  if (!root.exists()) return;
  if (!root.is_map() || text.substr(next_word(text, 0)).starts_with('{'))
    refuse(root, "the file is not a map with a line for each key", entries);
}

}  // namespace

std::string add_entries(std::string_view text, const std::string& name, const std::string& key,
                        const std::vector<NewEntry>& entries) {
  if (entries.empty()) return std::string(text);
  const Node root = parse_as_written(text, name);
  check_root(root, text, entries);
  std::string after = edited(text, root, key, entries);
  check_result(after, root, name, key, entries);
  return after;
}

std::string add_line(std::string_view text, const std::string& name, const NewEntry& entry) {
  const Node root = parse_as_written(text, name);
  check_root(root, text, {entry});
  std::string after = add_at_end(Lines(text), {plain(entry)}, root, {entry});
  const Node now = parse_as_written(after, name);
  if (!begins_with(now, root) || now.entries().size() != root.entries().size() + 1)
    refuse(root, "something else would change with it", {entry});
  return after;
}

std::string yaml_scalar(std::string_view text) {
  static constexpr std::array<std::string_view, 10> words = {"null", "true", "false", "yes", "no",
                                                             "on",   "off",  "y",     "n",   "~"};
  const std::string lowered = lower(text);
  const bool letters =
      !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '_') &&
      std::all_of(text.begin(), text.end(),
                  [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-'; });
  if (letters && std::find(words.begin(), words.end(), lowered) == words.end()) return std::string(text);
  const std::string escaped = replace_all(std::string(text), "${", "$${");
  const bool control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!control && text.find('\'') != std::string_view::npos &&
      text.find_first_of("\"\\") == std::string_view::npos)
    return "\"" + escaped + "\"";
  if (!control) return "'" + replace_all(escaped, "'", "''") + "'";
  std::string out = "\"";
  for (const char c : escaped) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else if (code < 0x20 || code == 0x7f)
      out += fmt::format("\\x{:02x}", code);
    else
      out += c;
  }
  return out + "\"";
}

}  // namespace eddy::config
