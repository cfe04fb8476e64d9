#include "core/change.h"

#include <array>

namespace eddy {
namespace {
constexpr std::array<std::string_view, 3> operations = {"add", "change", "remove"};
constexpr std::array<std::string_view, 4> outcomes = {"applied", "rejected", "retry", "in_doubt"};
}  // namespace

std::string_view name_of(Operation operation) { return operations[static_cast<std::size_t>(operation)]; }
std::string_view name_of(Outcome outcome) { return outcomes[static_cast<std::size_t>(outcome)]; }

bool parse_outcome(std::string_view name, Outcome& out) {
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (outcomes[i] == name) {
      out = static_cast<Outcome>(i);
      return true;
    }
  return false;
}

}  // namespace eddy
