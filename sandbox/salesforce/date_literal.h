// The words by which SOQL names days: TODAY, LAST_N_DAYS:7, THIS_MONTH. Days are those of UTC.
#pragma once

#include <optional>
#include <string_view>

#include "core/clock.h"

namespace eddy::sandbox::salesforce {

struct DateRange {
  Clock::WallTime from, to;  // `to` is the first moment behind it
};

// nullopt: not such a word.
std::optional<DateRange> date_literal(std::string_view word, Clock::WallTime now);

}  // namespace eddy::sandbox::salesforce
