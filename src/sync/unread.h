// Rows that were set aside on their way into the model: they are not in it, and they are not gone.
#pragma once

#include <cstdint>
#include <string>

#include "engine/database.h"
#include "sync/plan.h"

namespace eddy::sync {

// Fills the connection's temp table eddy_kept (k…) with the removes among `rows` (SQL of a relation with op
// and k…) whose key stands in one of the texts, and says how many they are.
std::uint64_t find_unread(engine::Connection& connection, const Unread& unread, const std::string& rows,
                          std::size_t keys);

}  // namespace eddy::sync
