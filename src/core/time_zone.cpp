#include "core/time_zone.h"

#include <fmt/format.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include <memory>

#include "core/error.h"

namespace eddy {
namespace {

std::unique_ptr<icu::TimeZone> zone_named(const std::string& name) {
  std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(name)));
  if (zone == nullptr || *zone == icu::TimeZone::getUnknown()) return nullptr;
  return zone;
}

std::chrono::milliseconds offset_at(const icu::TimeZone& zone, std::chrono::milliseconds utc) {
  std::int32_t raw = 0, summer = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone.getOffset(static_cast<UDate>(utc.count()), /*local=*/0, raw, summer, status);
  return std::chrono::milliseconds{raw + summer};
}

}  // namespace

bool is_time_zone(const std::string& name) { return zone_named(name) != nullptr; }

Clock::WallTime next_time_of_day(const std::string& zone_name, std::chrono::minutes at,
                                 Clock::WallTime after) {
  const auto zone = zone_named(zone_name);
  if (zone == nullptr)
    throw Error("time.zone", fmt::format("`{}` is not a time zone", zone_name),
                "write it like America/Chicago");
  const auto utc = std::chrono::floor<std::chrono::milliseconds>(after).time_since_epoch();
  const auto local = utc + offset_at(*zone, utc);
  auto wanted = std::chrono::floor<std::chrono::days>(local) + at;
  for (;; wanted += std::chrono::days{1}) {
    // The offset in force then, asked twice: the first guess may lie on the other side of a change.
    auto moment = wanted - offset_at(*zone, utc);
    moment = wanted - offset_at(*zone, moment);
    if (moment > utc) return Clock::WallTime(moment);
  }
}

}  // namespace eddy
