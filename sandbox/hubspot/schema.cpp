#include "sandbox/hubspot/schema.h"

#include "core/text.h"

namespace eddy::sandbox::hubspot {
namespace {

Property text(std::string name, std::string label) {
  return {.name = std::move(name), .label = std::move(label)};
}
Property number(std::string name, std::string label) {
  return {.name = std::move(name), .label = std::move(label), .type = "number", .field_type = "number"};
}
Property select(std::string name, std::string label, const std::vector<std::string>& values) {
  Property property{
      .name = std::move(name), .label = std::move(label), .type = "enumeration", .field_type = "select"};
  for (const std::string& value : values) property.options.push_back({value, value});
  return property;
}
Property flag(std::string name, std::string label) {
  Property property{
      .name = std::move(name), .label = std::move(label), .type = "bool", .field_type = "booleancheckbox"};
  property.options = {{"True", "true"}, {"False", "false"}};
  return property;
}
Property moment(std::string name, std::string label, std::string type = "datetime") {
  return {.name = std::move(name), .label = std::move(label), .type = std::move(type), .field_type = "date"};
}
Property read_only(Property property) {
  property.read_only = true;
  return property;
}
Property unique(Property property) {
  property.unique = true;
  return property;
}
Property custom(Property property) {
  property.custom = true;
  return property;
}

std::vector<Property> scores() {
  return {custom(number("ltv", "Lifetime value")),
          custom(number("lead_score", "Lead score")),
          custom(number("propensity", "Propensity to buy")),
          custom(select("customer_health", "Customer health", {"healthy", "watch", "at_risk", "churned"})),
          custom(flag("at_risk", "At risk")),
          custom(text("plan", "Plan")),
          custom(moment("last_seen_at", "Last seen")),
          custom(unique(text("external_id", "External id")))};
}

std::vector<Property> own_properties(const std::string& type) {
  if (type == "contacts") {
    Property interests{
        .name = "interests", .label = "Interests", .type = "enumeration", .field_type = "checkbox"};
    interests.options = {{"Product", "product"}, {"Pricing", "pricing"}, {"Events", "events"}};
    interests.custom = true;
    return {text("email", "Email"),
            text("firstname", "First Name"),
            text("lastname", "Last Name"),
            text("phone", "Phone Number"),
            text("company", "Company Name"),
            text("jobtitle", "Job Title"),
            text("website", "Website URL"),
            text("city", "City"),
            text("country", "Country/Region"),
            select("lifecyclestage", "Lifecycle Stage",
                   {"subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity",
                    "customer", "evangelist", "other"}),
            select("hs_lead_status", "Lead Status",
                   {"NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT",
                    "CONNECTED", "BAD_TIMING"}),
            interests};
  }
  if (type == "companies")
    return {text("name", "Company name"),
            text("domain", "Company Domain Name"),
            text("phone", "Phone Number"),
            text("city", "City"),
            text("country", "Country/Region"),
            text("industry", "Industry"),
            number("annualrevenue", "Annual Revenue"),
            number("numberofemployees", "Number of Employees")};
  if (type == "deals")
    return {text("dealname", "Deal Name"), number("amount", "Amount"), moment("closedate", "Close Date"),
            text("pipeline", "Pipeline"),
            select("dealstage", "Deal Stage",
                   {"appointmentscheduled", "qualifiedtobuy", "closedwon", "closedlost"})};
  return {text("subject", "Ticket name"), text("content", "Ticket description"),
          text("hs_pipeline", "Pipeline"), select("hs_pipeline_stage", "Ticket status", {"1", "2", "3", "4"}),
          select("hs_ticket_priority", "Priority", {"LOW", "MEDIUM", "HIGH", "URGENT"})};
}

}  // namespace

const std::vector<ObjectType>& standard_types() {
  static const std::vector<ObjectType> types = {
      {"contacts",
       "CONTACT",
       "0-1",
       {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"},
       "lastmodifieddate"},
      {"companies",
       "COMPANY",
       "0-2",
       {"createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"},
       "hs_lastmodifieddate"},
      {"deals",
       "DEAL",
       "0-3",
       {"amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id",
        "pipeline"},
       "hs_lastmodifieddate"},
      {"tickets",
       "TICKET",
       "0-5",
       {"content", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_pipeline", "hs_pipeline_stage",
        "hs_ticket_priority", "subject"},
       "hs_lastmodifieddate"},
  };
  return types;
}

ObjectType example_type() {
  return {.name = "subscription",
          .singular = "Subscription",
          .id = "2-4242001",
          .default_properties = {"number"},
          .full_name = "p4242_subscription",
          .required = {"number"},
          .searchable = {"number", "plan"}};
}

std::vector<Property> example_properties() {
  std::vector<Property> all = {custom(unique(text("number", "Number"))), custom(text("plan", "Plan")),
                               custom(number("amount", "Amount")),
                               custom(select("state", "State", {"trial", "active", "cancelled"})),
                               custom(moment("started_on", "Started on", "date"))};
  for (Property& property : all) property.group = "subscription_information";
  return all;
}

Json pack(const ObjectType& type) {
  return {{"name", type.name},
          {"singular", type.singular},
          {"id", type.id},
          {"defaults", type.default_properties},
          {"full_name", type.full_name},
          {"required", type.required},
          {"searchable", type.searchable}};
}

ObjectType unpack_type(const Json& packed) {
  return {.name = packed["name"],
          .singular = packed["singular"],
          .id = packed["id"],
          .default_properties = packed["defaults"],
          .full_name = packed["full_name"],
          .required = packed["required"],
          .searchable = packed["searchable"]};
}

std::vector<Property> common_properties(const ObjectType& type) {
  std::vector<Property> all = {read_only(number("hs_object_id", "Record ID")),
                               read_only(moment("createdate", "Create Date")),
                               read_only(moment(type.modified, "Last Modified Date"))};
  for (Property& property : all) property.group = lower(type.singular) + "information";
  return all;
}

std::vector<Property> standard_properties(const ObjectType& type) {
  std::vector<Property> all = own_properties(type.name);
  std::ranges::move(scores(), std::back_inserter(all));
  for (Property& property : all) property.group = lower(type.singular) + "information";
  std::ranges::move(common_properties(type), std::back_inserter(all));
  return all;
}

Json property_json(const Property& property) {
  Json options = Json::array();
  int order = 0;
  for (const Option& option : property.options)
    options.push_back(
        {{"label", option.label}, {"value", option.value}, {"displayOrder", order++}, {"hidden", false}});
  return {{"name", property.name},
          {"label", property.label},
          {"type", property.type},
          {"fieldType", property.field_type},
          {"groupName", property.group},
          {"description", ""},
          {"options", options},
          {"displayOrder", -1},
          {"hasUniqueValue", property.unique},
          {"calculated", false},
          {"externalOptions", false},
          {"hidden", false},
          {"hubspotDefined", !property.custom},
          {"archived", false},
          {"formField", !property.read_only},
          {"dataSensitivity", "non_sensitive"},
          {"modificationMetadata",
           {{"archivable", property.custom},
            {"readOnlyDefinition", !property.custom},
            {"readOnlyOptions", !property.custom},
            {"readOnlyValue", property.read_only}}}};
}

Property property_from_json(const Json& body, std::string& problem) {
  Property property{.custom = true};
  const auto word = [&](const char* key) { return text_of(body.value(key, Json())); };
  property.name = word("name");
  property.label = word("label");
  property.type = word("type");
  property.field_type = word("fieldType");
  property.group = word("groupName");
  property.unique = body.value("hasUniqueValue", Json(false)) == Json(true);
  const Json options = body.value("options", Json::array());
  for (const Json& option : options.is_array() ? options : Json::array())
    if (option.is_object())
      property.options.push_back(
          {text_of(option.value("label", Json())), text_of(option.value("value", Json()))});
  const std::vector<std::string> types = {"string", "number",   "bool",        "enumeration",
                                          "date",   "datetime", "phone_number"};
  if (std::ranges::find(types, property.type) == types.end())
    problem = fmt::format("Invalid input: type `{}` is not one of {}", property.type, join(types, ", "));
  for (const auto& [key, value] : {std::pair{"groupName", property.group},
                                   {"fieldType", property.field_type},
                                   {"label", property.label},
                                   {"name", property.name}})
    if (value.empty()) problem = fmt::format("Some required fields were not set: [{}]", key);
  if (!std::ranges::all_of(
          property.name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }))
    problem = "Property names must be lower case letters, digits and underscores";
  if (property.type == "enumeration" && property.options.empty())
    problem = "Enumeration properties need options";
  return property;
}

Json pack(const Property& property) {
  Json packed = property_json(property);
  packed["custom"] = property.custom;
  return packed;
}

Property unpack(const Json& packed) {
  std::string ignored;
  Property property = property_from_json(packed, ignored);
  property.custom = packed.value("custom", true);
  property.read_only = packed["modificationMetadata"]["readOnlyValue"];
  return property;
}

}  // namespace eddy::sandbox::hubspot
