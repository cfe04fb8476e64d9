// The words of delivery: a change is one row's operation, a verdict is the destination's answer to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"

namespace eddy {

enum class Operation { add, change, remove };
std::string_view name_of(Operation operation);

// One row of a plan. Cells are in the order of the sync's key and field lists.
struct Change {
  std::uint64_t number = 0;  // position in the plan, from 0; identifies the row in the ledger
  Operation operation = Operation::add;
  Row key;     // one value per key field
  Row fields;  // desired values, one per mapped field; empty for remove
  // Per mapped field: to be written. True for an add, and where the value differs from the snapshot; empty
  // for remove. A destination that writes whole rows may write the others too: their values are unchanged.
  std::vector<bool> changed;
  // Per mapped field: must not be written, whatever the row's value (`when_null: keep`, `write: if_empty`,
  // `theirs stays`). Empty: none. Never set together with `changed`.
  std::vector<bool> kept = {};
  // Per mapped field: the acknowledged value. Only for changes of syncs with a field whose `drift` is theirs;
  // otherwise empty.
  Row before = {};

  bool keeps(std::size_t field) const { return field < kept.size() && kept[field]; }
};

// Exactly one per row sent.
enum class Outcome {
  applied,   // the destination acknowledged this row
  rejected,  // the destination refused this row; sending it again unchanged would be refused again
  retry,     // not applied, and may be sent again (throttled, unavailable)
  in_doubt,  // the answer is lost: it may or may not have been applied
};
std::string_view name_of(Outcome outcome);
bool parse_outcome(std::string_view name, Outcome& out);

struct Verdict {
  Outcome outcome = Outcome::in_doubt;
  std::string code;     // stable, destination's own when it has one: "INVALID_EMAIL_ADDRESS"; "" when applied
  std::string message;  // destination's own words, secrets redacted
  std::string destination_id;  // id of the record there, when told
  bool created = false;        // the destination said it made a new record

  static Verdict applied(std::string id = {}, bool created = false) {
    return {Outcome::applied, {}, {}, std::move(id), created};
  }
  static Verdict rejected(std::string code, std::string message) {
    return {Outcome::rejected, std::move(code), std::move(message), {}, false};
  }
  static Verdict retry(std::string code, std::string message) {
    return {Outcome::retry, std::move(code), std::move(message), {}, false};
  }
  static Verdict in_doubt(std::string code, std::string message) {
    return {Outcome::in_doubt, std::move(code), std::move(message), {}, false};
  }
};

}  // namespace eddy
