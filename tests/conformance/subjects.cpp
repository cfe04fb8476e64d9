#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "config/document.h"
#include "conformance/subject.h"
#include "core/text.h"

namespace eddy::conformance {

// Another system is added here: one file with its function, one line.
std::vector<NamedSubject> all_subjects() {
  std::vector<NamedSubject> subjects = {postgres_subject(), mysql_subject(), sqlite_subject()};
  for (NamedSubject& subject : files_subjects()) subjects.push_back(std::move(subject));
  for (NamedSubject& subject : webhook_subjects()) subjects.push_back(std::move(subject));
  for (NamedSubject& subject : saas_subjects()) subjects.push_back(std::move(subject));
  return subjects;
}

Value Subject::key_value(const Column& column, int n) const {
  return column.type == Type::integer ? Value::integer(n) : Value::text(fmt::format("key-{:05}", n));
}

std::string canonical(const Value& value) {
  switch (value.type()) {
    case Type::blob:
      return base64(value.as_string());
    case Type::json:
      return nlohmann::json::parse(value.as_string()).dump();
    case Type::real:
      if (std::isnan(value.as_real())) return "NaN";
      if (std::isinf(value.as_real())) return value.as_real() > 0 ? "Infinity" : "-Infinity";
      return value.to_text();
    default:
      return value.to_text();
  }
}

std::unique_ptr<sync::Destination> make_destination(const sync::DestinationType& type,
                                                    const std::string& settings,
                                                    const std::filesystem::path& project) {
  static const Cancel cancel;
  Diagnostics diagnostics;
  const config::Node node = config::parse(settings, "connections.yml", config::no_variables(), diagnostics);
  type.settings.check(node, diagnostics);
  diagnostics.throw_if_any();
  return type.make(node, {.clock = system_clock(), .cancel = cancel, .project = project});
}

}  // namespace eddy::conformance
