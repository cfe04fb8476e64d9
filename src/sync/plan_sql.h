// The SQL that plans and folds are made of. Pure text; nothing is executed.
#pragma once

#include <string>
#include <vector>

#include "sync/definition.h"
#include "sync/snapshot.h"

namespace eddy::sync {

std::string numbered(std::string_view prefix, std::size_t count);  // ("d.k", 2) -> "d.k1, d.k2"
std::string keys_equal(std::string_view a, std::string_view b, std::size_t count);  // "a.k1 = b.k1 and …"
std::string any_key_null(std::string_view prefix, std::size_t count);
std::string hash_of(std::string_view prefix, std::size_t count);  // of values; a constant when there are none

// For `is distinct from`: decimals of a warehouse of the user's own are text here, and 5 and 5.00 the same.
std::string comparable(const BoundColumn& column, const std::string& value);

// The snapshot's rows seen through `now`: k1…, v1… in now's order and types; suspect when the destination may
// hold something else than these values (an answer was lost, or a value does not survive the change of type);
// h comparable with a hash of the new values, 0 when the row has to be looked at in any case. Where the
// columns are not the same, r is the hash to be kept with the row, 0 when it is suspect. Fields that the
// snapshot does not have are null.
std::string aligned_snapshot(const Standing& standing, const Definition& now,
                             const std::string& hash_algorithm);
// True when aligned_snapshot is the table itself.
bool same_columns(const Standing& standing, const Definition& now, const std::string& hash_algorithm);
bool same_keys(const Standing& standing, const Definition& now);

// Per field of `now`: it was not delivered before.
std::vector<bool> new_fields(const Standing& standing, const Definition& now);

// True of the row that a person means by `typed`: the text of a single key, or a JSON array.
std::string key_is(std::string_view prefix, const Definition& definition, std::string_view typed);
// JSON array of the key values / what a reject keeps of a row, over columns k… and v… of `prefix`.
std::string key_json(std::string_view prefix, const Definition& definition);
std::string payload_json(std::string_view prefix, const std::string& op, const Definition& definition);
// Tells whether a refused row, or its mapping, has changed since.
std::string payload_hash(std::string_view prefix, const std::string& op, const Definition& definition);

}  // namespace eddy::sync
