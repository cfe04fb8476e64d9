#include "connectors/tables/verdicts.h"

#include <fmt/format.h>

#include "core/secrets.h"

namespace eddy::connectors {

void settle(std::vector<Verdict>& verdicts, const Verdict& verdict) {
  for (Verdict& open : verdicts)
    if (is_open(open)) open = verdict;
}

Verdict null_key(std::string_view key_field) {
  return Verdict::rejected("null_key", fmt::format("the key field `{}` is null", key_field));
}

Verdict no_record_to_update() {
  return Verdict::rejected("not_found",
                           "there is no record with this key, and mode update never creates one");
}

Verdict record_is_there() {
  return Verdict::rejected("already_exists",
                           "there is a record with this key, and mode insert never changes one");
}

std::string for_people(const std::string& message) {
  constexpr std::size_t bytes_max = 500;
  std::string text = redact(message);
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace eddy::connectors
