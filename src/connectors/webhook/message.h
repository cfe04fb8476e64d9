// What a webhook carries, in the shape that Standard Webhooks recommends:
//
//   {"type":"contact.changed","timestamp":"2026-11-23T10:53:42Z","sync":"crm_contacts","mode":"upsert",
//    "data":{"id":"evt_…","operation":"change","key":{"email":"a@b.example"},"fields":{"plan":"pro"},
//            "changed":["plan"]}}
//
// `type` is the sync's object and what happened: added, changed, removed or archived; a request with several
// rows is `contact.batch` and its `data` a list. `timestamp` is when the run began that saw the change.
// `fields` holds every mapped field of the row, but for those that must be left alone; a removal has none.
// `mode` tells the receiver what is wanted: `update` must not create, `insert` must not overwrite.
//
// Ids are made of what is said (sync, object, mode, key, operation, values) and of the occasion on which it
// is said (occasions.h), but for `changed`: what is sent again because it may have arrived has the same id, in this run or after
// a crash in the next; a row that comes back to values it had before is news. So a receiver that drops what
// it has had loses nothing.
//
// Values: integers and reals are JSON numbers; a decimal is a number when a double holds exactly its digits,
// text otherwise; dates and times are ISO 8601 text, bytes base64, JSON goes in as it is. "address.city" is
// `city` in an object `address`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/change.h"
#include "sync/destination.h"

namespace eddy::connectors {

struct MessageRow {
  std::string id;        // "evt_…"
  std::string key_text;  // of a single key field, as in the JSON but without quotes; "" for composite keys
  std::string json;
  std::optional<Verdict> unusable;  // rejected before sending; the rest is empty then
};

MessageRow render_row(const sync::Delivery& delivery, const Change& change);

struct WebhookMessage {
  std::string id;  // header webhook-id
  std::string body;
};

// `rows` are usable; at least one. As a list unless `single`.
WebhookMessage render_message(const sync::Delivery& delivery, std::string_view timestamp,
                              std::span<const MessageRow> rows, bool single, std::string_view what);

// "added", "changed", "removed", "archived"
std::string_view event_of(const sync::Delivery& delivery, Operation operation);

// The text of a value in JSON; an error says why it cannot be sent.
struct CellText {
  std::string json;
  std::string problem;
};
CellText cell_text(const Value& value);

}  // namespace eddy::connectors
