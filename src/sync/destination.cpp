#include "sync/destination.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace eddy::sync {

std::string_view name_of(Mode mode) {
  constexpr std::array<std::string_view, 3> names = {"upsert", "update", "insert"};
  return names[static_cast<std::size_t>(mode)];
}

std::string idempotency_key(const Delivery& delivery, const Change& change) {
  nlohmann::json named = {delivery.sync};
  for (const Value& value : change.key) named.push_back(value.to_json());
  if (delivery.mode != Mode::insert && !delivery.plan.empty()) {
    const auto* before = delivery.sent_before.get();
    const auto found = before == nullptr ? std::map<std::uint64_t, std::string>::const_iterator()
                                         : before->find(change.number);
    named.push_back(before != nullptr && found != before->end()
                        ? found->second
                        : fmt::format("{}:{}", delivery.plan, change.number));
  }
  return sha256_hex(named.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace eddy::sync
