// One connection to one service: its settings, who we are there, how fast and how much we may ask. Shared by
// all writers and workers.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "connectors/declarative/login.h"
#include "connectors/declarative/outcome.h"
#include "connectors/declarative/quota.h"
#include "connectors/declarative/reply.h"
#include "connectors/declarative/request.h"
#include "connectors/declarative/row_pace.h"
#include "connectors/declarative/settings.h"
#include "connectors/declarative/spec.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "transport/http/exchange.h"
#include "transport/http/pacing.h"

namespace eddy::connectors {

// What came of a request, retried never, except with a new token after one was refused.
struct Called {
  enum class Kind {
    answered,  // `reply` says that the request was processed
    refused,   // `refusal` says what it means
    lost,      // no usable reply; `refusal` says why, the request may have been processed
    not_sent,  // nothing reached the service; `refusal` says why and how long to wait
    held,      // nothing was sent, to stay within the service's limits; `refusal` says how long to wait
  };
  Kind kind = Kind::lost;
  std::optional<Reply> reply;
  Refusal refusal;
};

// Where the processes on a project share what they know of a connection; an empty path: nothing is shared.
struct SessionFiles {
  std::filesystem::path pace = {};   // limits in seconds (transport/http/pacing.h); a named one's beside it
  std::filesystem::path quota = {};  // of a day (quota.h)
  std::filesystem::path token = {};  // a refresh token that the service replaces (token_file.h)
};

// Thread-safe.
class Session {
 public:
  Session(const Spec& spec, Settings settings, Clock& clock, const Cancel& cancel,
          std::unique_ptr<http::Exchange> exchange,
          std::chrono::milliseconds request_timeout = std::chrono::minutes{2}, SessionFiles files = {});

  const Settings& settings() const { return settings_; }
  Clock& clock() { return clock_; }
  const Cancel& cancel() const { return cancel_; }
  // Where requests go: the setting base_url, unless authentication named another. Logs in when that is needed
  // to know.
  std::string base_url();
  // Values of settings and authentication.
  Lookup lookup() const { return settings_.lookup(); }

  // Throws Error("destination.credentials") when new tokens are refused too (login.h),
  // Error("destination.quota") for the class `stop` and when our share of the quota is used up,
  // Error("destination.refused") for the class `config`. All other outcomes are values. `processed` says
  // whether a reply is a success as a whole.
  Called call(const RequestSpec& request, const Content& content, const Lookup& lookup,
              const std::function<bool(const Reply&)>& processed, const ErrorSpec& errors, bool repeatable);

  // The service is asked again, although it has said that its quota is used up.
  void forget_quota() { quota_.forget(); }
  // Requests that are left of our share of the day's quota, as far as anybody has said lately.
  std::optional<std::int64_t> calls_left() { return quota_.left(); }
  const std::shared_ptr<RowPace>& row_pace() const { return row_pace_; }
  // What somebody should be told, once: "" when there is nothing.
  std::string take_note() { return login_.take_note(); }

 private:
  Called refused(Refusal refusal, const Reply& reply, http::Pace& pace);

  const Spec& spec_;
  const Settings settings_;
  Clock& clock_;
  const Cancel& cancel_;
  const std::unique_ptr<http::Exchange> exchange_;
  const std::chrono::milliseconds total_timeout_;
  Login login_;
  http::Pace pace_;
  std::map<std::string, std::unique_ptr<http::Pace>> named_paces_;  // of LimitsSpec::named
  Quota quota_;
  const std::shared_ptr<RowPace> row_pace_;
};

}  // namespace eddy::connectors
