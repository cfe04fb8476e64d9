// Programs and their members: which lead has which status in which program, and the fields of a membership.
#include "core/text.h"
#include "sandbox/marketo/marketo.h"

namespace eddy::sandbox::marketo {
namespace {

constexpr std::size_t input_rows_max = 300;

// Of the channel every program here has; the last one is its success.
const std::vector<std::string>& statuses() {
  static const std::vector<std::string> names = {"Invited", "Registered", "No Show", "Attended"};
  return names;
}

struct MemberField {
  Field field;
  bool updateable = false, searchable = false;
};

const std::vector<MemberField>& member_fields() {
  static const std::vector<MemberField> fields = [] {
    const auto of = [](const char* name, const char* type, int length = 0) {
      return Field{.name = name, .label = name, .type = type, .length = length};
    };
    return std::vector<MemberField>{
        {of("acquiredBy", "boolean")},
        {of("attendanceLikelihood", "integer")},
        {of("createdAt", "datetime")},
        {of("isExhausted", "boolean")},
        {.field = of("leadId", "integer"), .searchable = true},
        {of("membershipDate", "datetime")},
        {of("nurtureCadence", "string", 255)},
        {of("program", "string", 255)},
        {of("programId", "integer")},
        {.field = of("reachedSuccess", "boolean"), .searchable = true},
        {of("reachedSuccessDate", "datetime")},
        {of("registrationLikelihood", "integer")},
        {.field = of("statusName", "string", 255), .searchable = true},
        {of("statusReason", "string", 255)},
        {of("updatedAt", "datetime")},
        {of("waitlistPriority", "integer")},
        {.field = of("registrationCode", "string", 100), .updateable = true},
        {.field = of("webinarUrl", "string", 2000), .updateable = true},
        {.field = of("pMCFPlan", "string", 255), .updateable = true, .searchable = true},
        {.field = of("pMCFSeats", "integer"), .updateable = true, .searchable = true},
    };
  }();
  return fields;
}

const MemberField* member_field(std::string_view name) {
  const auto at = std::ranges::find(member_fields(), name, [](const MemberField& f) { return f.field.name; });
  return at == member_fields().end() ? nullptr : &*at;
}

std::string time_text(Clock::WallTime time) {
  return format_utc(std::chrono::floor<std::chrono::seconds>(time));
}

Json skipped_row(Json row, const char* code, const std::string& message) {
  row["status"] = "skipped";
  row["reasons"] = Json::array({{{"code", code}, {"message", message}}});
  return row;
}

}  // namespace

void Marketo::add_default_programs() {
  store_.table("_programs").add("2001", {{"name", "Sandbox program"}}, now());
}

void Marketo::add_program_routes() {
  store_.declare("program_members", {{.field = "programId"}, {.field = "leadId"}});
  add_default_programs();
  on("GET", "/rest/v1/programs/members/describe.json", &Marketo::describe_members);
  on("GET", "/rest/v1/programs/{program}/members.json", &Marketo::members);
  on("POST", "/rest/v1/programs/{program}/members.json", &Marketo::change_members);
  on("POST", "/rest/v1/programs/{program}/members/status.json", &Marketo::set_member_status);
  on("POST", "/rest/v1/programs/{program}/members/delete.json", &Marketo::delete_members);
  on("POST", "/rest/v1/leads/programs/{program}/status.json", &Marketo::set_lead_status);
  on("GET", "/rest/v1/leads/programs/{program}", &Marketo::leads_of_program);
  on("GET", "/rest/asset/v1/programs.json", &Marketo::programs);
  on("GET", "/rest/asset/v1/program/byName.json", &Marketo::programs);
  on("GET", "/rest/asset/v1/program/{program}", &Marketo::programs);
  on("POST", "/bulk/v1/program/{program}/members/import.json", &Marketo::start_member_import);
  for (const auto& [file, endpoint] : {std::pair<std::string, Endpoint>{"status", &Marketo::poll_import},
                                       {"failures", &Marketo::import_failures},
                                       {"warnings", &Marketo::import_warnings}})
    router_.add("GET", "/bulk/v1/program/members/import/{batch}/" + file + ".json",
                [this, endpoint = endpoint](Call& call, Params params) {
                  params["custom"] = member_imports;
                  return (this->*endpoint)(call, params);
                });
}

Reply Marketo::no_such_program(const Params& params) {
  return failure("1013", fmt::format("Program '{}' not found", params.at("program")));
}

Record* Marketo::member_of(const std::string& program, const std::string& lead) {
  return store_.table("program_members").by_id(program + "-" + lead);
}

// created or updated.
std::string Marketo::set_status(const std::string& program, const std::string& lead,
                                const std::string& status) {
  Table& table = store_.table("program_members");
  const bool success = status == statuses().back();
  Json fields = {{"statusName", status}, {"reachedSuccess", success}};
  if (success) fields["reachedSuccessDate"] = time_text(now());
  if (Record* known = member_of(program, lead)) {
    table.change(*known, fields, now());
    return "updated";
  }
  fields.update({{"programId", std::atoll(program.c_str())},
                 {"leadId", std::atoll(lead.c_str())},
                 {"membershipDate", time_text(now())},
                 {"acquiredBy", false},
                 {"isExhausted", false}});
  table.add(program + "-" + lead, fields, now());
  return "created";
}

// What is wrong with the values of a row; "" when they are taken. Lead columns of an import are not its.
std::string Marketo::take_member_fields(const Json& row, Json& values) {
  for (const auto& [name, given] : row.items()) {
    if (name == "leadId" || name == "seq") continue;
    const MemberField* known = member_field(name);
    if (known == nullptr) return fmt::format("Field '{}' not found", name);
    if (!known->updateable) return fmt::format("Field '{}' is not updateable", name);
    if (!convert(known->field, given, values[name]))
      return fmt::format("Invalid value '{}'. Required of type '{}'", text_of(given), known->field.type);
  }
  return {};
}

// A call with rows: `each` gets the row, its lead's id, and the entry of the answer, which it returns whole.
Reply Marketo::member_rows(Call& call, const Params& params, const char* id_name,
                           const std::function<Json(const Json&, const std::string&, Json)>& each) {
  call.effect.write = true;
  if (store_.table("_programs").by_id(params.at("program")) == nullptr) return no_such_program(params);
  const auto body = parse_json(call.request.body);
  const Json input = body && body->is_object() ? body->value("input", Json()) : Json();
  if (!input.is_array() || input.empty())
    return failure("1002", "Missing value for required parameter 'input'");
  if (input.size() > input_rows_max) return failure("1003", "Too many records, the maximum is 300");
  Json results = Json::array();
  for (std::size_t i = 0; i < input.size(); ++i) {
    const std::string lead = input[i].is_object() ? text_of(input[i].value(id_name, Json())) : "";
    Json row = {{id_name, std::atoll(lead.c_str())}};
    if (std::string_view{id_name} == "leadId") row["seq"] = i;
    row = lead.empty() ? skipped_row(row, "1002", fmt::format("Missing value for '{}'", id_name))
          : store_.table("leads").by_id(lead) == nullptr ? skipped_row(row, "1004", "Lead not found")
                                                         : each(input[i], lead, row);
    ++call.effect.rows;
    call.effect.keys.push_back(lead);
    ++(row["status"] == "skipped"   ? call.effect.rejected
       : row["status"] == "deleted" ? call.effect.deleted
       : row["status"] == "created" ? call.effect.created
                                    : call.effect.updated);
    results.push_back(std::move(row));
  }
  call.effect.applied = call.effect.rejected < call.effect.rows;
  return success(results);
}

Reply Marketo::set_members(Call& call, const Params& params, const char* id_name, const char* status_name) {
  const auto body = parse_json(call.request.body);
  const std::string status = body && body->is_object() ? text_of(body->value(status_name, Json())) : "";
  call.effect.write = true;
  if (status.empty())
    return failure("1002", fmt::format("Missing value for required parameter '{}'", status_name));
  if (std::ranges::find(statuses(), status) == statuses().end())
    return failure("1003", fmt::format("Invalid value '{}' for parameter '{}'", status, status_name));
  return member_rows(call, params, id_name, [&](const Json&, const std::string& lead, Json row) {
    row["status"] = set_status(params.at("program"), lead, status);
    return row;
  });
}

Reply Marketo::set_member_status(Call& call, const Params& params) {
  return set_members(call, params, "leadId", "statusName");
}

// The older call.
Reply Marketo::set_lead_status(Call& call, const Params& params) {
  return set_members(call, params, "id", "status");
}

Reply Marketo::change_members(Call& call, const Params& params) {
  return member_rows(call, params, "leadId", [&](const Json& given, const std::string& lead, Json row) {
    Record* member = member_of(params.at("program"), lead);
    if (member == nullptr) return skipped_row(row, "1013", "Member not found");
    Json values = Json::object();
    if (const std::string wrong = take_member_fields(given, values); !wrong.empty())
      return skipped_row(row, wrong.starts_with("Field") ? "1006" : "1001", wrong);
    store_.table("program_members").change(*member, values, now());
    row["status"] = "updated";
    return row;
  });
}

Reply Marketo::delete_members(Call& call, const Params& params) {
  return member_rows(call, params, "leadId", [&](const Json&, const std::string& lead, Json row) {
    if (!store_.table("program_members").remove(params.at("program") + "-" + lead))
      return skipped_row(row, "1013", "Member not found");
    row["status"] = "deleted";
    return row;
  });
}

Json Marketo::member_json(const Record& member, const std::vector<std::string>& names) {
  Json out = Json::object();
  for (const std::string& name : names) {
    if (name == "createdAt" || name == "updatedAt")
      out[name] = time_text(name == "createdAt" ? member.created : member.updated);
    else if (name == "program")
      out[name] = store_.table("_programs").by_id(text_of(member.fields["programId"]))->fields["name"];
    else
      out[name] = member.fields.value(name, Json());
  }
  return out;
}

Reply Marketo::members(Call& call, const Params& params) {
  const std::string& program = params.at("program");
  if (store_.table("_programs").by_id(program) == nullptr) return no_such_program(params);
  const std::string filter = form_or_query(call.request, "filterType").value_or("");
  const MemberField* field = member_field(filter);
  if (field == nullptr || !(field->searchable || filter == "updatedAt"))
    return failure("1003", fmt::format("Invalid filterType '{}'", filter));
  const auto wanted = split(form_or_query(call.request, "filterValues").value_or(""), ',');
  if (filter != "updatedAt" && (wanted.front().empty() || wanted.size() > input_rows_max))
    return failure("1003", "filterValues has between 1 and 300 values");
  const auto from = form_or_query(call.request, "startAt").value_or(""),
             to = form_or_query(call.request, "endAt").value_or("9999");
  std::vector<const Record*> found;
  for (const Record* member : store_.table("program_members").find("programId", program)) {
    const std::string value = text_of(member_json(*member, {filter})[filter]);
    if (filter == "updatedAt" ? value >= from && value <= to
                              : std::ranges::find(wanted, value) != wanted.end())
      found.push_back(member);
  }
  std::vector<std::string> names = {"leadId", "reachedSuccess", "programId", "acquiredBy", "membershipDate"};
  if (form_or_query(call.request, "fields"))
    for (const std::string& name : asked_fields(call))
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  std::size_t seq = 0;
  return page_of(call, found.size(), [&](std::size_t i) {
    Json out = member_json(*found[i], names);
    out["seq"] = seq++;
    return out;
  });
}

// The leads of a program, each with its membership.
Reply Marketo::leads_of_program(Call& call, const Params& params) {
  if (store_.table("_programs").by_id(params.at("program")) == nullptr) return no_such_program(params);
  const auto found = store_.table("program_members").find("programId", params.at("program"));
  const std::vector<std::string> fields = asked_fields(call);
  return page_of(call, found.size(), [&](std::size_t i) {
    const Json& member = found[i]->fields;
    const Record* lead = store_.table("leads").by_id(text_of(member["leadId"]));
    Json out = lead == nullptr ? Json{{"id", member["leadId"]}} : lead_json(*lead, fields);
    out["membership"] = {{"id", member["leadId"]},
                         {"membershipDate", member["membershipDate"]},
                         {"progressionStatus", member["statusName"]},
                         {"isExhausted", member["isExhausted"]},
                         {"acquiredBy", member["acquiredBy"]},
                         {"reachedSuccess", member["reachedSuccess"]}};
    return out;
  });
}

Reply Marketo::describe_members(Call&, const Params&) {
  Json searchable = Json::array(), fields = Json::array();
  for (const auto& [field, updateable, can_be_searched] : member_fields()) {
    if (can_be_searched) searchable.push_back({field.name});
    Json one = {{"name", field.name},
                {"displayName", field.label},
                {"dataType", field.type},
                {"updateable", updateable},
                {"crmManaged", false}};
    if (field.length > 0) one["length"] = field.length;
    fields.push_back(std::move(one));
  }
  return success(Json::array({{{"name", "API Program Membership"},
                               {"description", "Map for API program membership fields"},
                               {"createdAt", "2026-01-01T00:00:00Z"},
                               {"updatedAt", "2026-01-01T00:00:00Z"},
                               {"dedupeFields", {"leadId", "programId"}},
                               {"searchableFields", searchable},
                               {"fields", fields}}}));
}

Reply Marketo::programs(Call& call, const Params& params) {
  const auto id = params.find("program");
  const auto name = call.request.query_value("name");
  std::vector<const Record*> found;
  for (const auto& [place, program] : store_.table("_programs").records())
    if ((id == params.end() || program.id == id->second) && (!name || program.fields["name"] == *name))
      found.push_back(&program);
  if (found.empty())
    return json_reply(200, {{"success", true},
                            {"requestId", request_id()},
                            {"errors", Json::array()},
                            {"warnings", {"No assets found for the given search criteria."}}});
  return page_of(call, found.size(), [&](std::size_t i) {
    return Json{{"id", std::atoll(found[i]->id.c_str())},
                {"name", found[i]->fields["name"]},
                {"description", ""},
                {"type", "Event"},
                {"channel", "Webinar"},
                {"status", "unlocked"},
                {"workspace", "Default"},
                {"createdAt", time_text(found[i]->created)},
                {"updatedAt", time_text(found[i]->updated)},
                {"folder", {{"type", "Folder"}, {"value", 1}, {"folderName", "Marketing Programs"}}}};
  });
}

// A row is a lead and its membership: columns of both.
Reply Marketo::start_member_import(Call& call, const Params& params) {
  call.effect.write = true;
  const std::string program = params.at("program");
  if (store_.table("_programs").by_id(program) == nullptr) return no_such_program(params);
  const std::string status = call.request.query_value("programMemberStatus").value_or("");
  if (std::ranges::find(statuses(), status) == statuses().end())
    return failure("1003", fmt::format("Invalid value '{}' for parameter 'programMemberStatus'", status));
  Import import{.object = member_imports};
  char separator = ',';
  Reply refusal;
  const auto file = file_to_import(call, separator, import, refusal);
  if (!file) return refusal;
  run_import(
      call, import, *file, separator, {"email"},
      [](const std::string& column) {
        const MemberField* field = member_field(column);
        return find_field(column) != nullptr || (field != nullptr && field->updateable);
      },
      [&](const Json& row) {
        Json lead = Json::object(), of_member = Json::object(), values = Json::object();
        for (const auto& [name, value] : row.items())
          (find_field(name) != nullptr ? lead : of_member)[name] = value;
        if (const std::string wrong = take_member_fields(of_member, values); !wrong.empty())
          return LeadResult{.status = "skipped", .reasons = {{"1001", wrong}}};
        LeadResult result = write_lead(lead, "createOrUpdate", "email");
        if (result.id.empty()) return result;
        set_status(program, result.id, status);
        store_.table("program_members").change(*member_of(program, result.id), values, now());
        return result;
      });
  imports_[import.id] = import;
  return success(
      Json::array({{{"batchId", import.id}, {"importId", std::to_string(import.id)}, {"status", "Queued"}}}));
}

}  // namespace eddy::sandbox::marketo
