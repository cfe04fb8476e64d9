#include "connectors/declarative/quota.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "core/time_zone.h"

namespace eddy::connectors {

namespace {

// Words of the file; times are microseconds since 1970.
enum Word : std::size_t {
  stopped_until,
  counted_until,
  counted,
  told_until,
  told_used,
  told_most,
  word_count
};
constexpr std::uint64_t shape = 0x61746f7571;  // of these words, whatever the settings are

std::int64_t as_word(Clock::WallTime time) { return time.time_since_epoch().count(); }
Clock::WallTime as_time(std::int64_t word) { return Clock::WallTime(std::chrono::microseconds{word}); }

// "258/15000" of "api-usage=258/15000; per-app-api-usage=17/250(appName=x)".
std::optional<std::pair<double, double>> ratio_in(std::string_view line, const std::string& name) {
  for (const std::string& part : split(line, ';')) {
    const std::string clean = trim(part);
    const auto equals = clean.find('='), slash = clean.find('/');
    if (equals == std::string::npos || slash == std::string::npos || clean.substr(0, equals) != name)
      continue;
    const auto used = as_number(clean.substr(equals + 1, slash - equals - 1)),
               most = as_number(clean.substr(slash + 1));
    if (used && most && *most > 0) return std::pair(*used, *most);
  }
  return std::nullopt;
}

std::optional<double> number_at(const http::Headers& headers, const std::string& name) {
  const auto text = headers.get(name);
  return text ? as_number(trim(*text)) : std::nullopt;
}

}  // namespace

Quota::Quota(const Spec& spec, const Settings& settings, Clock& clock, std::filesystem::path file)
    : title_(spec.title),
      spec_(spec.limits.quota),
      clock_(clock),
      words_(spec_ ? std::move(file) : std::filesystem::path(), shape, word_count,
             http::SharedWords::Life::lasting) {
  if (!spec_) return;
  if (!spec_->stop_at.empty()) share_ = as_share(spec_->stop_at.text(settings.lookup()).value_or("100%"));
  if (spec_->count.empty()) return;
  const auto most = as_number(trim(spec_->count.text(settings.lookup()).value_or("")));
  if (!most || *most < 1)
    throw Error("destination.settings",
                fmt::format("{}: {} is not a number of requests", title_, spec_->count.source()),
                "give a whole number of at least 1");
  calls_max_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(*most * share_)));
}

Clock::WallTime Quota::renewed_after(Clock::WallTime now) const {
  return spec_->zone.empty() ? now + spec_->ask_again : next_time_of_day(spec_->zone, spec_->at, now);
}

void Quota::stop(const std::string& what, Clock::WallTime until) const {
  const auto settings = spec_->stop_at.names();
  throw Error(
      "destination.quota",
      fmt::format("{}: {}; nothing is sent until {}", title_, what,
                  format_utc(std::chrono::ceil<std::chrono::seconds>(until))),
      settings.empty()
          ? "run it again then; when the quota has been raised, `eddy doctor` asks the service anew"
          : fmt::format("run it again then, or raise {}; when the quota has been raised, `eddy doctor` "
                        "asks the service anew",
                        join(settings, ", ")));
}

void Quota::spend() {
  if (!spec_) return;
  const Clock::WallTime now = clock_.now();
  const std::int64_t at = as_word(now);
  std::int64_t stopped = 0, used = 0, most = 0, until = 0;
  {
    http::SharedWords::Held words(words_);
    stopped = words.get(stopped_until);
    if (words.get(told_until) > at && words.get(told_most) > 0 &&
        static_cast<double>(words.get(told_used)) >= static_cast<double>(words.get(told_most)) * share_) {
      used = words.get(told_used);
      most = words.get(told_most);
      until = words.get(told_until);
    } else if (stopped <= at && calls_max_ > 0) {
      const bool renewed = words.get(counted_until) <= at;
      used = renewed ? 0 : words.get(counted);
      until = renewed ? as_word(renewed_after(now)) : words.get(counted_until);
      if (used < calls_max_) {
        words.set(counted_until, until);
        words.set(counted, used + 1);
        until = 0;
      }
    }
  }
  if (stopped > at) stop("the service has said that its quota is used up", as_time(stopped));
  if (until == 0) return;
  if (most > 0) stop(fmt::format("{} of {} requests of the day are used", used, most), as_time(until));
  stop(fmt::format("our {} requests of the day are used", used), as_time(until));
}

void Quota::note(const http::Headers& headers) {
  if (!spec_) return;
  std::optional<std::pair<double, double>> told;
  if (!spec_->ratio_header.empty())
    if (const auto line = headers.get(spec_->ratio_header)) told = ratio_in(*line, spec_->ratio_name);
  if (!spec_->left_header.empty()) {
    const auto left = number_at(headers, spec_->left_header), most = number_at(headers, spec_->most_header);
    if (left && most && *most > 0) told = std::pair(*most - *left, *most);
  }
  if (!told) return;
  const std::int64_t until = as_word(renewed_after(clock_.now()));
  http::SharedWords::Held words(words_);
  words.set(told_used, static_cast<std::int64_t>(told->first));
  words.set(told_most, static_cast<std::int64_t>(told->second));
  words.set(told_until, until);
}

std::optional<std::int64_t> Quota::left() {
  if (!spec_) return std::nullopt;
  const std::int64_t now = as_word(clock_.now());
  std::optional<std::int64_t> out;
  http::SharedWords::Held words(words_);
  if (words.get(told_until) > now && words.get(told_most) > 0)
    out =
        static_cast<std::int64_t>(static_cast<double>(words.get(told_most)) * share_) - words.get(told_used);
  if (calls_max_ > 0) {
    const std::int64_t ours = calls_max_ - (words.get(counted_until) > now ? words.get(counted) : 0);
    out = out ? std::min(*out, ours) : ours;
  }
  return out;
}

std::optional<Clock::WallTime> Quota::used_up(std::optional<std::chrono::milliseconds> told) {
  if (!spec_) return std::nullopt;
  const Clock::WallTime now = clock_.now();
  const Clock::WallTime until = told ? now + *told : renewed_after(now);
  http::SharedWords::Held words(words_);
  words.set(stopped_until, as_word(until));
  return until;
}

void Quota::forget() {
  if (!spec_) return;
  http::SharedWords::Held words(words_);
  words.set(stopped_until, 0);
  words.set(told_until, 0);
}

}  // namespace eddy::connectors
