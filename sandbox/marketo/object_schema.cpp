#include "sandbox/marketo/object_schema.h"

namespace eddy::sandbox::marketo {
namespace {

Field text(std::string name, std::string label, int length = 255) {
  return {.name = std::move(name), .label = std::move(label), .type = "string", .length = length};
}
Field typed(std::string name, std::string label, std::string type) {
  return {.name = std::move(name), .label = std::move(label), .type = std::move(type)};
}

std::vector<ObjectKind> make_kinds() {
  return {
      {.path = "companies",
       .label = "Company",
       .id_field = "id",
       .dedupe = {"externalCompanyId"},
       .searchable = {"company"},
       .fields = {text("externalCompanyId", "External Company Id", 100), text("company", "Company Name"),
                  text("website", "Website"), text("industry", "Industry"), text("mainPhone", "Main Phone"),
                  text("billingCity", "Billing City"), text("billingCountry", "Billing Country"),
                  typed("annualRevenue", "Annual Revenue", "currency"),
                  typed("numberOfEmployees", "Num Employees", "integer")},
       .crm_owned = true},
      {.path = "opportunities",
       .label = "Opportunity",
       .id_field = "marketoGUID",
       .dedupe = {"externalOpportunityId"},
       .searchable = {},
       .fields = {text("externalOpportunityId", "External Opportunity Id", 50), text("name", "Name"),
                  text("stage", "Stage"), text("type", "Type"), text("description", "Description", 2000),
                  typed("amount", "Amount", "currency"), typed("closeDate", "Close Date", "date"),
                  typed("isClosed", "Is Closed", "boolean"), typed("isWon", "Is Won", "boolean"),
                  typed("probability", "Probability", "integer"),
                  text("externalSalesPersonId", "External Sales Person Id", 100)},
       .crm_owned = true},
      {.path = "opportunities/roles",
       .label = "Opportunity Role",
       .id_field = "marketoGUID",
       .dedupe = {"externalOpportunityId", "leadId", "role"},
       .searchable = {"externalOpportunityId", "leadId"},
       .fields = {text("externalOpportunityId", "External Opportunity Id", 50),
                  typed("leadId", "Lead Id", "integer"), text("role", "Role", 50),
                  typed("isPrimary", "Is Primary", "boolean")},
       .crm_owned = true},
      {.path = "salespersons",
       .label = "Sales Person",
       .id_field = "id",
       .dedupe = {"externalSalesPersonId"},
       .searchable = {"email"},
       .fields = {text("externalSalesPersonId", "External Sales Person Id", 100),
                  typed("email", "Email", "email"), text("firstName", "First Name"),
                  text("lastName", "Last Name"), text("title", "Title"), text("phone", "Phone")},
       .crm_owned = true},
      {.path = "namedaccounts",
       .label = "Named Account",
       .id_field = "marketoGUID",
       .dedupe = {"name"},
       .searchable = {"domainName", "industry"},
       .fields = {text("name", "Name"), text("domainName", "Domain Name"), text("industry", "Industry"),
                  text("city", "City"), text("country", "Country"),
                  typed("annualRevenue", "Annual Revenue", "currency"),
                  typed("numberOfEmployees", "Number Of Employees", "integer"),
                  typed("accountScore1", "Account Score 1", "score")}},
      {.path = "subscription_c",
       .label = "Subscription",
       .id_field = "marketoGUID",
       .dedupe = {"subscriptionNumber"},
       .searchable = {"leadEmail"},
       .fields = {text("subscriptionNumber", "Number", 50), typed("leadEmail", "Lead Email", "email"),
                  text("plan", "Plan", 40), typed("amount", "Amount", "currency"),
                  typed("seats", "Seats", "integer"), typed("active", "Active", "boolean"),
                  typed("startedOn", "Started On", "date"), typed("renewedAt", "Renewed At", "datetime")},
       .custom = true},
      {.path = "visit_c",
       .label = "Visit",
       .id_field = "marketoGUID",
       .dedupe = {"leadEmail", "visitedOn"},
       .searchable = {"leadEmail"},
       .fields = {typed("leadEmail", "Lead Email", "email"), typed("visitedOn", "Visited On", "date"),
                  typed("pages", "Pages", "integer")},
       .custom = true},
  };
}

}  // namespace

const Field* ObjectKind::field(std::string_view name) const {
  for (const Field& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

const std::vector<ObjectKind>& object_kinds() {
  static const std::vector<ObjectKind> kinds = make_kinds();
  return kinds;
}

const ObjectKind* find_kind(std::string_view path, bool custom) {
  for (const ObjectKind& kind : object_kinds())
    if (kind.path == path && kind.custom == custom) return &kind;
  return nullptr;
}

Json describe_kind(const ObjectKind& kind, bool with_fields) {
  Json searchable = Json::array({kind.dedupe, Json::array({kind.id_field})});
  for (const std::string& name : kind.searchable) searchable.push_back(Json::array({name}));
  Json out = {{"name", kind.path},
              {"displayName", kind.label},
              {"createdAt", "2026-01-01T00:00:00Z"},
              {"updatedAt", "2026-01-01T00:00:00Z"},
              {"idField", kind.id_field},
              {"dedupeFields", kind.dedupe},
              {"searchableFields", searchable}};
  if (kind.custom)
    out["relationships"] = Json::array(
        {{{"field", "leadEmail"}, {"type", "child"}, {"relatedTo", {{"name", "Lead"}, {"field", "Email"}}}}});
  if (!with_fields) return out;
  Json& fields = out["fields"] = Json::array();
  const auto add = [&](const std::string& name, const std::string& label, const std::string& type, int length,
                       bool updateable) {
    Json field = {{"name", name}, {"displayName", label}, {"dataType", type}, {"updateable", updateable}};
    if (length > 0) field["length"] = length;
    fields.push_back(std::move(field));
  };
  add(kind.id_field, "Marketo Id", kind.id_field == "id" ? "integer" : "string",
      kind.id_field == "id" ? 0 : 36, false);
  add("createdAt", "Created At", "datetime", 0, false);
  add("updatedAt", "Updated At", "datetime", 0, false);
  for (const Field& field : kind.fields) add(field.name, field.label, field.type, field.length, true);
  return out;
}

}  // namespace eddy::sandbox::marketo
