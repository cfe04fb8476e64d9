// `eddy connectors test CONNECTION`: log in there, and say what the credentials allow and what they lack.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/workspace.h"
#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::app {

int test_connection(const Context& context, const std::string& name) {
  const Workspace workspace(context);
  const project::Connection* connection = workspace.project().connection(name);
  const project::ConnectionTypes types = workspace.registry().connection_types();
  if (connection == nullptr || !types.at(connection->type).is_destination) {
    std::vector<std::string> names;
    for (const project::Connection& c : workspace.project().connections)
      if (types.at(c.type).is_destination) names.push_back(c.name);
    const std::string hint = did_you_mean_hint(name, names);
    throw Error("project.unknown_connection",
                fmt::format("there is no destination `{}` in connections.yml", name),
                !hint.empty() ? hint : "there are: " + join(names, ", "));
  }
  const auto destination = workspace.destination(name);
  const auto permissions = destination->permissions();
  bool failed = false;
  Table table(std::vector<std::string>{"it must", "state", "what is missing"});
  for (const sync::Permission& p : permissions) {
    failed = failed || !p.granted;
    table.add(std::vector<std::string>{p.what, p.granted ? "ok" : "missing", redact(p.missing)});
  }
  if (!permissions.empty()) print_out(table.render(context.json ? TableForm::json : TableForm::table));
  if (failed) return exit_failed;
  const std::string line = redact(destination->check());
  if (!context.json)
    print_out(fmt::format("{}: {}\n", name, line));
  else if (permissions.empty())
    print_out(nlohmann::json{{"connection", name}, {"answer", line}}.dump() + "\n");
  return exit_done;
}

}  // namespace eddy::app
