#include "sync/destination.h"

#include <array>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace eddy::sync {

std::string_view name_of(Mode mode) {
  constexpr std::array<std::string_view, 3> names = {"upsert", "update", "insert"};
  return names[static_cast<std::size_t>(mode)];
}

std::string idempotency_key(const std::string& sync, const Row& key) {
  nlohmann::json named = {sync};
  for (const Value& value : key) named.push_back(value.to_json());
  return sha256_hex(named.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace eddy::sync
