#include "sync/destination.h"

#include <array>

namespace eddy::sync {

std::string_view name_of(Mode mode) {
  constexpr std::array<std::string_view, 3> names = {"upsert", "update", "insert"};
  return names[static_cast<std::size_t>(mode)];
}

}  // namespace eddy::sync
