#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "connectors/declarative/discovery.h"
#include "connectors/declarative/job_spec.h"
#include "connectors/declarative/library.h"
#include "connectors/declarative/object_name.h"
#include "core/text.h"

namespace eddy::connectors {

namespace {

// "{requests_per_10s}" as "100 (setting requests_per_10s)".
std::string with_settings_named(const Template& text, const Spec& spec) {
  std::string out = text.source();
  for (const SettingSpec& setting : spec.settings)
    out = replace_all(
        std::move(out), "{" + setting.name + "}",
        fmt::format("{} (setting {})", setting.otherwise ? setting.otherwise->source() : "?", setting.name));
  return out;
}

std::string duration_text(std::chrono::milliseconds duration) {
  const double seconds = static_cast<double>(duration.count()) / 1000;
  if (seconds >= 3600) return fmt::format("{:g} h", seconds / 3600);
  return seconds >= 60 ? fmt::format("{:g} min", seconds / 60) : fmt::format("{:g} s", seconds);
}

std::string how(const MatchSpec& match) {
  switch (match.by) {
    case MatchSpec::By::position:
      return "by position";
    case MatchSpec::By::index:
      return "by its place in the request";
    case MatchSpec::By::echo:
      return match.row == MatchSpec::Row::trace ? "by an echoed mark"
             : match.row == MatchSpec::Row::key ? "by the echoed key"
                                                : "by the record's id";
    case MatchSpec::By::alone:
      return "as the only row left";
    default:
      return "all rows at once";
  }
}

// Adds how replies name their rows, each way once.
void add_matching(const std::vector<RowsSpec>& lists, bool missing_row_applied,
                  std::vector<std::string>& out) {
  const auto add = [&](const std::string& text) {
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(text);
  };
  for (const RowsSpec& rows : lists)
    for (const MatchSpec& match : rows.match) add(how(match));
  if (missing_row_applied) add("as applied, when no failure names them");
}
void add_matching(const OutcomeSpec& outcome, std::vector<std::string>& out) {
  add_matching(outcome.rows, outcome.missing_row_applied, out);
  if (!outcome.counted.empty()) out.push_back("by counts that must add up");
}

ConnectorManual::Operation operation(const std::string& name, const OperationSpec& o, const Spec& spec) {
  ConnectorManual::Operation out{.name = name,
                                 .objects = o.objects,
                                 .keys = o.keys_all.empty() ? o.keys : o.keys_all,
                                 .keys_not = o.keys_not,
                                 .known_keys = o.known_keys,
                                 .rows_max = o.rows_max,
                                 .bytes_max = o.bytes_max,
                                 .repeatable = o.idempotent,
                                 .matching = {},
                                 .steps = {}};
  add_matching(o.outcome, out.matching);
  if (!o.keys_all.empty()) out.keys = {join(o.keys_all, " and ") + " together"};
  if (o.composite) out.steps.push_back("the key may have several fields");
  if (!o.found.empty() || !o.missing.empty()) {
    out.steps.push_back("the record is looked up by its key first");
    const auto step = [&](const std::vector<OperationSpec>& list, const std::string& then) {
      if (list.empty()) return;
      out.steps.push_back(fmt::format("{}, up to {} rows in a request", then, list.front().rows_max));
      out.repeatable = out.repeatable && list.front().idempotent;
      out.rows_max = std::max(out.rows_max, list.front().rows_max);
      add_matching(list.front().outcome, out.matching);
    };
    step(o.found, name == "erase"     ? "found: it is deleted"
                  : name == "archive" ? "found: it is archived"
                                      : "found: it is updated");
    step(o.missing, "not found: it is created");
  }
  if (o.job) {
    std::string text = "as a job that is polled";
    if (!o.rows_min.source().empty())
      text += fmt::format(", for {} rows and more", with_settings_named(o.rows_min, spec));
    out.steps.push_back(text);
    for (const JobResultSpec& result : o.job->results)
      add_matching(result.rows, o.job->missing_row_applied, out.matching);
  }
  if (!o.way.empty())
    out.steps.push_back(fmt::format("`write_by: {}` in the connection asks for this way always", o.way));
  return out;
}

std::vector<std::string> behaviours(const Spec& spec) {
  std::vector<std::string> out;
  const TransformSpec& t = spec.transforms;
  if (t.all_text) out.push_back("every value is sent as text");
  out.push_back(t.null == TransformSpec::Null::null ? "a null is sent as null: it empties the field"
                : t.null == TransformSpec::Null::empty_text
                    ? "a null is sent as an empty text: it empties the field"
                    : "a null is left out: it does not empty the field");
  if (t.date == TransformSpec::Time::epoch_ms) out.push_back("dates are sent as milliseconds since 1970");
  if (t.timestamp == TransformSpec::Time::epoch_ms)
    out.push_back("timestamps are sent as milliseconds since 1970");
  if (!t.list_separator.empty())
    out.push_back(fmt::format("lists of texts are joined with `{}`", t.list_separator));
  for (const auto& [list, pair] : t.pairs)
    out.push_back(fmt::format("fields below `{0}`, as `{0}.7`, are sent as a list of `{{{1}: 7, {2}: …}}`",
                              list, pair.name, pair.value));
  return out;
}

std::vector<std::string> limits(const Spec& spec) {
  std::vector<std::string> out;
  for (const auto& [max, window] : spec.limits.buckets)
    out.push_back(fmt::format("{} requests in {}", with_settings_named(max, spec), duration_text(window)));
  for (const auto& [name, buckets] : spec.limits.named)
    for (const auto& [max, window] : buckets)
      out.push_back(
          fmt::format("{}: {} requests in {}", name, with_settings_named(max, spec), duration_text(window)));
  for (const http::HeaderReader& header : spec.limits.headers)
    out.push_back(fmt::format("what is left, as the replies' header {} says", header.remaining));
  if (const auto& quota = spec.limits.quota) {
    std::string text = quota->count.source().empty()
                           ? "the day's requests, as the replies say"
                           : with_settings_named(quota->count, spec) + " requests a day";
    if (!quota->stop_at.source().empty())
      text += fmt::format("; Eddy stops at {} of them", with_settings_named(quota->stop_at, spec));
    out.push_back(text);
  }
  return out;
}

}  // namespace

ConnectorManual manual(const LoadedConnector& connector) {
  const Spec& spec = *connector.spec;
  ConnectorManual out;
  out.name = spec.name;
  out.title = spec.title;
  out.summary = spec.summary;
  out.contract = spec.contract;
  out.origin = connector.origin;
  for (const SettingSpec& s : spec.settings)
    out.settings.push_back(
        {s.name, s.doc, s.type, s.otherwise ? s.otherwise->source() : "", s.required, s.secret});
  for (const AuthSpec& auth : spec.auth) {
    out.credentials.push_back(auth.needs);
    out.credentials_how.push_back(auth.kind == AuthSpec::Kind::oauth2  ? "OAuth 2"
                                  : auth.kind == AuthSpec::Kind::basic ? "HTTP Basic"
                                                                       : "a header of every request");
  }
  for (const ObjectSpec& object : spec.objects.list)
    out.objects.push_back({object.name, object.doc, object.keys});
  for (const OptionSpec& o : spec.options)
    out.options.push_back(
        {o.name, o.doc, o.type, o.otherwise ? o.otherwise->source() : "", o.values, o.objects});
  out.open_objects = spec.objects.open;
  out.discovers = spec.objects.discover.has_value();
  for (const char* name : {"upsert", "update", "insert", "erase", "archive"})
    if (const auto found = spec.operations.find(name); found != spec.operations.end())
      for (const OperationSpec& o : found->second) out.operations.push_back(operation(name, o, spec));
  for (const LookupSpec& l : spec.lookups)
    out.operations.push_back(
        {.name = "lookup",
         .objects = l.objects,
         .keys = l.keys,
         .keys_not = l.keys_not,
         .known_keys = l.known_keys,
         .rows_max = l.rows_max,
         .bytes_max = l.bytes_max,
         .repeatable = true,
         .matching = {},
         .steps = l.lags.count() > 0
                      ? std::vector<std::string>{fmt::format(
                            "lags {} behind: only to tell update from create", duration_text(l.lags))}
                      : std::vector<std::string>{}});
  out.concurrency = spec.limits.concurrency;
  out.limits = limits(spec);
  out.behaviours = behaviours(spec);
  if (spec.check)
    for (const NeedSpec& need : spec.check->needs) out.needs.emplace_back(need.what, need.otherwise);
  return out;
}

std::optional<sync::ObjectSchema> known_object(const LoadedConnector& connector, const std::string& name) {
  const ObjectSpec* object = find_object(*connector.spec, name);
  if (object == nullptr) return std::nullopt;
  sync::ObjectSchema out{name, {}, connector.spec->objects.open_fields || connector.spec->objects.discover};
  for (const FieldSpec& f : object->fields)
    out.fields.push_back({.name = f.name,
                          .type = f.type,
                          .native_type = std::string(name_of(f.type)),
                          .required = f.required,
                          .writable = f.writable,
                          .key = f.key,
                          .length_max = f.length_max,
                          .options = f.options,
                          .unique = f.unique});
  return out;
}

std::string options_text(const ConnectorManual& manual, const std::string& object) {
  std::string out;
  for (const auto& o : manual.options) {
    const bool fits = o.objects.empty() || object.empty() ||
                      std::any_of(o.objects.begin(), o.objects.end(), [&](const std::string& name) {
                        return name == object || words_of(name, object).has_value();
                      });
    if (!fits) continue;
    out += fmt::format("  {:<20} {}", o.name, o.doc);
    if (!o.values.empty()) out += fmt::format(" ({})", join(o.values, ", "));
    if (!o.objects.empty() && object.empty()) out += fmt::format(" (of {})", join(o.objects, ", "));
    if (!o.otherwise.empty()) out += fmt::format(" (default {})", o.otherwise);
    out += "\n";
  }
  return out;
}

nlohmann::json manual_json(const ConnectorManual& m) {
  using nlohmann::json;
  json settings = json::array(), objects = json::array(), options = json::array(), operations = json::array();
  for (const auto& s : m.settings)
    settings.push_back({{"name", s.name},
                        {"doc", s.doc},
                        {"type", s.type},
                        {"default", s.otherwise},
                        {"required", s.required},
                        {"secret", s.secret}});
  for (const auto& o : m.objects) objects.push_back({{"name", o.name}, {"doc", o.doc}, {"keys", o.keys}});
  for (const auto& o : m.options)
    options.push_back({{"name", o.name},
                       {"doc", o.doc},
                       {"type", o.type},
                       {"default", o.otherwise},
                       {"values", o.values},
                       {"objects", o.objects}});
  for (const auto& o : m.operations)
    operations.push_back({{"name", o.name},
                          {"objects", o.objects},
                          {"keys", o.keys},
                          {"keys_not", o.keys_not},
                          {"rows_max", o.rows_max},
                          {"bytes_max", o.bytes_max},
                          {"repeatable", o.repeatable},
                          {"matching", o.matching},
                          {"steps", o.steps}});
  return {{"name", m.name},
          {"title", m.title},
          {"summary", m.summary},
          {"contract", m.contract},
          {"origin", m.origin},
          {"settings", settings},
          {"credentials", m.credentials},
          {"objects", objects},
          {"options", options},
          {"open_objects", m.open_objects},
          {"discovers", m.discovers},
          {"operations", operations},
          {"concurrency", m.concurrency},
          {"limits", m.limits},
          {"behaviours", m.behaviours}};
}

std::string manual_text(const ConnectorManual& manual) {
  std::string out = fmt::format("{} ({}): {}\n", manual.name, manual.title, manual.summary);
  out +=
      fmt::format("  {}{}\n", manual.origin, manual.contract.empty() ? "" : ", contract: " + manual.contract);
  out += "\nSettings\n";
  for (const auto& s : manual.settings) {
    std::string marks = s.required ? " (required)" : "";
    if (s.secret) marks += " (secret)";
    if (!s.otherwise.empty()) marks += fmt::format(" (default {})", s.otherwise);
    out += fmt::format("  {:<20} {}{}\n", s.name, s.doc, marks);
  }
  if (!manual.credentials.empty()) {
    std::vector<std::string> ways;
    for (const auto& way : manual.credentials) ways.push_back(join(way, " + "));
    out += fmt::format("  log in with: {}\n", join(ways, ", or "));
  }
  out += "\nObjects\n";
  for (const auto& o : manual.objects)
    out += fmt::format("  {:<20} {}{}\n", o.name, o.doc,
                       o.keys.empty() ? "" : " (keys: " + join(o.keys, ", ") + ")");
  if (manual.open_objects) out += "  others by the service's own name\n";
  if (const std::string options = options_text(manual, ""); !options.empty())
    out += "\nOptions of a sync\n" + options;
  out += "\nOperations\n";
  for (const auto& o : manual.operations) {
    std::string line = fmt::format("  {:<20} up to {} rows in a request", o.name, o.rows_max);
    if (!o.objects.empty()) line += "; objects: " + join(o.objects, ", ");
    if (!o.keys.empty()) line += "; keys: " + join(o.keys, ", ");
    if (!o.keys_not.empty()) line += "; not by " + join(o.keys_not, ", ");
    if (!o.repeatable) line += "; a lost answer leaves the rows in doubt";
    for (const std::string& step : o.steps) line += "; " + step;
    out += line + "\n";
  }
  out += fmt::format("\nLimits\n  {} requests at a time\n", manual.concurrency);
  for (const std::string& limit : manual.limits) out += fmt::format("  {}\n", limit);
  return out;
}

}  // namespace eddy::connectors
