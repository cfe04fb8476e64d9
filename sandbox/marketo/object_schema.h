// The records beside leads: companies, opportunities and their roles, sales persons, named accounts, custom
// objects.
#pragma once

#include "sandbox/marketo/schema.h"

namespace eddy::sandbox::marketo {

struct ObjectKind {
  std::string path;  // "companies", "opportunities/roles"; of a custom object its API name
  std::string label;
  std::string id_field;             // "id" (a number) or "marketoGUID"
  std::vector<std::string> dedupe;  // fields that identify a record together
  std::vector<std::string> searchable;
  std::vector<Field> fields;
  bool custom = false;
  bool crm_owned = false;  // closed to the API while a CRM is synchronised

  const Field* field(std::string_view name) const;
  std::string table() const { return path == "opportunities/roles" ? "opportunity_roles" : path; }
};

const std::vector<ObjectKind>& object_kinds();
const ObjectKind* find_kind(std::string_view path, bool custom);
Json describe_kind(const ObjectKind& kind, bool with_fields);

}  // namespace eddy::sandbox::marketo
