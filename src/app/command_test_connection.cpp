// connectors test: whether a connection's credentials are taken, and what they lack.
#include <fmt/format.h>

#include "app/workspace.h"
#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::app {

int test_connection(const Context& context, const std::string& name) {
  const Workspace workspace(context, false);
  const project::Connection* connection = workspace.project().connection(name);
  if (connection == nullptr) {
    std::vector<std::string> names;
    for (const project::Connection& c : workspace.project().connections) names.push_back(c.name);
    const std::string hint = did_you_mean_hint(name, names);
    throw Error("project.unknown_connection", fmt::format("there is no connection `{}`", name),
                hint.empty() ? "connections are in connections.yml" : hint);
  }
  if (workspace.registry().destination(connection->type) == nullptr) return doctor(context, {name});
  const auto destination = workspace.destination(name);
  Table table(std::vector<std::string>{"connection", "must be able to", "state", "what to do"});
  bool good = true;
  try {
    const std::vector<sync::Permission> permissions = destination->permissions();
    for (const sync::Permission& p : permissions) {
      good = good && p.granted;
      table.add(std::vector<std::string>{name, p.what, p.granted ? "ok" : "missing", redact(p.missing)});
    }
    if (good) {
      const std::string answer = destination->check();
      if (permissions.empty()) table.add(std::vector<std::string>{name, "log in", "ok", ""});
      if (!context.json && !context.quiet) print_err(redact(answer) + "\n");
    }
  } catch (const Error& error) {
    good = false;
    table.add(std::vector<std::string>{name, "log in", "failed", redact(error.message())});
    if (!context.json)
      for (const Diagnostic& d : error.diagnostics()) print_err(redact(render(d)));
  }
  print_out(table.render(context.json ? TableForm::json : TableForm::table));
  return good ? exit_done : exit_failed;
}

}  // namespace eddy::app
