// What makes a user, an organization or a ticket valid, and how a row finds the record it belongs to.
#include "core/text.h"
#include "sandbox/zendesk/zendesk.h"

namespace eddy::sandbox::zendesk {
namespace {

void refuse(Json& details, const std::string& field, const std::string& description,
            const std::string& error) {
  details[field].push_back({{"description", description}, {"error", error}});
}

std::string text_in(const Json& item, const char* name) {
  return item.is_object() ? trim(text_of(item.value(name, Json()))) : std::string{};
}

const std::set<std::string> user_attributes = {
    "name",    "email", "phone",           "external_id", "role",   "verified", "suspended", "notes",
    "details", "tags",  "organization_id", "time_zone",   "locale", "alias",    "signature"};
const std::set<std::string> organization_attributes = {"name",     "external_id",    "domain_names",
                                                       "details",  "notes",          "tags",
                                                       "group_id", "shared_tickets", "shared_comments"};
const std::set<std::string> ticket_attributes = {
    "subject",      "description",  "external_id", "status",          "priority", "type",         "tags",
    "requester_id", "submitter_id", "assignee_id", "organization_id", "group_id", "custom_fields"};

}  // namespace

std::string Zendesk::key_of(const Json& item) {
  for (const char* name : {"external_id", "email", "id", "name"})
    if (const std::string key = text_in(item, name); !key.empty()) return key;
  return {};
}

void Zendesk::count(Effect& effect, const Outcome& outcome) {
  if (outcome.record == nullptr)
    ++effect.rejected;
  else
    ++(outcome.created ? effect.created : effect.updated);
  effect.applied |= outcome.record != nullptr;
}

// Users by external id (any case) or e-mail; organizations by id or external id, never by name.
Record* Zendesk::match(const std::string& object, const Json& given) {
  Table& table = store_.table(object);
  if (const std::string id = text_in(given, "id"); !id.empty()) return table.by_id(id);
  if (const std::string external = text_in(given, "external_id"); !external.empty())
    if (Record* record = table.first("external_id", external)) return record;
  if (const std::string email = text_in(given, "email"); object == "users" && !email.empty())
    return table.first("email", email);
  return nullptr;
}

void Zendesk::check_person(const std::string& object, const Json& given, const Record* target, Json& values,
                           Json& details) {
  const bool users = object == "users";
  Table& table = store_.table(object);
  for (const auto& [name, value] : given.items())
    if ((users ? user_attributes : organization_attributes).contains(name)) values[name] = value;
  if ((target == nullptr || given.contains("name")) && text_in(given, "name").empty())
    refuse(details, "name", "Name: cannot be blank", "BlankValue");
  if (users && given.contains("email") && !given["email"].is_null()) {
    const std::string email = lower(text_in(given, "email"));
    values["email"] = email;
    const Record* holder = email.empty() ? nullptr : table.first("email", email);
    if (!looks_like_email(email))
      refuse(details, "email", fmt::format("Email: {} is not properly formatted", email), "InvalidFormat");
    else if (holder != nullptr && holder != target)
      refuse(details, "email", fmt::format("Email: {} is already being used by another user", email),
             "DuplicateValue");
  }
  if (!users && given.contains("name")) {
    const Record* holder = table.first("name", text_in(given, "name"));
    if (holder != nullptr && holder != target)
      refuse(details, "name", fmt::format("Name: {} has already been taken", text_in(given, "name")),
             "DuplicateValue");
  }
  if (given.contains("external_id") && !given["external_id"].is_null()) {
    values["external_id"] = text_in(given, "external_id");
    const Record* holder = table.first("external_id", text_in(given, "external_id"));
    if (holder != nullptr && holder != target)
      refuse(details, "external_id",
             fmt::format("External: {} has already been taken", text_in(given, "external_id")),
             "DuplicateValue");
  }
  if (const std::string role = text_in(given, "role");
      users && !role.empty() && role != "end-user" && role != "agent" && role != "admin")
    refuse(details, "role", fmt::format("Role: {} is not valid", role), "InvalidValue");
  if (const std::string organization = text_in(given, "organization_id");
      users && !organization.empty() && store_.table("organizations").by_id(organization) == nullptr)
    refuse(details, "organization_id", "Organization: is invalid", "InvalidValue");

  const char* custom = users ? "user_fields" : "organization_fields";
  const Json fields = given.value(custom, Json::object());
  if (!fields.is_object())
    return refuse(details, custom, fmt::format("{}: is invalid", custom), "InvalidValue");
  if (!given.contains(custom)) return;
  Json merged = target != nullptr ? target->fields.value(custom, Json::object()) : Json::object();
  for (const auto& [key, value] : fields.items()) {
    const CustomField* field = find_custom_field(key);
    if (field == nullptr) continue;  // keys that do not exist are passed over without a word
    if (const std::string wrong = convert(*field, value, merged[key]); !wrong.empty())
      refuse(details, key, wrong, "InvalidValue");
    if (merged[key].is_null()) merged.erase(key);
  }
  values[custom] = merged;
}

void Zendesk::check_ticket(const Json& given, const Record* target, Json& values, Json& details) {
  for (const auto& [name, value] : given.items())
    if (ticket_attributes.contains(name)) values[name] = value;
  Json comment = given.value("comment", Json::object());
  if (comment.is_string()) comment = {{"body", comment}};
  // Imports bring several.
  if (const Json several = given.value("comments", Json()); several.is_array() && !several.empty())
    comment = several[0].contains("value") ? Json{{"body", several[0]["value"]}} : several[0];
  if (given.contains("custom_fields")) check_ticket_fields(given["custom_fields"], target, values, details);
  const std::string text =
      text_in(comment, "body").empty() ? text_in(comment, "html_body") : text_in(comment, "body");
  if (target == nullptr) {
    if (text.empty() && text_in(given, "description").empty())
      refuse(details, "base", "Description: cannot be blank", "BlankValue");
    if (!text.empty()) values["description"] = text;
  }
  const auto one_of = [&](const char* name, const std::set<std::string>& allowed) {
    const std::string value = text_in(given, name);
    if (!value.empty() && !allowed.contains(value))
      refuse(details, name, fmt::format("{} is not included in the list", value), "InvalidValue");
  };
  one_of("status", {"new", "open", "pending", "hold", "solved", "closed"});
  one_of("priority", {"urgent", "high", "normal", "low"});
  one_of("type", {"problem", "incident", "question", "task"});
  if (const std::string requester = text_in(given, "requester_id");
      !requester.empty() && store_.table("users").by_id(requester) == nullptr)
    refuse(details, "requester", "Requester: is invalid", "InvalidValue");
  if (target != nullptr && target->fields.value("status", "") == "closed")
    refuse(details, "status", "Status: closed prevents ticket update", "InvalidValue");
}

// [{id, value}]; ids that do not exist are passed over without a word.
void Zendesk::check_ticket_fields(const Json& given, const Record* target, Json& values, Json& details) {
  Json kept = target != nullptr ? target->fields.value("custom_fields", Json::array()) : Json::array();
  for (const Json& one : given.is_array() ? given : Json::array()) {
    const CustomField* field =
        one.is_object() ? find_ticket_field(std::atoll(text_of(one.value("id", Json())).c_str())) : nullptr;
    if (field == nullptr) continue;
    Json value;
    if (const std::string wrong = convert(*field, one.value("value", Json()), value); !wrong.empty())
      refuse(details, "custom_fields", wrong, "InvalidValue");
    std::erase_if(kept.get_ref<Json::array_t&>(), [&](const Json& old) { return old["id"] == field->id; });
    if (!value.is_null()) kept.push_back({{"id", field->id}, {"value", value}});
  }
  values["custom_fields"] = kept;
}

// `target` is the record to update; create_or_update looks for it itself.
Outcome Zendesk::write(const std::string& object, const Json& given, Write how, Record* target) {
  if (!given.is_object()) {
    Outcome outcome{.error = "RecordInvalid"};
    refuse(outcome.details, "base", singular(object) + ": is not an object", "InvalidValue");
    return outcome;
  }
  if (how == Write::create_or_update) target = match(object, given);
  if (how == Write::update && target == nullptr) return {.error = "RecordNotFound"};
  Outcome outcome;
  Json values = Json::object();
  if (object == "tickets")
    check_ticket(given, target, values, outcome.details);
  else
    check_person(object, given, target, values, outcome.details);
  if (!outcome.details.empty()) {
    outcome.error = "RecordInvalid";
    return outcome;
  }
  Table& table = store_.table(object);
  outcome.created = target == nullptr;
  if (outcome.created)
    target = &table.add(std::to_string(10'000 + store_.next_number()), values, now());
  else
    table.change(*target, values, now());
  outcome.record = target;
  if (object == "tickets") keep_comment(*target, given);
  return outcome;
}

// Limits of their own for single records; a fault, because tests write quickly.
bool Zendesk::written_too_often(const std::string& object, const Record& record) {
  if (!fault_on("row_rate") || object == "organizations") return false;
  const bool user = object == "users";
  const std::size_t most = user ? 5 : 30;
  const auto window = user ? std::chrono::minutes{1} : std::chrono::minutes{10};
  auto& times = recent_writes_[object + record.id];
  while (!times.empty() && clock_.monotonic() - times.front() >= window) times.pop_front();
  if (times.size() >= most) return true;
  times.push_back(clock_.monotonic());
  return false;
}

Json Zendesk::record_json(const std::string& object, const Record& record) const {
  Json out = record.fields;
  out["id"] = std::atoll(record.id.c_str());
  out["url"] = fmt::format("{}/api/v2/{}/{}.json", base_url_, object, record.id);
  out["created_at"] = format_utc(std::chrono::floor<std::chrono::seconds>(record.created));
  out["updated_at"] = format_utc(std::chrono::floor<std::chrono::seconds>(record.updated));
  const auto otherwise = [&](const char* name, Json value) {
    if (!out.contains(name)) out[name] = std::move(value);
  };
  otherwise("external_id", nullptr);
  otherwise("tags", Json::array());
  if (object == "tickets") {
    for (const char* name :
         {"subject", "description", "priority", "type", "requester_id", "assignee_id", "organization_id"})
      otherwise(name, nullptr);
    otherwise("status", "new");
    Json fields = Json::array();
    const Json kept = out.value("custom_fields", Json::array());
    for (const CustomField& field : ticket_fields()) {
      Json value = field.type == "checkbox" ? Json(false) : Json(nullptr);
      for (const Json& one : kept)
        if (one["id"] == field.id) value = one["value"];
      fields.push_back({{"id", field.id}, {"value", value}});
    }
    out["custom_fields"] = out["fields"] = fields;
    return out;
  }
  const bool users = object == "users";
  const char* custom = users ? "user_fields" : "organization_fields";
  Json fields = Json::object();
  for (const CustomField& field : person_fields())
    fields[field.key] = field.type == "checkbox" ? Json(false) : Json(nullptr);
  fields.update(out.value(custom, Json::object()));
  out[custom] = fields;
  for (const char* name : {"name", "details", "notes"}) otherwise(name, nullptr);
  if (!users) {
    otherwise("domain_names", Json::array());
    return out;
  }
  for (const char* name : {"email", "phone", "organization_id", "alias", "signature"})
    otherwise(name, nullptr);
  otherwise("role", "end-user");
  otherwise("verified", false);
  otherwise("suspended", false);
  otherwise("active", true);
  otherwise("locale", "en-US");
  otherwise("time_zone", "Etc/UTC");
  return out;
}

}  // namespace eddy::sandbox::zendesk
