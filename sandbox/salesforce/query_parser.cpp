#include <charconv>

#include "core/text.h"
#include "sandbox/salesforce/date_literal.h"
#include "sandbox/salesforce/query.h"

namespace eddy::sandbox::salesforce {
namespace {

struct Token {
  std::string text;  // words as written; strings without their quotes
  bool quoted = false;
  bool is(std::string_view word) const { return !quoted && lower(text) == lower(word); }
};

std::optional<std::vector<Token>> tokenize(const std::string& soql) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < soql.size();) {
    const char c = soql[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (c == '\'') {
      Token token{.text = {}, .quoted = true};
      for (++i; i < soql.size() && soql[i] != '\''; ++i) {
        if (soql[i] == '\\' && i + 1 < soql.size()) {
          ++i;
          token.text += soql[i] == 'n' ? '\n' : soql[i] == 'r' ? '\r' : soql[i] == 't' ? '\t' : soql[i];
        } else {
          token.text += soql[i];
        }
      }
      if (i++ >= soql.size()) return std::nullopt;
      tokens.push_back(std::move(token));
    } else if (std::string_view{"!<>"}.find(c) != std::string_view::npos && i + 1 < soql.size() &&
               (soql[i + 1] == '=' || (c == '<' && soql[i + 1] == '>'))) {
      tokens.push_back({soql[i + 1] == '>' ? "!=" : soql.substr(i, 2)});
      i += 2;
    } else if (std::string_view{"(),=<>"}.find(c) != std::string_view::npos) {
      tokens.push_back({std::string(1, c)});
      ++i;
    } else {
      std::size_t end = i;
      while (end < soql.size() &&
             std::string_view{" \t\r\n(),=<>!'"}.find(soql[end]) == std::string_view::npos)
        ++end;
      if (end == i) return std::nullopt;
      tokens.push_back({soql.substr(i, end - i)});
      i = end;
    }
  }
  return tokens;
}

class Parser {
 public:
  Parser(std::vector<Token> tokens, Clock::WallTime now) : tokens_(std::move(tokens)), now_(now) {}

  ParsedQuery parse() {
    ParsedQuery out;
    try {
      statement(out.query);
      if (next_ != tokens_.size()) unexpected();
    } catch (RowError& error) {
      out.error = std::move(error);
    }
    return out;
  }

 private:
  bool at(std::string_view word) const { return next_ < tokens_.size() && tokens_[next_].is(word); }
  bool accept(std::string_view word) {
    if (!at(word)) return false;
    ++next_;
    return true;
  }
  [[noreturn]] void unexpected() const {
    const std::string what = next_ < tokens_.size() ? "'" + tokens_[next_].text + "'" : "<EOF>";
    throw RowError{"MALFORMED_QUERY", "unexpected token: " + what};
  }
  void expect(std::string_view word) {
    if (!accept(word)) unexpected();
  }
  std::string name() {
    if (next_ >= tokens_.size() || tokens_[next_].quoted ||
        std::string_view{"(),=<>"}.find(tokens_[next_].text) != std::string_view::npos)
      unexpected();
    return tokens_[next_++].text;
  }
  std::size_t number() {
    std::size_t value = 0;
    const std::string text = name();
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size())
      throw RowError{"MALFORMED_QUERY", "unexpected token: '" + text + "'"};
    return value;
  }

  void statement(Query& query) {
    expect("select");
    std::vector<std::string> names;
    std::string counted;
    if (accept("count")) {
      expect("(");
      query.count_rows = at(")");
      if (!query.count_rows) counted = name();
      expect(")");
    } else if (accept("fields")) {
      expect("(");
      names.push_back("*" + lower(name()));
      expect(")");
    } else {
      do names.push_back(name());
      while (accept(","));
    }
    expect("from");
    const std::string object = name();
    query.object = find_object(object);
    if (query.object == nullptr)
      throw RowError{"INVALID_TYPE", fmt::format("sObject type '{}' is not supported.", object)};
    if (!counted.empty()) query.counted = path(*query.object, counted);
    for (const std::string& one : names) {
      if (!one.starts_with('*')) {
        query.paths.push_back(path(*query.object, one));
        continue;
      }
      for (const Field& field : query.object->fields)
        if (one == "*all" || field.custom() == (one == "*custom"))
          query.paths.push_back({.parents = {}, .field = &field});
    }
    if (accept("where")) query.where = any(*query.object);
    if (accept("order")) {
      expect("by");
      do query.order.push_back(order(*query.object));
      while (accept(","));
    }
    if (accept("limit")) query.limit = number();
    if (accept("offset")) query.offset = number();
  }

  Order order(const Object& object) {
    Order order{.path = path(object, name())};
    if (!accept("asc")) order.descending = accept("desc");
    if (accept("nulls") && !accept("first")) {
      expect("last");
      order.nulls_last = true;
    }
    return order;
  }

  static Path path(const Object& from, const std::string& dotted) {
    Path path;
    const Object* object = &from;
    const auto words = split(dotted, '.');
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (i == 0 && lower(words[0]) == lower(from.name)) continue;  // "Contact.Name" from Contact
      const Field* parent = find_relationship(*object, words[i]);
      if (parent == nullptr)
        throw RowError{
            "INVALID_FIELD",
            fmt::format(
                "Didn't understand relationship '{}' in field path. If you are attempting to use a "
                "custom relationship, be sure to append the '__r' after the custom relationship name.",
                words[i])};
      path.parents.push_back(parent);
      object = find_object(parent->reference_to);
    }
    path.field = find_field(*object, words.back());
    if (path.field != nullptr) return path;
    throw RowError{
        "INVALID_FIELD",
        fmt::format(
            "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure "
            "to append the '__c' after the custom field name.",
            words.back(), object->name)};
  }

  Condition any(const Object& object) { return joined(object, "or", Condition::Kind::any); }
  Condition all(const Object& object) { return joined(object, "and", Condition::Kind::all); }
  Condition joined(const Object& object, const char* word, Condition::Kind kind) {
    const bool outer = kind == Condition::Kind::any;
    Condition first = outer ? all(object) : one(object);
    if (!at(word)) return first;
    Condition out{.kind = kind, .parts = {std::move(first)}};
    while (accept(word)) out.parts.push_back(outer ? all(object) : one(object));
    return out;
  }

  Condition one(const Object& object) {
    if (accept("not")) return {.kind = Condition::Kind::none, .parts = {one(object)}};
    if (accept("(")) {
      Condition inner = any(object);
      expect(")");
      return inner;
    }
    Condition out{.path = path(object, name())};
    for (const char* op : {"=", "!=", "<", "<=", ">", ">=", "like"})
      if (accept(op)) {
        if (auto range =
                next_ < tokens_.size() && out.path.field->type.starts_with("date") && !tokens_[next_].quoted
                    ? date_literal(tokens_[next_].text, now_)
                    : std::nullopt) {
          ++next_;
          return within(std::move(out.path), op, *range);
        }
        out.op = op;
        out.values.push_back(value());
        return out;
      }
    out.op = accept("not") ? "not in" : "in";
    expect("in");
    expect("(");
    if (at("select")) {
      out.values_from = std::make_shared<Query>();
      statement(*out.values_from);
    } else {
      do out.values.push_back(value());
      while (accept(","));
    }
    expect(")");
    return out;
  }

  // A comparison with a word for days: before its first moment, or from the first one behind it.
  static Condition within(Path path, std::string_view op, const DateRange& range) {
    const auto compared = [&](std::string how, Clock::WallTime time) {
      return Condition{.path = path, .op = std::move(how), .values = {format_utc(time)}};
    };
    if (op == "<" || op == ">=") return compared(std::string{op}, range.from);
    if (op == ">") return compared(">=", range.to);
    if (op == "<=") return compared("<", range.to);
    Condition inside{.kind = Condition::Kind::all,
                     .parts = {compared(">=", range.from), compared("<", range.to)}};
    if (op == "=") return inside;
    return {.kind = Condition::Kind::none, .parts = {std::move(inside)}};
  }

  std::optional<std::string> value() {
    if (next_ >= tokens_.size()) unexpected();
    const Token& token = tokens_[next_++];
    if (token.is("null")) return std::nullopt;
    return token.text;
  }

  std::vector<Token> tokens_;
  Clock::WallTime now_;
  std::size_t next_ = 0;
};

}  // namespace

std::string Path::name() const {
  std::string out;
  for (const Field* parent : parents) out += parent->relationship + ".";
  return out + field->name;
}

ParsedQuery parse_query(const std::string& soql, Clock::WallTime now) {
  auto tokens = tokenize(soql);
  if (!tokens || tokens->empty()) return {.error = RowError{"MALFORMED_QUERY", "unexpected token: <EOF>"}};
  return Parser(std::move(*tokens), now).parse();
}

}  // namespace eddy::sandbox::salesforce
