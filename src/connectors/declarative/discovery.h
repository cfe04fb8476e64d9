// What a service says about its objects and their fields, joined with what the connector knows without
// asking.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/declarative/object_name.h"
#include "connectors/declarative/paging.h"
#include "connectors/declarative/session.h"
#include "connectors/declarative/spec.h"
#include "sync/destination.h"

namespace eddy::connectors {

// Asks until there is a reply that `understood` accepts; passing troubles are tried again, everything else is
// an error: there are no rows to give an answer for. Throws Error("destination.refused") and
// Error("destination.unreachable").
Reply ask_page(const Spec& spec, Session& session, const PageRequest& page,
               const std::function<bool(const Reply&)>& understood);
// The values of settings, {object} and {object.word}.
Lookup object_lookup(const Spec& spec, const Session& session, const std::string& name);
// The connector's list, and the service's where it can be asked. Throws Error when asking fails.
std::vector<std::string> discover_objects(const Spec& spec, Session& session);
// nullopt: no such object. Throws Error when asking fails.
std::optional<sync::ObjectSchema> discover(const Spec& spec, Session& session, const std::string& object);
// The same without the fields that name other records, for which those have to be asked too.
std::optional<sync::ObjectSchema> discover_own(const Spec& spec, Session& session, const std::string& object);

}  // namespace eddy::connectors
