#include "connectors/files/known_keys.h"

#include <fmt/format.h>

#include "core/text.h"

namespace eddy::connectors {

KnownKeys::KnownKeys(engine::Connection& connection, const StoredFile& stored, const JournalRun& run,
                     const FileTypes& types)
    : connection_(connection) {
  std::vector<std::string> columns, stored_keys, told_keys, equal;
  for (std::size_t i = 0; i < run.key.size(); ++i) {
    const bool decimal = types.key[i].starts_with("DECIMAL");
    columns.push_back(fmt::format("k{} {}", i, decimal ? "VARCHAR" : types.key[i]));
    stored_keys.push_back(key_in_file(stored, run, types, i));
    told_keys.push_back(key_in_table(run, types, i, "batch"));
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
