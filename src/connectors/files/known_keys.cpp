#include "connectors/files/known_keys.h"

#include <fmt/format.h>

#include "core/text.h"

namespace eddy::connectors {

namespace {

// Decimals of one column grow wider while it is written; their shortest text stays what it is.
std::string shortest(const std::string& decimal) {
  return fmt::format("regexp_replace(({})::varchar, '(\\.[0-9]*?)0+$', '\\1').rtrim('.')", decimal);
}

}  // namespace

KnownKeys::KnownKeys(engine::Connection& connection, const StoredFile& stored, const JournalRun& run,
                     const FileTypes& types)
    : connection_(connection) {
  std::vector<std::string> columns, stored_keys, told_keys, equal;
  for (std::size_t i = 0; i < run.key.size(); ++i) {
    const bool decimal = types.key[i].starts_with("DECIMAL");
    columns.push_back(fmt::format("k{} {}", i, decimal ? "VARCHAR" : types.key[i]));
    stored_keys.push_back(decimal ? shortest(stored.key(run.key[i].name)) : stored.key(run.key[i].name));
    told_keys.push_back(decimal ? shortest(fmt::format("batch.k{}", i)) : told_key(run, types, i, "batch"));
    equal.push_back(fmt::format("known.k{} = {}", i, told_keys.back()));
  }
  match_ = join(equal, " and ");
  told_ = join(told_keys, ", ");
  connection_.execute(fmt::format("create table known ({})", join(columns, ", ")));
  if (stored.has_rows())
    connection_.execute(
        fmt::format("insert into known select {} from {} o", join(stored_keys, ", "), stored.relation()));
}

std::string KnownKeys::is_known() const {
  return fmt::format("exists (select 1 from known where {})", match_);
}
void KnownKeys::add_batch() {
  connection_.execute(fmt::format("insert into known select {} from batch", told_));
}
void KnownKeys::remove_batch() {
  connection_.execute(fmt::format("delete from known using batch where {}", match_));
}

}  // namespace eddy::connectors
