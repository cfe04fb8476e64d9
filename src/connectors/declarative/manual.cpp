#include <fmt/format.h>

#include "connectors/declarative/library.h"
#include "core/text.h"

namespace eddy::connectors {

// "{requests_per_10s}" as "100 (setting requests_per_10s)".
static std::string with_settings_named(const Template& text, const Spec& spec) {
  std::string out = text.source();
  for (const SettingSpec& setting : spec.settings)
    out = replace_all(
        std::move(out), "{" + setting.name + "}",
        fmt::format("{} (setting {})", setting.otherwise ? setting.otherwise->source() : "?", setting.name));
  return out;
}

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
  for (const AuthSpec& auth : spec.auth) out.credentials.push_back(auth.needs);
  for (const ObjectSpec& object : spec.objects.list)
    out.objects.push_back({object.name, object.doc, object.keys});
  out.open_objects = spec.objects.open;
  out.discovers = spec.objects.discover.has_value();
  for (const char* name : {"upsert", "update", "insert", "erase", "archive"}) {
    const auto found = spec.operations.find(name);
    if (found == spec.operations.end()) continue;
    for (const OperationSpec& o : found->second)
      out.operations.push_back({name, o.objects, o.keys, o.rows_max, o.bytes_max, o.idempotent});
  }
  for (const LookupSpec& l : spec.lookups)
    out.operations.push_back({"lookup", l.objects, l.keys, l.rows_max, l.bytes_max, true});
  out.concurrency = spec.limits.concurrency;
  for (const auto& [max, window] : spec.limits.buckets)
    out.limits.push_back(fmt::format("{} requests in {} s", with_settings_named(max, spec),
                                     static_cast<double>(window.count()) / 1000));
  return out;
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
  out += "\nOperations\n";
  for (const auto& o : manual.operations) {
    std::string line = fmt::format("  {:<20} up to {} rows in a request", o.name, o.rows_max);
    if (!o.objects.empty()) line += "; objects: " + join(o.objects, ", ");
    if (!o.keys.empty()) line += "; keys: " + join(o.keys, ", ");
    if (!o.repeatable) line += "; a lost answer leaves the rows in doubt";
    out += line + "\n";
  }
  out += fmt::format("\nLimits\n  {} requests at a time\n", manual.concurrency);
  for (const std::string& limit : manual.limits) out += fmt::format("  {}\n", limit);
  return out;
}

}  // namespace eddy::connectors
