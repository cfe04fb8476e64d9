// A row that a destination refused, or one that may have been applied and nobody heard of it. Kept until it
// goes through or needs nothing any more, and then, settled, for as long as history is kept.
#pragma once

#include <functional>
#include <string>

namespace eddy::state {

struct Reject {
  std::string sync;
  std::string key;  // canonical JSON array of the key values
  std::string operation;
  std::string outcome;  // rejected | in_doubt | retry (given up)
  std::string code, message;
  std::string payload;       // JSON of the row as sent
  std::string payload_hash;  // of key and field values: an unchanged payload is not sent again on its own
  std::string first_seen, last_seen, run_id;
  int attempts = 0;    // sends, over all runs, of this payload
  int runs = 1;        // in which they happened, since the last replay
  std::string status;  // open | replay (to be sent again whatever it is) | parked | settled
};

// Which rejects. An empty field does not narrow.
struct RejectQuery {
  std::string sync = {}, key = {}, code = {}, outcome = {}, status = {};
  bool settled_too = false;
};

using RejectReader = std::function<void(const Reject&)>;

}  // namespace eddy::state
