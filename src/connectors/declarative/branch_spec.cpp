#include "connectors/declarative/branch_spec.h"

#include "connectors/declarative/spec_reader.h"

namespace eddy::connectors {

using config::Node;

std::optional<std::string> id_in_the_way(const ConflictSpec& conflict, const Reply& reply) {
  if (!reply.json || !conflict.when.holds(reply)) return std::nullopt;
  const nlohmann::json* value = at(*reply.json, conflict.id);
  if (value == nullptr || !value->is_primitive() || value->is_null()) return std::nullopt;
  std::string text = plain_text(*value);
  if (conflict.pattern) {
    std::smatch found;
    // std::regex recurses; long texts could exhaust the stack.
    if (text.size() >= 10'000 || !std::regex_search(text, found, *conflict.pattern) || found.size() < 2)
      return std::nullopt;
    text = found[1].str();
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

ConflictSpec SpecReader::conflict(const Node& node) const {
  ConflictSpec out;
  out.when = Predicate::parse(node["when"]);
  out.id = pointer(node["id"]);
  out.read_by = node["read_by"].text();
  if (const Node pattern = node["pattern"]; pattern.exists()) {
    try {
      out.pattern = std::make_shared<const std::regex>(pattern.text());
    } catch (const std::regex_error&) {
      pattern.fail("connector.pattern", "`" + pattern.text() + "` is not a regular expression");
    }
    if (out.pattern->mark_count() < 1)
      pattern.fail("connector.pattern", "`" + pattern.text() + "` has no group",
                   "put what is the id into parentheses: id=([0-9]+)");
  }
  return out;
}

void SpecReader::branch(const Node& node, const ErrorSpec& connector_errors, OperationSpec& out) const {
  out.of = placeholders(node["of"], false);
  SpecReader found(*this);
  found.names_.push_back("row.id");
  out.found.push_back(found.operation(node["found"], connector_errors, false));
  found.check_operation(node["found"], "found", out.found.back());
  if (!node["missing"].exists()) return;
  // It makes a record, as an insert does.
  out.missing.push_back(operation(node["missing"], connector_errors, true));
  check_operation(node["missing"], "missing", out.missing.back());
  if (node["missing"]["on_conflict"].exists())
    out.missing.back().conflict = conflict(node["missing"]["on_conflict"]);
}

void SpecReader::check_operation(const Node& node, const std::string& name, const OperationSpec& out) const {
  if (out.found.empty()) {
    for (const char* word : {"request", "outcome"})
      if (!node[word].exists() && !(std::string_view(word) == "outcome" && node["async_job"].exists()))
        node.fail("config.missing_key", std::string("`") + word + "` is missing",
                  name == "upsert" || name == "update"
                      ? "an operation has request and outcome, or a branch on whether the record is there"
                      : "an operation says what is sent and what the reply means");
    return;
  }
  for (const char* word : {"request", "batch", "idempotency", "outcome", "errors"})
    if (node[word].exists())
      node[word].fail("connector.branch", std::string("`") + word + "` stands beside `branch`",
                      "put it into `found` or `missing`");
  if (name == "insert")
    node.fail("connector.branch", "an insert never looks for a record",
              "leave out `branch`: say what is sent");
  // Members of a list are not made, though they are added.
  const bool makes = name == "upsert" && out.of.empty();
  if (makes == out.missing.empty())
    node["branch"].fail("connector.branch",
                        makes ? "`missing` is not there: an upsert makes the records it does not find"
                              : "`missing` makes records, which " + name + " must not",
                        makes ? "say how a record is made" : "leave `missing` out");
}

}  // namespace eddy::connectors
