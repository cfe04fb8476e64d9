#include "project/references.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace eddy::project {
namespace {

bool is_layer(std::string_view schema) {
  return schema == "raw" || schema == "clean" || schema == "presentation" || schema == "warehouse";
}

std::string unknown_hint(const std::string& name, const std::vector<std::string>& known) {
  // The right name in another layer is the likeliest mistake of all.
  const std::string last = name.substr(name.find('.') + 1);
  for (const std::string& candidate : known)
    if (candidate.substr(candidate.find('.') + 1) == last)
      return fmt::format("did you mean `{}`?", candidate);
  if (std::string hint = did_you_mean_hint(name, known); !hint.empty()) return hint;
  return name.starts_with("raw.")
             ? "streams are declared in sources/*.yml; their relation is raw.<source>_<stream>"
             : fmt::format("add models/{}.sql", replace_all(name, ".", "/"));
}

}  // namespace

bool check_relation(const std::string& name, const std::vector<std::string>& known, const Complain& complain,
                    Diagnostics& diagnostics) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return true;
  diagnostics.add(complain("project.unknown_relation", fmt::format("there is no relation `{}`", name),
                           unknown_hint(name, known), 1, 1));
  return false;
}

std::vector<std::string> relations_read(engine::Connection& connection, std::string_view sql,
                                        const std::vector<std::string>& known, const Complain& complain,
                                        Diagnostics& diagnostics) {
  std::vector<std::string> read;
  std::vector<engine::TableReference> references;
  try {
    references = engine::table_references(connection, sql);
  } catch (const Error& e) {
    const SourcePosition& at = e.diagnostics().front().position;
    diagnostics.add(complain(e.code(), e.message(), e.hint(), std::max(1, at.line), std::max(1, at.column)));
    return read;
  }
  for (const engine::TableReference& reference : references) {
    if (reference.schema.empty()) {
      std::vector<std::string> same_name;
      for (const std::string& candidate : known)
        if (candidate.substr(candidate.find('.') + 1) == reference.name)
          same_name.push_back("`" + candidate + "`");
      diagnostics.add(complain("project.missing_layer",
                               fmt::format("`{}` is written without its layer", reference.name),
                               same_name.empty() ? "write layer.name: raw, clean, presentation or warehouse"
                                                 : "did you mean " + join(same_name, " or ") + "?",
                               reference.line, reference.column));
      continue;
    }
    if (!is_layer(lower(reference.schema))) continue;  // information_schema and the like
    const std::string name = lower(reference.schema) + "." + reference.name;
    const auto found = std::find_if(known.begin(), known.end(), [&](const std::string& candidate) {
      return lower(candidate) == lower(name);
    });
    if (found != known.end()) {
      if (std::find(read.begin(), read.end(), *found) == read.end()) read.push_back(*found);
      continue;
    }
    diagnostics.add(complain("project.unknown_relation", fmt::format("there is no relation `{}`", name),
                             unknown_hint(name, known), reference.line, reference.column));
  }
  return read;
}

}  // namespace eddy::project
