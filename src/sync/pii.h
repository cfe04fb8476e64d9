// Personal data on its way out: what a connection takes of it (`pii: allow | hash | block` in
// connections.yml), applied to the mappings of a sync before anybody uses them. project/ does so while it
// loads, so that validate, plan and run see the same mappings, and none sees them unguarded.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/error.h"
#include "engine/database.h"
#include "sync/sync_spec.h"

namespace eddy::sync {

enum class PiiPolicy { allow, hash, block };
std::string_view name_of(PiiPolicy policy);

// The personal columns of each relation, "presentation.customer_360" -> {"email"}; in lower case.
using PersonalColumns = std::map<std::string, std::set<std::string>>;

// The spec with its mappings as the policy wants them. A mapping is personal when its expression may read a
// personal column of the model or of a relation in a subquery, or when it says `pii: true`; not when it says
// `pii: false`.
//
//   allow  everything as it is
//   hash   the expression of a personal mapping becomes its SHA-256: eddy_sha256() of its normalized form,
//          or, without `normalize`, of the text trimmed and in lower case. Key fields too. An expression that
//          is a call of a hashing function (eddy_email_sha256 …) as a whole stays as it is.
//   block  sync.pii_blocked for every personal mapping, hashed or not
//
// An expression that cannot be read is sync.bad_expression, but under `allow`, which reads none.
// `remote`: the model is in a warehouse of the user's own, whose SQL nobody reads here: personal is what says
// `pii: true`, and the warehouse hashes it (Mapping::hashed).
SyncSpec with_pii_policy(engine::Connection& connection, SyncSpec spec, const PersonalColumns& personal,
                         PiiPolicy policy, Diagnostics& diagnostics, bool remote = false);

}  // namespace eddy::sync
