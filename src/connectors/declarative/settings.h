// The settings of one connection to one service, with the defaults of its connector filled in.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/document.h"
#include "connectors/declarative/spec.h"
#include "connectors/declarative/template.h"

namespace eddy::connectors {

// Immutable. Secrets are registered (core/secrets.h), so no text on its way out shows them.
class Settings {
 public:
  // Throws Error("destination.settings").
  Settings(const Spec& spec, const config::Node& node);
  std::optional<std::string> get(const std::string& name) const;
  Lookup lookup() const;
  const std::map<std::string, std::string>& all() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

// A whole text that is a number.
std::optional<double> as_number(std::string_view text);
// "90%" and "0.9" as 0.9. Throws Error("destination.settings").
double as_share(const std::string& text);

}  // namespace eddy::connectors
