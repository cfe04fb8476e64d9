// What it means for a batch that the database has said no. Which error it was is the connector's to know;
// what follows from it is the same everywhere. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "sync/destination.h"

namespace eddy::connectors {

enum class Blame {
  nobody_knows,  // the work was sent to be committed, and no answer came
  moment,        // nothing was applied, and trying again may work
  values,        // of some row: nothing was applied, and sending it again would fail again
  setting,       // a right, a table that is gone: going on is pointless
};

struct Refusal {
  Blame blame = Blame::setting;
  std::string code;     // the database's own name of it
  std::string message;  // without secrets
  std::string hint = {};
};

// Of an error that came over a wire (transport/postgres/error.h, transport/mysql/error.h).
template <class WireError>
Blame blame_of(const WireError& error) {
  return error.is_in_doubt()     ? Blame::nobody_knows
         : error.is_transient()  ? Blame::moment
         : error.is_data_error() ? Blame::values
                                 : Blame::setting;
}

// The rows that have a verdict already keep it, the others get that of the refusal. When some row of several
// is to blame, the batch was refused as a whole. Throws Error("destination.refused") for Blame::setting;
// `table` is what its message calls the table.
sync::Answer answer_to(const Refusal& refusal, std::vector<Verdict> verdicts, const std::string& table);

// To be thrown by a Reader: "destination.unavailable" when asking again later may help, or
// "destination.refused".
Error cannot_be_read(const std::string& table, bool may_pass, const std::string& message,
                     const std::string& hint);

}  // namespace eddy::connectors
