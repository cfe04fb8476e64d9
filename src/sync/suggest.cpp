#include "sync/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "config/edit.h"
#include "core/text.h"
#include "sync/synonyms.h"

namespace eddy::sync {
namespace {

constexpr double least_confidence = 0.3;

bool is_number(Type type) { return type == Type::integer || type == Type::real || type == Type::decimal; }
bool is_time(Type type) { return type == Type::date || type == Type::timestamp; }

std::string percent(double share) { return fmt::format("{:.0f}%", share * 100); }

// Whether the column's values can be the field's: "" or what speaks against it.
std::string misfit(const ColumnFacts& column, const FieldSchema& field) {
  const Type from = column.type, to = field.type;
  if (to == Type::text || to == Type::json || from == to || column.filled() == 0) return "";
  if (is_number(from) && is_number(to)) return "";
  if (is_time(from) && is_time(to)) return "";
  if (from == Type::text) {
    const double share = is_number(to)         ? column.number_share
                         : is_time(to)         ? column.date_share
                         : to == Type::boolean ? column.boolean_share
                                               : 1;
    if (share >= 0.95) return "";
    return fmt::format("only {} of the values read as {}", percent(share), name_of(to));
  }
  return fmt::format("{} is not {}", name_of(from), name_of(to));
}

// Of the column's values, how many (and which share of its rows) a pick-list has.
struct Overlap {
  std::size_t values = 0, known = 0;
  double rows = 0;
};
Overlap overlap(const ColumnFacts& column, const FieldSchema& field) {
  Overlap out{column.values.size(), 0, 0};
  std::uint64_t rows = 0, known_rows = 0;
  for (const auto& [value, count] : column.values) {
    rows += count;
    if (std::find(field.options.begin(), field.options.end(), value) == field.options.end()) continue;
    ++out.known;
    known_rows += count;
  }
  if (rows > 0) out.rows = static_cast<double>(known_rows) / static_cast<double>(rows);
  return out;
}

bool is_pick_list(const FieldSchema& field) {
  return field.options.size() > 1 && field.type != Type::boolean;
}

void by_name(const ColumnFacts& column, const FieldSchema& field, Suggestion& s) {
  const std::string f = plain_name(field.name), c = plain_name(column.name);
  if (f.empty() || c.empty()) return;
  const std::string rest = plain_name(undecorated(column.name)),
                    field_rest = plain_name(undecorated(field.name));
  if (f == c)
    s.confidence = 0.95, s.reason = "same name";
  else if (!field.writable)
    return;  // the service's own: `Id` is not our id
  else if (canonical(f) == canonical(c))
    s.confidence = 0.85, s.reason = fmt::format("`{}` and `{}` mean the same", field.name, column.name);
  else if ((!rest.empty() && canonical(rest) == canonical(f)) ||
           (!field_rest.empty() && canonical(field_rest) == canonical(c)))
    s.confidence = 0.65, s.reason = "nearly the same name";
  else if (f.size() > 4 && c.size() > 4 && (f.find(c) != std::string::npos || c.find(f) != std::string::npos))
    s.confidence = 0.5, s.reason = "names resemble each other";
}

void by_values(const ColumnFacts& column, const FieldSchema& field, Suggestion& s) {
  const std::string meaning = canonical(plain_name(field.name));
  const auto looks = [&](double share, double confidence, const char* what) {
    if (share < 0.8 || s.confidence >= confidence) return;
    s.confidence = confidence;
    s.reason = fmt::format("{} of the values are {}", percent(share), what);
  };
  if (!field.writable) return;
  if (meaning == "email") looks(column.email_share, 0.75, "e-mail addresses");
  if (meaning == "phone") looks(column.phone_share, 0.72, "phone numbers");
  if (meaning == "website") looks(column.url_share, 0.72, "web addresses");
  if (!is_pick_list(field) || column.values.size() < 2) return;
  const Overlap o = overlap(column, field);
  if (s.confidence >= 0.5) {
    if (o.known == o.values) {
      s.confidence = std::min(0.98, s.confidence + 0.1);
      s.reason += fmt::format(", all {} values are in its pick-list", o.values);
    } else {
      s.confidence -= 0.3 * (1 - o.rows);
      s.reason += fmt::format(", but {} of {} values are not in its pick-list", o.values - o.known, o.values);
    }
  } else if (o.known == o.values) {
    s.confidence = 0.7;
    s.reason = fmt::format("all {} values are in its pick-list", o.values);
  }
}

Suggestion score(const FieldSchema& field, const ColumnFacts& column) {
  Suggestion s{field.name, column.name, column.expression.empty() ? column.name : column.expression, 0, ""};
  by_name(column, field, s);
  by_values(column, field, s);
  if (s.confidence <= 0) return s;
  if (const std::string against = misfit(column, field); !against.empty()) {
    s.confidence -= 0.4;
    s.reason += ", but " + against;
  } else if (canonical(plain_name(field.name)) == "email" && column.type == Type::text &&
             column.filled() > 0 && column.email_share < 0.5) {
    s.confidence -= 0.3;
    s.reason += fmt::format(", but only {} of the values are e-mail addresses", percent(column.email_share));
  }
  if (field.length_max > 0 && column.length_max > field.length_max) {
    s.confidence -= 0.1;
    s.reason += fmt::format(", but the longest has {} of {} characters", column.length_max, field.length_max);
  }
  if (column.rows > 0 && column.filled() == 0) {
    s.confidence -= 0.3;
    s.reason += ", but it is always null";
  }
  return s;
}

// Where a record has one name and the model two columns for it.
std::optional<Suggestion> whole_name(const std::vector<ColumnFacts>& columns, const ObjectSchema& object,
                                     const std::set<std::string>& taken_fields) {
  const FieldSchema* name = nullptr;
  for (const FieldSchema& field : object.fields) {
    const std::string meaning = canonical(plain_name(field.name));
    if (meaning == "firstname" || meaning == "lastname") return std::nullopt;
    if (meaning == "name" && field.writable && !taken_fields.contains(field.name) && name == nullptr)
      name = &field;
  }
  const ColumnFacts *first = nullptr, *last = nullptr;
  for (const ColumnFacts& column : columns) {
    const std::string meaning = canonical(plain_name(column.name));
    if (meaning == "firstname" && first == nullptr) first = &column;
    if (meaning == "lastname" && last == nullptr) last = &column;
  }
  if (name == nullptr || first == nullptr || last == nullptr) return std::nullopt;
  return Suggestion{name->name, "",
                    fmt::format("concat_ws(' ', {}, {})", first->expression, last->expression), 0.8,
                    "first and last name together"};
}

// The same proposal as a key: what counts is whether it tells the rows apart.
Suggestion as_key(Suggestion s, const ColumnFacts& column, const FieldSchema& field) {
  s.usable = column.unique();
  s.reason = column.uniqueness() + (s.usable ? "" : ": not usable") +
             (field.unique ? "; " : "; not unique there, several matches are rejected; ") + s.reason;
  if (!field.unique) s.confidence -= 0.1;  // a key that is unique there goes first
  if (!s.usable) return s;
  if (column.email_share > 0.8 && canonical(plain_name(s.field)) == "email") s.normalize = "email";
  if (column.type == Type::text && column.folded < column.distinct) {
    s.usable = false;
    s.reason = fmt::format("{} rows differ in upper and lower case only: not usable; {}",
                           with_commas(column.distinct - column.folded), s.reason);
  }
  return s;
}

}  // namespace

std::string Suggestion::value() const {
  const std::string text = config::yaml_scalar(expression);
  return normalize.empty() ? text : fmt::format("{{value: {}, normalize: {}}}", text, normalize);
}

std::vector<Suggestion> MappingSuggestion::sure_fields() const {
  std::vector<Suggestion> out;
  for (const Suggestion& s : fields)
    if (s.is_sure()) out.push_back(s);
  return out;
}

MappingSuggestion suggest_mapping(const std::vector<ColumnFacts>& columns, const ObjectSchema& object,
                                  const Mapped& mapped) {
  struct Candidate {
    Suggestion suggestion;
    std::size_t field;
  };
  std::vector<Candidate> candidates;
  MappingSuggestion out;
  std::set<std::string> taken_columns = mapped.columns, taken_fields = mapped.fields;
  for (std::size_t i = 0; i < object.fields.size(); ++i) {
    const FieldSchema& field = object.fields[i];
    if (!field.writable || taken_fields.contains(field.name)) continue;
    for (const ColumnFacts& column : columns) {
      if (taken_columns.contains(column.name)) continue;
      const Suggestion s = score(field, column);
      if (s.confidence < least_confidence) continue;
      candidates.push_back({s, i});
      if (field.key && !mapped.key && s.confidence >= 0.5) out.key.push_back(as_key(s, column, field));
    }
  }
  const auto better = [](const Suggestion& a, const Suggestion& b) { return a.confidence > b.confidence; };
  std::stable_sort(out.key.begin(), out.key.end(), [&](const Suggestion& a, const Suggestion& b) {
    return a.usable != b.usable ? a.usable : better(a, b);
  });
  std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
    return better(a.suggestion, b.suggestion);
  });
  if (const Suggestion* key = out.sure_key()) {
    taken_columns.insert(key->column);
    taken_fields.insert(key->field);
  }
  std::vector<std::pair<std::size_t, Suggestion>> chosen;
  for (const Candidate& c : candidates)
    if (!taken_columns.contains(c.suggestion.column) && !taken_fields.contains(c.suggestion.field)) {
      taken_columns.insert(c.suggestion.column);
      taken_fields.insert(c.suggestion.field);
      chosen.emplace_back(c.field, c.suggestion);
    }
  if (auto name = whole_name(columns, object, taken_fields)) {
    const auto field = std::find_if(object.fields.begin(), object.fields.end(),
                                    [&](const FieldSchema& f) { return f.name == name->field; });
    taken_fields.insert(name->field);
    for (const ColumnFacts& column : columns)
      if (const auto meaning = canonical(plain_name(column.name));
          meaning == "firstname" || meaning == "lastname")
        taken_columns.insert(column.name);
    chosen.emplace_back(static_cast<std::size_t>(field - object.fields.begin()), std::move(*name));
  }
  std::sort(chosen.begin(), chosen.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [ignored, suggestion] : chosen) out.fields.push_back(std::move(suggestion));
  for (const ColumnFacts& column : columns)
    if (!taken_columns.contains(column.name)) out.unmapped_columns.push_back(column.name);
  for (const FieldSchema& field : object.fields)
    if (field.required && field.writable && !taken_fields.contains(field.name))
      out.unmapped_required.push_back(field.name);
  return out;
}

namespace {

// Lines whose comments begin in one column.
class Commented {
 public:
  void add(std::string text, std::string comment = {}) {
    lines_.emplace_back(std::move(text), std::move(comment));
  }
  std::string text() const {
    std::size_t width = 0;
    for (const auto& [text, comment] : lines_)
      if (!comment.empty() && text.size() < 50) width = std::max(width, text.size());
    std::string out;
    for (const auto& [text, comment] : lines_)
      out += comment.empty() ? text + "\n" : fmt::format("{:<{}}  # {}\n", text, width, comment);
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

std::string comment_of(const Suggestion& s) { return fmt::format("{}: {}", percent(s.confidence), s.reason); }

}  // namespace

std::string as_yaml(const MappingSuggestion& suggestion, const Mapped& mapped) {
  Commented out;
  if (!mapped.key) {
    if (suggestion.sure_key() == nullptr)
      out.add("# key: {}", "no column of the model can identify records there");
    std::size_t shown = 0;
    for (const Suggestion& s : suggestion.key) {
      if (++shown > 4) break;
      const bool chosen = shown == 1 && s.is_sure();
      out.add(
          fmt::format("{}key: {{{}: {}}}", chosen ? "" : "# or ", config::yaml_scalar(s.field), s.value()),
          comment_of(s));
    }
  }
  bool any = false;
  for (const Suggestion& s : suggestion.fields) {
    if (!any) out.add("fields:");
    any = true;
    out.add(fmt::format("  {}{}: {}", s.is_sure() ? "" : "# ", config::yaml_scalar(s.field), s.value()),
            comment_of(s) + (s.is_sure() ? "" : "; not sure enough"));
  }
  for (const std::string& field : suggestion.unmapped_required)
    out.add(fmt::format("  # {}: ?", config::yaml_scalar(field)),
            "a new record needs it, and no column fits");
  if (!suggestion.unmapped_columns.empty())
    out.add("# columns not used: " + join(suggestion.unmapped_columns, ", "));
  return out.text();
}

}  // namespace eddy::sync
