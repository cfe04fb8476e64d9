// The rejects in state.db. One thread at a time; the caller (Store) sees to that.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "state/reject.h"
#include "transport/sqlite/database.h"

namespace eddy::state {

class RejectTable {
 public:
  explicit RejectTable(sqlite::Database& db) : db_(db) {}

  // The meaning of each is that of the Store's method.
  void put(const std::vector<Reject>& rejects);
  void settle(const std::string& sync, const std::vector<std::string>& keys);
  void settle_all(const std::string& sync);
  void park(const std::string& sync, int runs_max);
  std::uint64_t replay(const RejectQuery& query);
  void release(const std::string& sync, const std::vector<std::string>& keys, const std::string& code,
               const std::string& message);
  std::uint64_t count(const RejectQuery& query);
  std::uint64_t forget_settled(const std::string& before);

  // The next rows by (sync, key) behind the given one; fewer than asked for when there are no more.
  struct Place {
    std::string sync, key;
  };
  std::vector<Reject> page(const RejectQuery& query, const Place& behind, std::size_t limit);

 private:
  sqlite::Database& db_;
};

}  // namespace eddy::state
