#include "core/progress.h"

#include <array>

namespace eddy {
namespace {
class Silent final : public Progress {
 public:
  void started(std::string_view) override {}
  void advanced(std::string_view, std::uint64_t) override {}
  void finished(std::string_view, NodeStatus, std::uint64_t, std::string_view) override {}
  void note(std::string_view) override {}
};
constexpr std::array<std::string_view, 6> names = {"ok",     "failed", "skipped",
                                                   "warned", "held",   "interrupted"};
}  // namespace

std::string_view name_of(NodeStatus status) { return names[static_cast<std::size_t>(status)]; }

Progress& silent_progress() {
  static Silent progress;
  return progress;
}

}  // namespace eddy
