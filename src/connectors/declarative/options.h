// What a sync asks of a service beyond mode, key and mapping: the `options:` of connector.yml, which are the
// words of a sync's own `options:`. In requests they are {options.name}.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/shape.h"
#include "connectors/declarative/template.h"

namespace eddy::connectors {

struct Spec;

struct OptionSpec {
  std::string name;
  std::string doc;
  std::string type = "text";          // text, integer, boolean
  std::vector<std::string> values;    // those allowed; empty: any
  std::vector<std::string> objects;   // has a meaning for these; empty: for all
  std::optional<Template> otherwise;  // default; may use settings
};

// The options of one sync, with the defaults of the connector filled in. Immutable.
class Options {
 public:
  Options() = default;
  // `settings`: what defaults may use. Options that are not for this object have no value.
  Options(const Spec& spec, const Lookup& settings, const std::string& object, const config::Node& given);
  // The value of the placeholder {options.name}; nullopt: it is no option, or has no value.
  std::optional<nlohmann::json> get(std::string_view placeholder) const;

 private:
  std::map<std::string, nlohmann::json, std::less<>> values_;  // by placeholder
};

// How a sync's `options:` must look.
config::Shape options_shape(const Spec& spec);
// Throws Error("destination.options"), with its position, for an option that has no meaning for this object.
void check_options(const Spec& spec, const std::string& object, const config::Node& given);

}  // namespace eddy::connectors
