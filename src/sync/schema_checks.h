// A sync against what the destination says of its object: every rule stands here (and, of single values, in
// field_checks.h), for validate, plan and run alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "sync/definition.h"
#include "warehouse/session.h"

namespace eddy::sync {

// What shows without any row, each with the place in the sync's file: sync.unknown_field (with a
// did-you-mean), sync.read_only_field, sync.not_a_key (an upsert by a field that identifies nothing there),
// sync.required_field (a record cannot be made without it).
void check_fields(const SyncSpec& spec, const ObjectSchema& object, Diagnostics& diagnostics);

// The objects that mappings look ids up in, and the fields by which: sync.unknown_object, sync.unknown_field.
// Asks the destination for each of them.
void check_lookups(const SyncSpec& spec, Destination& destination, Diagnostics& diagnostics);

// sync.type_mismatch: an expression whose type the field can never take, whatever the row.
void check_types(const SyncSpec& spec, const Definition& definition, const ObjectSchema& object,
                 Diagnostics& diagnostics);

// Asks the destination and checks the fields. What it was asked long ago is asked anew before anything is
// complained about. Throws Error with every problem found, sync.unknown_object among them. Returns what it
// says; nullopt when only opening it can tell.
std::optional<ObjectSchema> check_mapping(const SyncSpec& spec, Destination& destination);
// The same with the problems in `diagnostics`.
std::optional<ObjectSchema> check_mapping(const SyncSpec& spec, Destination& destination,
                                          Diagnostics& diagnostics);

// What the rows of the model have that the destination is known to refuse: too long, not among the allowed
// values (up to five of them, with their counts), no number, missing. Rows like these are stopped before they
// are sent, the others are sent: so it is no error. `rows`: SQL of a relation with k…, v… (desired_rows).
std::vector<Diagnostic> look_at_rows(engine::Connection& connection, const std::string& rows,
                                     const SyncSpec& spec, const Definition& definition,
                                     const ObjectSchema& object);

// What a sync would send of each row, as SQL of the engine. Of a warehouse of the user's own the first
// `rows_max` rows are brought here first; `cut` tells that there are more.
std::string desired_rows(warehouse::Session& session, engine::Connection& connection,
                         const Definition& definition, std::uint64_t rows_max, bool& cut);

}  // namespace eddy::sync
