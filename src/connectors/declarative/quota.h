// A service's daily quota, and our share of it: how much is used, and until when nobody sends because it is
// used up. Shared by all writers of a connection and, through a small file, by all processes on a project.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "connectors/declarative/reply.h"
#include "connectors/declarative/settings.h"
#include "connectors/declarative/spec.h"
#include "core/clock.h"
#include "transport/http/shared_words.h"

namespace eddy::connectors {

// Thread-safe. Calls are counted when they are sent, so that a crash forgets none; the few that a service
// does not count itself make us stop a little early. Time is the wall clock: a quota is renewed at a time of
// the day.
class Quota {
 public:
  // Throws Error("destination.settings") when a setting that the quota is made of cannot be read.
  Quota(const Spec& spec, const Settings& settings, Clock& clock, std::filesystem::path file);

  // Before a call. Throws Error("destination.quota"), which says until when, once our share is used up or the
  // service has said that it is.
  void spend();
  // What a reply's headers say of the rest.
  void note(const http::Headers& headers);
  // The service says that it is used up; `told`: for so long. Returns until when nobody sends; nullopt: the
  // connector does not know of a quota, and only the caller stops.
  std::optional<Clock::WallTime> used_up(std::optional<std::chrono::milliseconds> told);
  // How many requests of our share are left, as far as anybody has said lately.
  std::optional<std::int64_t> left();
  // Somebody has looked after it: the service is asked again.
  void forget();

 private:
  Clock::WallTime renewed_after(Clock::WallTime now) const;
  [[noreturn]] void stop(const std::string& what, Clock::WallTime until) const;

  const std::string title_;
  const std::optional<QuotaSpec> spec_;
  Clock& clock_;
  double share_ = 1;
  std::int64_t calls_max_ = 0;  // counted by ourselves; 0: they are not
  http::SharedWords words_;
};

}  // namespace eddy::connectors
