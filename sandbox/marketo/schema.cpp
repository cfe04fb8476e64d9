#include "sandbox/marketo/schema.h"

#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "sandbox/service.h"

namespace eddy::sandbox::marketo {
namespace {

std::optional<double> number_in(const Json& given) {
  if (given.is_number()) return given.get<double>();
  if (!given.is_string()) return std::nullopt;
  const std::string text = trim(given.get<std::string>());
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

bool is_time(std::string text) {
  try {
    // "+0000" is how the service writes UTC.
    if (const std::size_t plus = text.find('+', 10); plus != std::string::npos)
      text = text.substr(0, plus) + "Z";
    parse_utc(text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

const std::vector<Field>& lead_fields() {
  static const std::vector<Field> fields = [] {
    std::vector<Field> all = {
        {.name = "id", .label = "Id", .type = "integer", .read_only = true, .searchable = true},
        {.name = "email", .label = "Email Address", .type = "email", .length = 255, .searchable = true},
        {.name = "firstName", .label = "First Name", .type = "string", .length = 255},
        {.name = "lastName", .label = "Last Name", .type = "string", .length = 255},
        {.name = "title", .label = "Job Title", .type = "string", .length = 255},
        {.name = "phone", .label = "Phone Number", .type = "phone", .length = 255},
        {.name = "city", .label = "City", .type = "string", .length = 255},
        {.name = "country", .label = "Country", .type = "string", .length = 255},
        {.name = "leadSource", .label = "Lead Source", .type = "string", .length = 255},
        {.name = "leadScore", .label = "Lead Score", .type = "score"},
        {.name = "leadStatus", .label = "Lead Status", .type = "string", .length = 255},
        {.name = "unsubscribed", .label = "Unsubscribed", .type = "boolean"},
        // These belong to the company of the lead and cannot be written here.
        {.name = "company", .label = "Company Name", .type = "string", .length = 255, .read_only = true},
        {.name = "industry", .label = "Industry", .type = "string", .length = 255, .read_only = true},
        {.name = "website", .label = "Website", .type = "url", .length = 255, .read_only = true},
        {.name = "createdAt", .label = "Created At", .type = "datetime", .read_only = true},
        {.name = "updatedAt", .label = "Updated At", .type = "datetime", .read_only = true},
        {.name = "externalId",
         .label = "External Id",
         .type = "string",
         .length = 255,
         .searchable = true,
         .custom = true},
        {.name = "lifetimeValue", .label = "Lifetime Value", .type = "currency", .custom = true},
        {.name = "propensity", .label = "Propensity", .type = "float", .custom = true},
        {.name = "customerHealth",
         .label = "Customer Health",
         .type = "string",
         .length = 255,
         .custom = true},
        {.name = "atRisk", .label = "At Risk", .type = "boolean", .custom = true},
        {.name = "plan", .label = "Plan", .type = "string", .length = 255, .custom = true},
        {.name = "lastSeenAt", .label = "Last Seen At", .type = "datetime", .custom = true},
        {.name = "notes", .label = "Notes", .type = "text", .length = 30000, .custom = true},
    };
    int id = 48;
    for (Field& field : all) field.id = id++;
    return all;
  }();
  return fields;
}

const Field* find_field(std::string_view name) {
  for (const Field& field : lead_fields())
    if (field.name == name) return &field;
  return nullptr;
}

Json describe_one(const Field& field) {
  Json out = {{"id", field.id},
              {"displayName", field.label},
              {"dataType", field.type},
              {"rest", {{"name", field.name}, {"readOnly", field.read_only}}},
              {"soap", {{"name", field.name}, {"readOnly", field.read_only}}}};
  if (field.length > 0) out["length"] = field.length;
  return out;
}

Json describe_all() {
  Json fields = Json::array(), searchable = Json::array();
  for (const Field& field : lead_fields()) {
    Json entry = {{"name", field.name},
                  {"displayName", field.label},
                  {"dataType", field.type},
                  {"updateable", !field.read_only},
                  {"crmManaged", false}};
    if (field.length > 0) entry["length"] = field.length;
    fields.push_back(std::move(entry));
    if (field.searchable) searchable.push_back(Json::array({field.name}));
  }
  return Json::array({{{"name", "API Lead"},
                       {"createdAt", "2026-01-01T00:00:00Z"},
                       {"updatedAt", "2026-01-01T00:00:00Z"},
                       {"searchableFields", searchable},
                       {"fields", fields}}});
}

bool convert(const Field& field, const Json& given, Json& value) {
  value = nullptr;
  if (given.is_structured()) return false;
  const std::string text = trim(text_of(given));
  if (given.is_null() || text.empty()) return true;
  const std::string& type = field.type;
  if (type == "boolean") {
    const std::string word = lower(text);
    value = word == "true" || word == "1" || word == "yes";
    return value.get<bool>() || word == "false" || word == "0" || word == "no";
  }
  if (type == "integer" || type == "score") {
    const auto number = number_in(given);
    if (!number || *number != std::floor(*number) || std::abs(*number) > 2'147'483'647.0) return false;
    value = static_cast<std::int64_t>(*number);
    return true;
  }
  if (type == "float" || type == "currency" || type == "percent") {
    const auto number = number_in(given);
    if (number) value = *number;
    return number.has_value();
  }
  value = text;
  if (type == "date") return text.size() == 10 && is_time(text);
  if (type == "datetime") return is_time(text);
  if (type == "email" && !looks_like_email(text)) return false;
  return field.length == 0 || characters(text) <= static_cast<std::size_t>(field.length);
}

}  // namespace eddy::sandbox::marketo
