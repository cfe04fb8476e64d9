#include "core/secrets.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "core/text.h"

namespace eddy {
namespace {
std::mutex mutex;
std::vector<std::string>& values() {
  static std::vector<std::string> list;
  return list;
}
}  // namespace

void register_secret(std::string_view value) {
  if (value.size() < 4) return;
  const std::lock_guard lock(mutex);
  auto& list = values();
  for (std::string form : {std::string(value), percent_encode(value), base64(value)})
    if (std::find(list.begin(), list.end(), form) == list.end()) list.push_back(std::move(form));
  // Longest first, so that a secret that contains another is hidden whole.
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string redact(std::string_view text) {
  std::string out(text);
  const std::lock_guard lock(mutex);
  for (const std::string& value : values()) out = replace_all(std::move(out), value, "***");
  return out;
}

}  // namespace eddy
