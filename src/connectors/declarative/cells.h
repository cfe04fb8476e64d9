// How cells become JSON for a service (`transforms:`), and a change becomes the row that placeholders see.
#pragma once

#include <expected>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/spec.h"
#include "core/change.h"

namespace eddy::connectors {

// A cell as the service wants it; nullopt: leave the field out (null policy `omit`). The error says why the
// cell cannot be sent at all: invalid UTF-8, a number that is not finite, a date that is none.
std::expected<std::optional<nlohmann::json>, std::string> render_cell(const Value& value,
                                                                      const TransformSpec& transforms);

// Puts a value at a dotted field name: `user_fields.health` lies in an object `user_fields`.
void put_field(nlohmann::json& object, const std::string& dotted_name, nlohmann::json value);

// One row of a batch, ready for placeholders: as documents, or, from a BodyForm, as their text.
struct RenderedRow {
  nlohmann::json key;     // {row.key}; of several fields: an object of them
  nlohmann::json fields;  // {row.fields}, without the key
  nlohmann::json all;     // {row.all}
  std::string key_json, fields_json, all_json;
  std::string key_text;             // for URLs and for matching echoes; of several fields: text_of_keys()
  std::string id;                   // {row.id}, where a branch has found it
  std::string trace;                // {row.trace}
  std::string idempotency_key;      // {row.idempotency_key}; only of documents
  std::optional<Verdict> unusable;  // rejected before sending
};

// The rows of a batch: those that can be sent, and what becomes of the others.
struct RenderedBatch {
  std::vector<RenderedRow> rows;
  std::vector<std::size_t> place;  // of each, in the changes
  std::vector<Verdict> verdicts;   // of all changes; those that cannot be sent are filled in
};

// One text for the texts of several key fields, in the order of the fields' names; different keys, different
// texts.
std::string text_of_keys(const std::map<std::string, std::string>& texts);

// Fields of a change that did not change are left out.
RenderedRow render_row(const Change& change, const Schema& key, const Schema& fields,
                       const TransformSpec& transforms);

}  // namespace eddy::connectors
