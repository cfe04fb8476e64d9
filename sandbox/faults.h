// Faults that can be switched on, each a named way in which a service misbehaves. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace eddy::sandbox {

struct FaultKind {
  std::string_view name;     // "shuffle"
  std::string_view meaning;  // one line
  double default_rate = 0;   // what the real service does all the time has 1
  // How long it lasts unless told otherwise; 0: a fault of a moment, which takes no duration.
  std::chrono::milliseconds default_duration{0};
};

// Those that every service has: cut connections, 5xx, throttling, damaged replies.
const std::vector<FaultKind>& generic_faults();

class Faults {
 public:
  explicit Faults(std::uint64_t seed) : seed_(seed), random_(seed) {}

  // Makes SERVICE.NAME known, for the generic faults and for `own`.
  void declare(std::string_view service, const std::vector<FaultKind>& own);

  struct Setting {
    double rate = 1;                                      // 0…1
    std::optional<std::uint64_t> times{};                 // after so many hits the fault is over
    std::optional<std::chrono::milliseconds> duration{};  // of faults that last; else their default
  };
  // Throws Error("sandbox.unknown_fault"), with a did-you-mean, and Error("sandbox.invalid_rate").
  void set(std::string_view name, const Setting& setting);
  // "hubspot.shuffle", "hubspot.http_500=0.2", "hubspot.http_500=3" (three times, then never again),
  // "hubspot.http_500=0.2x3", "hubspot.search_lag@2s", "hubspot.search_lag=0.5@250ms".
  void set_from_text(std::string_view text);
  // {"hubspot.shuffle": 1, "zendesk.http_500": {"rate": 0.5, "times": 3}, "hubspot.search_lag": {"ms":
  // 2000}}; all or nothing.
  void set_from_json(const nlohmann::json& rates);
  void reset();  // to the default rates, and the random sequence to its start

  // Does it happen now? Draws from the seeded sequence only when 0 < rate < 1.
  bool hit(std::string_view name);
  bool on(std::string_view name) const;                             // can it happen?
  std::chrono::milliseconds duration(std::string_view name) const;  // of a fault that lasts

  nlohmann::json to_json() const;  // name → {rate, times?, ms?, hits}
  std::string list() const;        // a table for people, one line per fault

 private:
  struct Fault {
    FaultKind kind;
    double rate = 0;
    std::optional<std::uint64_t> times_left;
    std::chrono::milliseconds duration{0};
    std::uint64_t hits = 0;
  };
  static Fault as_declared(const FaultKind& kind);
  void check(std::string_view name, const Setting& setting) const;

  const std::uint64_t seed_;
  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::map<std::string, Fault, std::less<>> faults_;
};

}  // namespace eddy::sandbox
