#include "connectors/declarative/settings.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

double as_share(const std::string& text) {
  const std::string clean = trim(text);
  const bool percent = clean.ends_with('%');
  const auto number = as_number(trim(std::string_view(clean).substr(0, clean.size() - (percent ? 1 : 0))));
  if (!number)
    throw Error("destination.settings", fmt::format("`{}` is not a share", text), "write it like 90%");
  return percent ? *number / 100 : *number;
}

Settings::Settings(const Spec& spec, const config::Node& node) {
  for (const SettingSpec& setting : spec.settings) {
    if (node[setting.name].is_scalar() && !node[setting.name].text().empty()) {
      values_[setting.name] = node[setting.name].text();
      if (setting.secret) register_secret(values_[setting.name]);
    }
  }
  for (const SettingSpec& setting : spec.settings) {
    if (values_.contains(setting.name)) continue;
    if (const auto text = setting.otherwise ? setting.otherwise->text(lookup()) : std::nullopt) {
      values_[setting.name] = *text;
    } else if (setting.required || setting.name == "base_url") {
      const auto needs = setting.otherwise ? join(setting.otherwise->names(), " and ") : setting.name;
      throw Error("destination.settings", fmt::format("{}: `{}` is not set", spec.title, setting.name),
                  fmt::format("set {}", needs), node.position());
    }
  }
  std::string& base = values_["base_url"];
  while (base.ends_with('/')) base.pop_back();
}

std::optional<std::string> Settings::get(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional<std::string>(found->second);
}

Lookup Settings::lookup() const {
  return [this](std::string_view name) -> std::optional<json> {
    if (auto value = get(std::string(name))) return json(*value);
    return std::nullopt;
  };
}

}  // namespace eddy::connectors
