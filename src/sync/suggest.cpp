#include "sync/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/text.h"

namespace eddy::sync {
namespace {

// Words that services use for the same thing. The first of a row is the one compared.
constexpr std::array<std::array<std::string_view, 5>, 16> synonyms = {{
    {"firstname", "givenname", "forename", "fname", ""},
    {"lastname", "surname", "familyname", "lname", ""},
    {"name", "fullname", "displayname", "", ""},
    {"email", "emailaddress", "mail", "primaryemail", ""},
    {"phone", "phonenumber", "mobilephone", "telephone", "mobile"},
    {"company", "companyname", "organization", "organisation", "accountname"},
    {"externalid", "customerid", "userid", "contactid", "id"},
    {"lifetimevalue", "ltv", "clv", "totalrevenue", ""},
    {"leadscore", "score", "pqlscore", "", ""},
    {"propensity", "propensitytobuy", "buyprobability", "", ""},
    {"health", "customerhealth", "healthscore", "", ""},
    {"atrisk", "churnrisk", "isatrisk", "", ""},
    {"country", "countryname", "countrycode", "mailingcountry", ""},
    {"city", "town", "mailingcity", "", ""},
    {"postalcode", "zip", "zipcode", "postcode", "mailingpostalcode"},
    {"lifecyclestage", "stage", "customerstage", "", ""},
}};

// "Lifetime_Value__c" and "user_fields.lifetime_value" -> "lifetimevalue"
std::string normalized(std::string_view name) {
  std::string text = lower(name);
  if (const auto dot = text.rfind('.'); dot != std::string::npos) text.erase(0, dot + 1);
  if (text.ends_with("__c")) text.resize(text.size() - 3);
  std::erase_if(text, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')); });
  return text;
}

std::string_view canonical(std::string_view word) {
  for (const auto& row : synonyms)
    for (const std::string_view synonym : row)
      if (!synonym.empty() && synonym == word) return row[0];
  return word;
}

bool types_agree(Type from, Type to) {
  const auto number = [](Type t) { return t == Type::integer || t == Type::real || t == Type::decimal; };
  if (to == Type::text || to == Type::json || from == to) return true;
  if (number(from) && number(to)) return true;
  return from == Type::text && (to == Type::date || to == Type::timestamp);
}

Suggestion score(const FieldSchema& field, const ColumnFacts& column) {
  const std::string f = normalized(field.name);
  const std::string c = normalized(column.name);
  Suggestion s{field.name, column.name, 0, ""};
  if (f == c)
    s.confidence = 0.95, s.reason = "same name";
  else if (canonical(f) == canonical(c))
    s.confidence = 0.8, s.reason = fmt::format("`{}` and `{}` mean the same", field.name, column.name);
  else if (canonical(f) == "email" && column.email_share > 0.8)
    s.confidence = 0.75,
    s.reason = fmt::format("{:.0f}% of the values are e-mail addresses", column.email_share * 100);
  else if (f.size() > 4 && c.size() > 4 && (f.find(c) != std::string::npos || c.find(f) != std::string::npos))
    s.confidence = 0.5, s.reason = "names resemble each other";
  if (s.confidence > 0 && !types_agree(column.type, field.type)) {
    s.confidence -= 0.4;
    s.reason += fmt::format(", but {} is not {}", name_of(column.type), name_of(field.type));
  }
  return s;
}

}  // namespace

std::vector<ColumnFacts> measure_columns(engine::Connection& connection, const std::string& model) {
  auto described = connection.query(fmt::format("select * from {} limit 0", model));
  std::vector<ColumnFacts> facts;
  std::vector<std::string> parts = {"count(*)"};
  for (const engine::EngineColumn& column : described.columns()) {
    facts.push_back({column.name, column.type, false, 0});
    const std::string name = engine::quote_identifier(column.name);
    parts.push_back(fmt::format("count(distinct {})", name));
    parts.push_back(
        column.type == Type::text
            ? fmt::format(
                  R"(coalesce(avg(case when regexp_matches({0}, '^[^@\s]+@[^@\s]+\.[^@\s]+$') then 1.0 else 0.0 end) filter (where {0} is not null), 0)::double)",
                  name)
            : "0.0::double");
  }
  const Row row = connection.query(fmt::format("select {} from {}", join(parts, ", "), model)).rows().front();
  for (std::size_t i = 0; i < facts.size(); ++i) {
    facts[i].unique = row[0].as_integer() > 0 && row[1 + 2 * i].as_integer() == row[0].as_integer();
    facts[i].email_share = row[2 + 2 * i].as_real();
  }
  return facts;
}

MappingSuggestion suggest_mapping(const std::vector<ColumnFacts>& columns, const ObjectSchema& object) {
  struct Candidate {
    Suggestion suggestion;
    std::size_t field;
  };
  std::vector<Candidate> candidates;
  MappingSuggestion out;
  for (std::size_t i = 0; i < object.fields.size(); ++i) {
    const FieldSchema& field = object.fields[i];
    for (const ColumnFacts& column : columns) {
      const Suggestion s = score(field, column);
      // A key that cannot be written finds records but never makes one.
      if (field.key && field.writable && s.confidence >= 0.3) {
        out.key.push_back(s);
        out.key.back().reason += column.unique ? ", unique in the model" : ", but NOT unique in the model";
        if (!column.unique) out.key.back().confidence -= 0.5;
      }
      if (field.writable && s.confidence >= 0.3) candidates.push_back({s, i});
    }
  }
  const auto by_confidence = [](const Suggestion& a, const Suggestion& b) {
    return a.confidence > b.confidence;
  };
  std::stable_sort(out.key.begin(), out.key.end(), by_confidence);
  std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
    return by_confidence(a.suggestion, b.suggestion);
  });

  std::set<std::string> taken_columns, taken_fields;
  if (!out.key.empty()) {
    taken_columns.insert(out.key.front().column);
    taken_fields.insert(out.key.front().field);
  }
  std::vector<std::pair<std::size_t, Suggestion>> chosen;
  for (const Candidate& c : candidates)
    if (!taken_columns.contains(c.suggestion.column) && !taken_fields.contains(c.suggestion.field)) {
      taken_columns.insert(c.suggestion.column);
      taken_fields.insert(c.suggestion.field);
      chosen.emplace_back(c.field, c.suggestion);
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

std::string as_yaml(const MappingSuggestion& suggestion) {
  std::string out;
  const auto comment = [](const Suggestion& s) {
    return fmt::format("# {:.0f}%: {}", s.confidence * 100, s.reason);
  };
  if (suggestion.key.empty()) {
    out += "key: {}  # no field of the object that can match records fits a column of the model\n";
  } else {
    const Suggestion& best = suggestion.key.front();
    out += fmt::format("key: {{{}: {}}}  {}\n", best.field, best.column, comment(best));
    for (std::size_t i = 1; i < suggestion.key.size() && i < 4; ++i)
      out += fmt::format("# or: {{{}: {}}}  {}\n", suggestion.key[i].field, suggestion.key[i].column,
                         comment(suggestion.key[i]));
  }
  out += "fields:\n";
  for (const Suggestion& s : suggestion.fields)
    out += fmt::format("  {}: {}  {}\n", s.field, s.column, comment(s));
  for (const std::string& field : suggestion.unmapped_required)
    out += fmt::format("  # {}: ?  needed for a new record; no column fits\n", field);
  if (!suggestion.unmapped_columns.empty())
    out += "# columns not used: " + join(suggestion.unmapped_columns, ", ") + "\n";
  return out;
}

}  // namespace eddy::sync
