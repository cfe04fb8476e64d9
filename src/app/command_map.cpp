// map: a mapping is proposed from the model's real data and the object's fields, and written when asked for.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/describe_object.h"
#include "app/draft_sync.h"
#include "core/error.h"
#include "core/text.h"
#include "sync/definition.h"

namespace eddy::app {
namespace {

using nlohmann::json;

// The model in Eddy's engine, to be measured; of a warehouse of the user's own its first rows.
std::string relation_of(const Context& context, Workspace& workspace, engine::Connection& connection,
                        const DraftSync& draft) {
  constexpr std::uint64_t rows_max = 200'000;
  const std::string relation = sync::model_relation(draft.model, draft.model_sql);
  if (const warehouse::OwnWarehouse* own = workspace.session().own()) {
    const std::string table = "eddy_model";
    const auto dialect = own->open();
    if (warehouse::bring_table(*dialect, connection, "select * from " + relation, table, rows_max) ==
            rows_max &&
        !context.quiet)
      print_err(fmt::format("measured on the first {} rows of {}\n", with_commas(rows_max), draft.model));
    return table;
  }
  if (!draft.model_sql.empty()) return "(" + draft.model_sql + "\n)";
  const auto relations = workspace.session().relations(connection);
  if (std::find(relations.begin(), relations.end(), draft.model) != relations.end()) return relation;
  if (workspace.project().graph.find(draft.model) != nullptr)
    throw Error(draft.node["model"].complaint("sync.model_not_built",
                                              fmt::format("`{}` has not been built yet", draft.model),
                                              fmt::format("eddy run -s +{}", draft.model)));
  std::vector<std::string> known;
  for (const project::Node& node : workspace.project().graph.nodes()) known.push_back(node.name);
  const std::string hint = did_you_mean_hint(draft.model, known);
  throw Error(draft.node["model"].complaint("sync.unknown_model",
                                            fmt::format("there is no model `{}`", draft.model),
                                            hint.empty() ? "`eddy ls` lists them" : hint));
}

json to_json(const sync::Suggestion& s) {
  return {{"field", s.field},    {"column", s.column},
          {"value", s.value()},  {"confidence", std::max(0.0, std::round(s.confidence * 100) / 100)},
          {"sure", s.is_sure()}, {"reason", s.reason}};
}

json to_json(const std::vector<sync::Suggestion>& list) {
  json out = json::array();
  for (const sync::Suggestion& s : list) out.push_back(to_json(s));
  return out;
}

std::string count_of(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", with_commas(count), what, count == 1 ? "" : "s");
}

// "key and 7 fields"; "" when nothing is to be added.
std::string additions(const sync::MappingSuggestion& suggestion, const sync::Mapped& mapped) {
  std::vector<std::string> parts;
  if (!mapped.key && suggestion.sure_key() != nullptr) parts.emplace_back("the key");
  if (const std::size_t fields = suggestion.sure_fields().size(); fields > 0)
    parts.push_back(count_of(fields, "field"));
  return join(parts, " and ");
}

}  // namespace

int map(const Context& context, const MapOptions& options) {
  Workspace workspace(context, false);
  const DraftSync draft = read_draft(workspace, options);
  auto connection = workspace.session().connect();
  auto columns = sync::measure_columns(connection, relation_of(context, workspace, connection, draft));
  std::erase_if(columns,
                [](const sync::ColumnFacts& c) { return c.name == "_load_id" || c.name == "_loaded_at"; });
  const auto destination = workspace.destination(
      draft.destination, options.refresh ? sync::Asking::always : sync::Asking::when_missing);
  const sync::ObjectSchema object = describe_object(*destination, draft.destination, draft.object);
  const sync::Mapped mapped = mapped_in(draft, connection);
  const sync::MappingSuggestion suggestion = sync::suggest_mapping(columns, object, mapped);
  const std::string text = with_proposals(draft, suggestion);
  const std::string added = additions(suggestion, mapped);
  const bool has_key = mapped.key || suggestion.sure_key() != nullptr;
  const bool write = options.write && (text != draft.text || draft.is_new) && (has_key || !draft.is_new);
  const std::uint64_t rows = columns.empty() ? 0 : columns.front().rows;

  if (context.json) {
    print_out(json{{"sync", draft.name},
                   {"file", draft.file},
                   {"rows", rows},
                   {"schema_age", destination->note()},
                   {"key", to_json(suggestion.key)},
                   {"fields", to_json(suggestion.fields)},
                   {"mapped", mapped.fields},
                   {"unmapped_columns", suggestion.unmapped_columns},
                   {"unmapped_required", suggestion.unmapped_required},
                   {"written", write}}
                  .dump(-1, ' ', false, json::error_handler_t::replace) +
              "\n");
  } else {
    print_out(sync::as_yaml(suggestion, mapped));
  }
  if (write) write_draft(draft, text);
  if (options.write && draft.is_new && !has_key)
    throw Error("map.no_key",
                fmt::format("{} was not written: no column of {} can identify a record of {}", draft.file,
                            draft.model, draft.object),
                "make one unique and without nulls, or write the file with a key of your own");
  if (context.quiet || context.json) return exit_done;
  const std::string age = destination->note();
  print_err(fmt::format("{} measured; {} of {} at {}{}\n", count_of(rows, "row"),
                        count_of(object.fields.size(), "field"), draft.object, draft.destination,
                        age.empty() ? "" : ": " + age + " (--refresh asks anew)"));
  if (!mapped.fields.empty())
    print_err(fmt::format("mapped already, and left as they are: {}\n",
                          join(std::vector<std::string>(mapped.fields.begin(), mapped.fields.end()), ", ")));
  if (write)
    print_err(fmt::format("{} {}{}\n", draft.file, draft.is_new ? "made" : "completed",
                          added.empty() ? "" : ": " + added + " added"));
  else if (added.empty())
    print_err("nothing to add\n");
  else if (!options.write)
    print_err(fmt::format("add {} to {} with: eddy map {}{} --write\n", added, draft.file, draft.name,
                          draft.is_new ? fmt::format(" --model {} --destination {} --object {}",
                                                     options.model, options.destination, options.object)
                                       : ""));
  if (!has_key) print_err(fmt::format("{} has no key yet: choose one and write it yourself\n", draft.file));
  return exit_done;
}

}  // namespace eddy::app
