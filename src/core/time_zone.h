// Times of the day in somebody's time zone: quotas are renewed at midnight somewhere.
#pragma once

#include <chrono>
#include <string>

#include "core/clock.h"

namespace eddy {

// True for a name of the IANA time zone database: "America/Chicago". Pure, thread-safe.
bool is_time_zone(const std::string& name);
// The next moment after `after` at which clocks in that zone show `at` (since midnight). Where a change of
// clocks leaves that time out, the moment of the change. Throws Error("time.zone") for an unknown zone.
Clock::WallTime next_time_of_day(const std::string& zone, std::chrono::minutes at, Clock::WallTime after);

}  // namespace eddy
