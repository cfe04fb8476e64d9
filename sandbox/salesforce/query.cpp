#include "sandbox/salesforce/query.h"

#include <charconv>

#include "core/text.h"

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
        if (soql[i] == '\\' && i + 1 < soql.size()) ++i;
        token.text += soql[i];
      }
      if (i++ >= soql.size()) return std::nullopt;
      tokens.push_back(std::move(token));
    } else if (c == '!' && i + 1 < soql.size() && soql[i + 1] == '=') {
      tokens.push_back({"!="});
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
  Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  ParsedQuery parse() {
    ParsedQuery out;
    try {
      statement(out.query);
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
    if (next_ >= tokens_.size() || tokens_[next_].quoted) unexpected();
    return tokens_[next_++].text;
  }

  void statement(Query& query) {
    expect("select");
    std::vector<std::string> names;
    const bool count = accept("count");
    if (count) {
      expect("(");
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
    for (const std::string& field : names) query.fields.push_back(&known(*query.object, field));
    if (accept("where")) {
      do query.conditions.push_back(condition(*query.object));
      while (accept("and"));
    }
    if (accept("order")) {  // records come in order of creation anyway
      expect("by");
      known(*query.object, name());
      if (!accept("asc")) accept("desc");
    }
    if (accept("limit")) {
      const std::string text = name();
      const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), query.limit);
      if (ec != std::errc{} || end != text.data() + text.size()) unexpected();
    }
    if (next_ != tokens_.size()) unexpected();
  }

  static const Field& known(const Object& object, const std::string& field) {
    if (const Field* found = find_field(object, field)) return *found;
    throw RowError{
        "INVALID_FIELD",
        fmt::format(
            "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure "
            "to append the '__c' after the custom field name.",
            field, object.name)};
  }

  Condition condition(const Object& object) {
    Condition condition{.field = &known(object, name()), .values = {}};
    if (accept("=") || at("!=")) {
      condition.negated = accept("!=");
      condition.values.push_back(value());
      return condition;
    }
    condition.negated = accept("not");
    expect("in");
    expect("(");
    do condition.values.push_back(value());
    while (accept(","));
    expect(")");
    return condition;
  }

  std::string value() {
    if (next_ >= tokens_.size()) unexpected();
    const Token& token = tokens_[next_++];
    if (token.quoted) return token.text;
    return token.is("null") ? std::string{} : token.text;
  }

  std::vector<Token> tokens_;
  std::size_t next_ = 0;
};

}  // namespace

ParsedQuery parse_query(const std::string& soql) {
  auto tokens = tokenize(soql);
  if (!tokens || tokens->empty()) return {.error = RowError{"MALFORMED_QUERY", "unexpected token: <EOF>"}};
  return Parser(std::move(*tokens)).parse();
}

std::vector<Json> run_query(const Query& query, Records& records, Store& store, const std::string& version) {
  const Object& object = *query.object;
  Table& table = store.table(object.name);
  std::vector<const Record*> candidates;
  const Condition* by_index = nullptr;
  for (const Condition& condition : query.conditions)
    if (!condition.negated && (condition.field->id_lookup || condition.field->external_id))
      by_index = &condition;
  if (by_index != nullptr) {
    std::set<const Record*> seen;
    for (const std::string& value : by_index->values) {
      if (by_index->field->name == "Id") {
        if (const Record* record = records.find(object, value); record && seen.insert(record).second)
          candidates.push_back(record);
      } else {
        for (const Record* record : table.find(by_index->field->name, value))
          if (seen.insert(record).second) candidates.push_back(record);
      }
    }
  } else {
    for (const auto& [place, record] : table.records()) candidates.push_back(&record);
  }
  std::vector<Json> found;
  for (const Record* record : candidates) {
    const bool matches = std::ranges::all_of(query.conditions, [&](const Condition& condition) {
      if (&condition == by_index) return true;
      const std::string value = lower(text_of(records.field_value(object, *record, *condition.field)));
      const bool in =
          std::ranges::any_of(condition.values, [&](const std::string& v) { return lower(v) == value; });
      return in != condition.negated;
    });
    if (!matches) continue;
    if (found.size() >= query.limit) break;
    const std::string url = fmt::format("/services/data/{}/sobjects/{}/{}", version, object.name, record->id);
    Json row = {{"attributes", {{"type", object.name}, {"url", url}}}};
    for (const Field* field : query.fields) row[field->name] = records.field_value(object, *record, *field);
    found.push_back(std::move(row));
  }
  return found;
}

}  // namespace eddy::sandbox::salesforce
