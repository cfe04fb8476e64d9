// `normalize:` of a mapping, as SQL. It is part of what is compared: both sides of a plan hold the value in
// its one form, so that "Ada@x.org" after "ada@x.org " is no change. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "sync/sync_spec.h"

namespace eddy::sync {

// DuckDB's SQL for the expression brought to one form, step by step; the expression itself without steps.
// trim takes white space off both ends and makes null of what is empty then; lower and upper are Unicode's;
// email and e164 are eddy_email() and eddy_phone(), which make null of what is none. `phone_region` is of
// e164, "" for none.
std::string normalized_sql(const std::string& expression, const std::vector<Normalization>& steps,
                           const std::string& phone_region);

// What is wrong with the mapping's `normalize:` when its expression, as it is written, has that engine type.
// Codes: sync.normalize_not_text.
std::optional<Diagnostic> check_normalization(const Mapping& mapping, const std::string& engine_type);

// Of every mapping: sync.unknown_region.
void check_phone_regions(const SyncSpec& spec, Diagnostics& diagnostics);

}  // namespace eddy::sync
