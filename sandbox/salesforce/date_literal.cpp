#include "sandbox/salesforce/date_literal.h"

#include <charconv>

#include "core/text.h"

namespace eddy::sandbox::salesforce {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;

std::optional<DateRange> date_literal(std::string_view text, Clock::WallTime now) {
  const std::string word = lower(text);
  const sys_days today = std::chrono::floor<days>(now);
  const auto day = [](sys_days from, int count = 1) { return DateRange{from, from + days{count}}; };
  if (word == "today") return day(today);
  if (word == "yesterday") return day(today - days{1});
  if (word == "tomorrow") return day(today + days{1});

  const sys_days week = today - (std::chrono::weekday{today} - std::chrono::Sunday);
  if (word == "this_week") return day(week, 7);
  if (word == "last_week") return day(week - days{7}, 7);
  if (word == "next_week") return day(week + days{7}, 7);

  const year_month_day date{today};
  const auto month = [&](int offset, int count = 1) {
    const auto first = date.year() / date.month() / 1 + months{offset};
    return DateRange{sys_days{first}, sys_days{first + months{count}}};
  };
  if (word == "this_month") return month(0);
  if (word == "last_month") return month(-1);
  if (word == "next_month") return month(1);
  if (word == "last_90_days") return day(today - days{90}, 91);
  if (word == "next_90_days") return day(today + days{1}, 90);
  const int since_january = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  if (word == "this_quarter") return month(-(since_january % 3), 3);
  if (word == "this_year") return month(-since_january, 12);
  if (word == "last_year") return month(-since_january - 12, 12);
  if (word == "next_year") return month(12 - since_january, 12);

  const std::size_t colon = word.find(':');
  if (colon == std::string::npos) return std::nullopt;
  int n = 0;
  const auto [end, ec] = std::from_chars(word.data() + colon + 1, word.data() + word.size(), n);
  if (ec != std::errc{} || end != word.data() + word.size() || n < 0) return std::nullopt;
  const std::string kind = word.substr(0, colon);
  if (kind == "last_n_days") return day(today - days{n}, n + 1);  // and what there is of today
  if (kind == "next_n_days") return day(today + days{1}, n);
  if (kind == "n_days_ago") return day(today - days{n});
  if (kind == "last_n_months") return month(-n, n);
  if (kind == "next_n_months") return month(1, n);
  return std::nullopt;
}

}  // namespace eddy::sandbox::salesforce
