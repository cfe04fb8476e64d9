// The verdicts that every database connector gives, in one wording. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/change.h"

namespace eddy::connectors {

// A row's verdict before the server has spoken: the state of a Verdict that was only made.
inline bool is_open(const Verdict& verdict) {
  return verdict.outcome == Outcome::in_doubt && verdict.code.empty();
}
// Every row that is still open gets this verdict.
void settle(std::vector<Verdict>& verdicts, const Verdict& verdict);

Verdict null_key(std::string_view key_field);
Verdict no_record_to_update();  // "not_found", of mode update
Verdict record_is_there();      // "already_exists", of mode insert

// A server's message without secrets; servers repeat the offending value, which may be a megabyte long.
std::string for_people(const std::string& message);

}  // namespace eddy::connectors
