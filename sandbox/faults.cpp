#include "sandbox/faults.h"

#include <charconv>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::sandbox {
namespace {

double rate_of(std::string_view text, std::string_view whole) {
  double rate = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (ec != std::errc{} || end != text.data() + text.size())
    throw Error("sandbox.invalid_rate",
                fmt::format("`{}` has no number between 0 and 1 after the `=`", whole),
                "write SERVICE.NAME, SERVICE.NAME=0.2 or SERVICE.NAME=1x3");
  return rate;
}

}  // namespace

const std::vector<FaultKind>& generic_faults() {
  static const std::vector<FaultKind> kinds = {
      {"drop_before", "the connection is cut before anything is done"},
      {"drop_after_apply", "a write is applied, then the connection is cut without an answer"},
      {"http_500", "500 in the service's own shape, nothing done"},
      {"http_503", "503 in the service's own shape, nothing done"},
      {"throttle", "the service's own answer to too many requests, nothing done"},
      {"expire_token", "every access token issued so far is worthless from now on"},
      {"slow", "the answer comes half a second late and in small pieces"},
      {"malformed_json",
       "a good answer whose body is broken off in the middle, with the length of what is left"},
      {"empty_2xx", "a good answer with an empty body"},
      {"truncated", "a good answer announced in full, cut in the middle of its body"},
      {"wrong_content_type", "a good answer that says it is text/html"},
      {"wrong_charset", "a good answer in UTF-16 that says it is UTF-8"},
      {"huge_body", "a good answer followed by 32 MiB of blanks"},
      {"html_502", "502 with a page of HTML from something in between, nothing done"},
  };
  return kinds;
}

void Faults::declare(std::string_view service, const std::vector<FaultKind>& own) {
  const std::lock_guard lock(mutex_);
  for (const auto* kinds : {&generic_faults(), &own})
    for (const FaultKind& kind : *kinds)
      faults_.insert_or_assign(fmt::format("{}.{}", service, kind.name), as_declared(kind));
}

Faults::Fault Faults::as_declared(const FaultKind& kind) {
  return {.kind = kind, .rate = kind.default_rate, .times_left = {}, .duration = kind.default_duration};
}

void Faults::check(std::string_view name, const Setting& setting) const {
  if (!faults_.contains(name)) {
    std::vector<std::string> names;
    for (const auto& [known, fault] : faults_) names.push_back(known);
    const std::string hint = did_you_mean_hint(name, names);
    throw Error("sandbox.unknown_fault", fmt::format("there is no fault `{}`", name),
                hint.empty() ? "eddy-sandbox --list-faults prints them all" : hint);
  }
  if (!(setting.rate >= 0 && setting.rate <= 1))
    throw Error("sandbox.invalid_rate", fmt::format("the rate of `{}` is not between 0 and 1", name));
  if (setting.duration && faults_.find(name)->second.kind.default_duration.count() == 0)
    throw Error("sandbox.invalid_rate", fmt::format("`{}` is of a moment and takes no duration", name),
                "leave out what follows the `@`, or `ms`");
}

void Faults::set(std::string_view name, const Setting& setting) {
  const std::lock_guard lock(mutex_);
  check(name, setting);
  Fault& fault = faults_.find(name)->second;
  fault.rate = setting.rate;
  fault.times_left = setting.times;
  fault.duration = setting.duration.value_or(fault.kind.default_duration);
}

void Faults::set_from_text(std::string_view text) {
  Setting setting;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    setting.duration = parse_duration(rest.substr(at + 1));
    rest = rest.substr(0, at);
  }
  const std::size_t equals = rest.find('=');
  const std::string_view name = rest.substr(0, equals);
  if (equals == std::string_view::npos) return set(name, setting);
  const std::string_view value = rest.substr(equals + 1);
  const std::size_t x = value.find('x');
  // A whole number above one says how often.
  if (x == std::string_view::npos && value.find('.') == std::string_view::npos)
    if (const double number = rate_of(value, text); number > 1) {
      setting.times = static_cast<std::uint64_t>(number);
      return set(name, setting);
    }
  if (x != std::string_view::npos) {
    std::uint64_t count = 0;
    const auto [end, ec] = std::from_chars(value.data() + x + 1, value.data() + value.size(), count);
    if (ec != std::errc{} || end != value.data() + value.size()) rate_of("", text);
    setting.times = count;
  }
  setting.rate = rate_of(value.substr(0, x), text);
  set(name, setting);
}

void Faults::set_from_json(const nlohmann::json& rates) {
  const auto invalid = [] {
    return Error("sandbox.invalid_rate", "faults are an object of SERVICE.NAME: rate",
                 R"(for example {"hubspot.throttle": 0.1, "zendesk.http_500": {"rate": 1, "times": 3}})");
  };
  std::vector<std::pair<std::string, Setting>> changes;
  if (!rates.is_object()) throw invalid();
  for (const auto& [name, value] : rates.items()) {
    Setting setting;
    if (value.is_number()) {
      setting.rate = value.get<double>();
    } else if (value.is_object() && value.value("rate", nlohmann::json(1)).is_number()) {
      setting.rate = value.value("rate", 1.0);
      for (const char* count : {"times", "ms"})
        if (value.contains(count) && !value[count].is_number_unsigned()) throw invalid();
      if (value.contains("times")) setting.times = value["times"].get<std::uint64_t>();
      if (value.contains("ms")) setting.duration = std::chrono::milliseconds{value["ms"].get<std::int64_t>()};
    } else {
      throw invalid();
    }
    changes.emplace_back(name, setting);
  }
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, setting] : changes) check(name, setting);
  }
  for (const auto& [name, setting] : changes) set(name, setting);
}

void Faults::reset() {
  const std::lock_guard lock(mutex_);
  random_.seed(seed_);
  for (auto& [name, fault] : faults_) fault = as_declared(fault.kind);
}

bool Faults::hit(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto at = faults_.find(name);
  if (at == faults_.end()) throw std::logic_error("undeclared fault " + std::string{name});
  Fault& fault = at->second;
  if (fault.rate <= 0 || fault.times_left == 0) return false;
  if (fault.rate < 1 && std::uniform_real_distribution<double>(0, 1)(random_) >= fault.rate) return false;
  if (fault.times_left) --*fault.times_left;
  ++fault.hits;
  return true;
}

bool Faults::on(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto at = faults_.find(name);
  return at != faults_.end() && at->second.rate > 0 && at->second.times_left != 0;
}

std::chrono::milliseconds Faults::duration(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto at = faults_.find(name);
  return at == faults_.end() ? std::chrono::milliseconds{0} : at->second.duration;
}

nlohmann::json Faults::to_json() const {
  const std::lock_guard lock(mutex_);
  nlohmann::json out = nlohmann::json::object();
  for (const auto& [name, fault] : faults_) {
    out[name] = {{"rate", fault.rate}, {"hits", fault.hits}};
    if (fault.times_left) out[name]["times"] = *fault.times_left;
    if (fault.duration.count() > 0) out[name]["ms"] = fault.duration.count();
  }
  return out;
}

std::string Faults::list() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, fault] : faults_)
    out += fmt::format("{:<34} {}{}\n", name, fault.kind.meaning,
                       fault.kind.default_rate > 0 ? " (on unless set to 0)" : "");
  return out;
}

}  // namespace eddy::sandbox
