// `eddy doctor` and `eddy connectors test`: log in, say whose account it is, and what the credentials lack.
#pragma once

#include <string>
#include <vector>

#include "connectors/declarative/session.h"
#include "connectors/declarative/spec.h"
#include "sync/destination.h"

namespace eddy::connectors {

struct Checked {
  std::string account;  // for people; "" when the service does not say
  std::vector<sync::Permission> permissions;
};
// Asks the connector's `check`; changes nothing. The service is asked even where it has said that its quota
// is used up. Throws Error("destination.credentials"), Error("destination.unreachable") and what
// Session::call() throws.
Checked check_connection(const Spec& spec, Session& session);

}  // namespace eddy::connectors
