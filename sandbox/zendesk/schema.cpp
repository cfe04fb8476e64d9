#include "sandbox/zendesk/schema.h"

#include <charconv>
#include <cmath>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::sandbox::zendesk {

const std::vector<CustomField>& person_fields() {
  static const std::vector<CustomField> fields = {
      {7001, "ltv", "Lifetime value", "decimal"},
      {7002, "lead_score", "Lead score", "integer"},
      {7003, "propensity", "Propensity", "decimal"},
      {7004, "customer_health", "Customer health", "dropdown", {"healthy", "watch", "at_risk", "churned"}},
      {7005, "at_risk", "At risk", "checkbox"},
      {7006, "plan", "Plan", "text"},
      {7007, "last_seen", "Last seen", "date"},
  };
  return fields;
}

const std::vector<CustomField>& ticket_fields() {
  static const std::vector<CustomField> fields = {
      {8001, "order_number", "Order number", "text"},
      {8002, "order_value", "Order value", "decimal"},
      {8003, "churn_risk", "Churn risk", "tagger", {"low", "medium", "high"}},
      {8004, "is_renewal", "Renewal", "checkbox"},
  };
  return fields;
}

const CustomField* find_ticket_field(std::int64_t id) {
  for (const CustomField& field : ticket_fields())
    if (field.id == id) return &field;
  return nullptr;
}

std::vector<Json> system_ticket_fields(const std::string& base_url) {
  std::vector<Json> fields;
  std::int64_t id = 7900;
  for (const char* type :
       {"subject", "description", "status", "tickettype", "priority", "group", "assignee"}) {
    fields.push_back(custom_field_json({++id, type, type, type}, base_url, "ticket_fields"));
    fields.back()["removable"] = false;
    fields.back().erase("key");
  }
  return fields;
}

const CustomField* find_custom_field(std::string_view key) {
  for (const CustomField& field : person_fields())
    if (field.key == key) return &field;
  return nullptr;
}

Json custom_field_json(const CustomField& field, const std::string& base_url, const std::string& collection) {
  Json out = {{"id", field.id},
              {"url", fmt::format("{}/api/v2/{}/{}.json", base_url, collection, field.id)},
              {"key", field.key},
              {"type", field.type},
              {"title", field.title},
              {"raw_title", field.title},
              {"description", ""},
              {"position", field.id % 100},
              {"active", true},
              {"system", false},
              {"regexp_for_validation", nullptr},
              {"created_at", "2026-01-01T00:00:00Z"},
              {"updated_at", "2026-01-01T00:00:00Z"}};
  if (collection == "ticket_fields") {
    out.erase("key");
    out["removable"] = true;
    out["required"] = false;
  }
  if (field.options.empty()) return out;
  Json& options = out["custom_field_options"] = Json::array();
  std::int64_t id = field.id * 100;
  for (const std::string& option : field.options)
    options.push_back({{"id", id++}, {"name", option}, {"raw_name", option}, {"value", option}});
  return out;
}

std::string convert(const CustomField& field, const Json& given, Json& value) {
  value = nullptr;
  const std::string text = trim(text_of(given));
  if (given.is_structured()) return field.title + ": is invalid";
  if (given.is_null() || text.empty()) return {};
  if (field.type == "checkbox") {
    const std::string word = lower(text);
    value = word == "true" || word == "1" || word == "yes";
    return value.get<bool>() || word == "false" || word == "0" || word == "no" ? ""
                                                                               : field.title + ": is invalid";
  }
  if (field.type == "integer" || field.type == "decimal") {
    double number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
      return field.title + ": is not a number";
    if (field.type == "integer" && number != std::floor(number)) return field.title + ": must be an integer";
    if (field.type == "integer")
      value = static_cast<std::int64_t>(number);
    else
      value = number;
    return {};
  }
  value = text;
  if (!field.options.empty() && std::ranges::find(field.options, text) == field.options.end())
    return fmt::format("{}: {} is not a valid option", field.title, text);
  if (field.type == "date") {
    try {
      const std::string day = text.substr(0, 10);
      parse_utc(day);
      value = day + "T00:00:00+00:00";
    } catch (const Error&) {
      return field.title + ": is not a valid date";
    }
  }
  return {};
}

}  // namespace eddy::sandbox::zendesk
