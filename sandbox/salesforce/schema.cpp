#include "sandbox/salesforce/schema.h"

#include "core/text.h"

namespace eddy::sandbox::salesforce {
namespace {

Field text(std::string name, std::string label, int length, std::string type = "string") {
  return {.name = std::move(name), .label = std::move(label), .type = std::move(type), .length = length};
}
Field number(std::string name, std::string label, int precision, int scale, std::string type = "double") {
  return {.name = std::move(name),
          .label = std::move(label),
          .type = std::move(type),
          .precision = precision,
          .scale = scale};
}
Field flag(std::string name, std::string label) {
  return {.name = std::move(name), .label = std::move(label), .type = "boolean", .nillable = false};
}
Field choice(std::string name, std::string label, std::vector<std::string> options, bool restricted) {
  Field field = text(std::move(name), std::move(label), 255, "picklist");
  field.options = std::move(options);
  field.restricted = restricted;
  return field;
}
Field reference(std::string name, std::string label, std::string object, std::string relationship) {
  Field field = text(std::move(name), std::move(label), 18, "reference");
  field.reference_to = std::move(object);
  field.relationship = std::move(relationship);
  return field;
}
Field required(Field field) {
  field.nillable = false;
  return field;
}
Field read_only(Field field) {
  field.writable = false;
  return field;
}
Field unique(Field field) {
  field.external_id = field.id_lookup = field.unique = true;
  return field;
}
Field external_id() {
  Field field = text("External_Id__c", "External Id", 64);
  field.external_id = field.id_lookup = true;
  return field;
}
Field email_key() {
  Field field = text("Email", "Email", 80, "email");
  field.id_lookup = true;
  return field;
}

std::vector<Field> with_common(std::vector<Field> own) {
  Field id = read_only(required(text("Id", "Record ID", 18, "id")));
  id.id_lookup = true;
  std::vector<Field> fields = {id, read_only(flag("IsDeleted", "Deleted"))};
  std::ranges::move(own, std::back_inserter(fields));
  for (Field& field : std::vector<Field>{
           external_id(), number("Lifetime_Value__c", "Lifetime Value", 18, 2),
           number("Lead_Score__c", "Lead Score", 18, 0), number("Propensity__c", "Propensity", 5, 4),
           choice("Health__c", "Health", {"healthy", "watch", "at_risk", "churned"}, true),
           flag("At_Risk__c", "At Risk"), text("Plan__c", "Plan", 40),
           text("Last_Seen__c", "Last Seen", 0, "datetime"),
           read_only(required(text("CreatedDate", "Created Date", 0, "datetime"))),
           read_only(required(text("LastModifiedDate", "Last Modified Date", 0, "datetime"))),
           read_only(required(text("SystemModstamp", "System Modstamp", 0, "datetime")))})
    fields.push_back(std::move(field));
  return fields;
}

std::vector<Object> make_objects() {
  const std::vector<std::string> sources = {"Web", "Phone Inquiry", "Partner Referral", "Purchased List",
                                            "Other"};
  return {
      {"Account", "Account", "Accounts", "001",
       with_common({required(text("Name", "Account Name", 255)),
                    choice("Type", "Account Type", {"Prospect", "Customer - Direct", "Other"}, false),
                    text("Phone", "Account Phone", 40, "phone"), text("Website", "Website", 255, "url"),
                    choice("Industry", "Industry", {"Technology", "Retail", "Finance", "Other"}, false),
                    number("AnnualRevenue", "Annual Revenue", 18, 0, "currency"),
                    number("NumberOfEmployees", "Employees", 8, 0, "int"),
                    text("BillingCity", "Billing City", 40), text("BillingCountry", "Billing Country", 80),
                    text("Description", "Account Description", 32000, "textarea"),
                    reference("ParentId", "Parent Account ID", "Account", "Parent")})},
      {"Contact", "Contact", "Contacts", "003",
       with_common({reference("AccountId", "Account ID", "Account", "Account"),
                    required(text("LastName", "Last Name", 80)),
                    text("FirstName", "First Name", 40),
                    choice("Salutation", "Salutation", {"Mr.", "Ms.", "Mx.", "Dr."}, false),
                    read_only(required(text("Name", "Full Name", 121))),
                    text("MailingStreet", "Mailing Street", 255, "textarea"),
                    text("MailingCity", "Mailing City", 40),
                    text("MailingState", "Mailing State/Province", 80),
                    text("MailingPostalCode", "Mailing Zip/Postal Code", 20),
                    text("MailingCountry", "Mailing Country", 80),
                    text("Phone", "Business Phone", 40, "phone"),
                    text("MobilePhone", "Mobile Phone", 40, "phone"),
                    email_key(),
                    text("Title", "Title", 128),
                    text("Department", "Department", 80),
                    choice("LeadSource", "Lead Source", sources, false),
                    text("Birthdate", "Birthdate", 0, "date"),
                    text("Description", "Contact Description", 32000, "textarea"),
                    flag("HasOptedOutOfEmail", "Email Opt Out"),
                    flag("DoNotCall", "Do Not Call")})},
      {"Lead", "Lead", "Leads", "00Q",
       with_common({required(text("LastName", "Last Name", 80)), text("FirstName", "First Name", 40),
                    read_only(required(text("Name", "Full Name", 121))),
                    required(text("Company", "Company", 255)), text("Title", "Title", 128), email_key(),
                    text("Phone", "Phone", 40, "phone"), text("Website", "Website", 255, "url"),
                    text("City", "City", 40), text("Country", "Country", 80),
                    choice("Status", "Status",
                           {"Open - Not Contacted", "Working - Contacted", "Closed - Converted",
                            "Closed - Not Converted"},
                           false),
                    choice("LeadSource", "Lead Source", sources, false),
                    choice("Rating", "Rating", {"Hot", "Warm", "Cold"}, false),
                    read_only(flag("IsConverted", "Converted"))})},
      {"Opportunity", "Opportunity", "Opportunities", "006",
       with_common(
           {required(text("Name", "Name", 120)), reference("AccountId", "Account ID", "Account", "Account"),
            required(
                choice("StageName", "Stage",
                       {"Prospecting", "Qualification", "Proposal/Price Quote", "Closed Won", "Closed Lost"},
                       false)),
            required(text("CloseDate", "Close Date", 0, "date")),
            number("Amount", "Amount", 18, 2, "currency"),
            number("Probability", "Probability (%)", 3, 0, "percent"),
            choice("Type", "Opportunity Type", {"New Customer", "Existing Customer - Upgrade"}, false),
            choice("LeadSource", "Lead Source", sources, false),
            text("Description", "Description", 32000, "textarea")})},
      {"Campaign", "Campaign", "Campaigns", "701",
       with_common({required(text("Name", "Name", 80)), flag("IsActive", "Active"),
                    choice("Status", "Status", {"Planned", "In Progress", "Completed", "Aborted"}, false),
                    text("StartDate", "Start Date", 0, "date"), text("EndDate", "End Date", 0, "date")})},
      {"CampaignMember", "Campaign Member", "Campaign Members", "00v",
       with_common({required(reference("CampaignId", "Campaign ID", "Campaign", "Campaign")),
                    reference("ContactId", "Contact ID", "Contact", "Contact"),
                    reference("LeadId", "Lead ID", "Lead", "Lead"),
                    choice("Status", "Status", {"Sent", "Responded"}, false)})},
      // What a company adds itself: a number of its own that is unique, and a parent.
      {"Subscription__c", "Subscription", "Subscriptions", "a01",
       with_common({required(text("Name", "Subscription Name", 80)), unique(text("Number__c", "Number", 40)),
                    reference("Account__c", "Account", "Account", "Account__r"),
                    reference("Contact__c", "Contact", "Contact", "Contact__r"),
                    number("Amount__c", "Amount", 16, 2, "currency"),
                    text("Starts_On__c", "Starts On", 0, "date"),
                    choice("Status__c", "Status", {"trial", "active", "cancelled"}, true)})},
      {"Organization",
       "Organization",
       "Organizations",
       "00D",
       {read_only(required(text("Id", "Organization ID", 18, "id"))), read_only(text("Name", "Name", 80)),
        read_only(flag("IsSandbox", "Is Sandbox")), read_only(text("InstanceName", "Instance Name", 5)),
        read_only(required(text("CreatedDate", "Created Date", 0, "datetime"))),
        read_only(required(text("LastModifiedDate", "Last Modified Date", 0, "datetime"))),
        read_only(required(text("SystemModstamp", "System Modstamp", 0, "datetime")))}},
  };
}

std::string soap_type(const Field& field) {
  if (field.type == "id" || field.type == "reference") return "tns:ID";
  if (field.type == "int") return "xsd:int";
  if (field.is_number()) return "xsd:double";
  if (field.type == "boolean" || field.type == "date") return "xsd:" + field.type;
  return field.type == "datetime" ? "xsd:dateTime" : "xsd:string";
}

Json describe_field(const Field& field) {
  Json options = Json::array();
  for (const std::string& option : field.options)
    options.push_back({{"active", true},
                       {"defaultValue", false},
                       {"label", option},
                       {"validFor", nullptr},
                       {"value", option}});
  const bool defaulted = field.type == "boolean" || (!field.writable && !field.nillable);
  Json references = Json::array();
  if (!field.reference_to.empty()) references.push_back(field.reference_to);
  return {{"name", field.name},
          {"label", field.label},
          {"type", field.type},
          {"soapType", soap_type(field)},
          {"length", field.length},
          {"byteLength", field.length * 3},
          {"digits", field.type == "int" ? field.precision : 0},
          {"precision", field.type == "int" ? 0 : field.precision},
          {"scale", field.scale},
          {"createable", field.writable},
          {"updateable", field.writable},
          {"nillable", field.nillable},
          {"defaultedOnCreate", defaulted},
          {"defaultValue", field.type == "boolean" ? Json(false) : Json(nullptr)},
          {"externalId", field.external_id},
          {"idLookup", field.id_lookup},
          {"unique", field.unique},
          {"caseSensitive", false},
          {"calculated", false},
          {"custom", field.custom()},
          {"filterable", field.type != "textarea"},
          {"groupable", false},
          {"sortable", field.type != "textarea"},
          {"permissionable", field.nillable},
          {"deprecatedAndHidden", false},
          {"inlineHelpText", nullptr},
          {"picklistValues", options},
          {"restrictedPicklist", field.restricted},
          {"dependentPicklist", false},
          {"referenceTo", references},
          {"relationshipName", field.relationship.empty() ? Json(nullptr) : Json(field.relationship)},
          {"relationshipOrder", nullptr}};
}

}  // namespace

const std::vector<Object>& objects() {
  static const std::vector<Object> all = make_objects();
  return all;
}

const Object* find_object(std::string_view name) {
  for (const Object& object : objects())
    if (lower(object.name) == lower(name)) return &object;
  return nullptr;
}

bool Object::is_person() const { return find_field(*this, "LastName") != nullptr; }

const Field* find_field(const Object& object, std::string_view name) {
  const std::string wanted = lower(name);
  for (const Field& field : object.fields)
    if (lower(field.name) == wanted) return &field;
  return nullptr;
}

const Field* find_relationship(const Object& object, std::string_view name) {
  for (const Field& field : object.fields)
    if (!field.relationship.empty() && lower(field.relationship) == lower(name)) return &field;
  return nullptr;
}

Json describe_shortly(const Object& object, const std::string& version) {
  const std::string base = "/services/data/" + version + "/sobjects/" + object.name;
  const bool writable = std::ranges::any_of(object.fields, &Field::writable);
  return {{"name", object.name},
          {"label", object.label},
          {"labelPlural", object.plural},
          {"keyPrefix", object.key_prefix},
          {"custom", object.custom()},
          {"customSetting", false},
          {"createable", writable},
          {"updateable", writable},
          {"deletable", writable},
          {"queryable", true},
          {"retrieveable", true},
          {"searchable", true},
          {"undeletable", true},
          {"replicateable", true},
          {"mergeable", true},
          {"triggerable", true},
          {"layoutable", true},
          {"activateable", false},
          {"deprecatedAndHidden", false},
          {"feedEnabled", true},
          {"hasSubtypes", false},
          {"isSubtype", false},
          {"urls", {{"sobject", base}, {"describe", base + "/describe"}, {"rowTemplate", base + "/{ID}"}}}};
}

Json describe(const Object& object, const std::string& version) {
  Json out = describe_shortly(object, version);
  Json& fields = out["fields"] = Json::array();
  for (const Field& field : object.fields) fields.push_back(describe_field(field));
  out["recordTypeInfos"] = Json::array();
  Json& children = out["childRelationships"] = Json::array();
  for (const Object& other : objects())
    for (const Field& field : other.fields)
      if (field.reference_to == object.name)
        children.push_back({{"childSObject", other.name},
                            {"field", field.name},
                            {"cascadeDelete", false},
                            {"deprecatedAndHidden", false},
                            {"relationshipName", other.plural}});
  return out;
}

std::string make_id(std::string_view key_prefix, std::uint64_t number) {
  constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string tail(10, '0');
  for (std::size_t i = tail.size(); i-- > 0; number /= 62) tail[i] = digits[number % 62];
  return full_id(std::string{key_prefix} + "5g" + tail);
}

bool is_id(std::string_view text) {
  return (text.size() == 15 || text.size() == 18) &&
         std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
}

std::string full_id(std::string_view id) {
  std::string full{id.substr(0, 15)};
  if (id.size() != 15) return std::string{id};
  for (std::size_t block = 0; block < 15; block += 5) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < 5; ++i)
      if (id[block + i] >= 'A' && id[block + i] <= 'Z') bits |= 1U << i;
    full += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits];
  }
  return full;
}

}  // namespace eddy::sandbox::salesforce
