#include "project/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "core/error.h"
#include "core/text.h"

namespace eddy::project {
namespace {

using Names = std::set<std::string>;

bool is_pattern(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

bool name_matches(const Node& node, const std::string& wanted) {
  if (is_pattern(wanted)) {
    const std::string last = node.name.substr(node.name.rfind('.') + 1);
    return glob_match(wanted, node.name) ||
           (wanted.find('.') == std::string::npos && glob_match(wanted, last));
  }
  if (node.name == wanted || node.name.starts_with(wanted + ".")) return true;  // whole name, layer, kind
  return node.name.ends_with("." + wanted) && (node.kind != NodeKind::test || node.name == "test." + wanted);
}

bool path_matches(const Node& node, std::string wanted) {
  if (wanted.ends_with('/')) wanted.pop_back();
  return is_pattern(wanted) ? glob_match(wanted, node.file)
                            : node.file == wanted || node.file.starts_with(wanted + "/");
}

bool any_tag(const Node& node, const std::string& wanted) {
  return std::any_of(node.tags.begin(), node.tags.end(),
                     [&](const std::string& tag) { return glob_match(wanted, tag); });
}

Names by_method(const Graph& graph, const std::string& text) {
  const auto colon = text.find(':');
  const std::string method = colon == std::string::npos ? "" : text.substr(0, colon);
  const std::string value = colon == std::string::npos ? text : text.substr(colon + 1);
  std::function<bool(const Node&)> matches;
  if (method.empty() || method == "fqn")
    matches = [&](const Node& n) { return name_matches(n, value); };
  else if (method == "tag")
    matches = [&](const Node& n) { return any_tag(n, value); };
  else if (method == "path")
    matches = [&](const Node& n) { return path_matches(n, value); };
  else if (method == "file")
    matches = [&](const Node& n) { return n.file.substr(n.file.rfind('/') + 1) == value; };
  else if (method == "source")
    matches = [&](const Node& n) {
      return n.kind == NodeKind::stream &&
             (glob_match(value, n.name) || n.name.starts_with("raw." + value + "_"));
    };
  else if (method == "resource_type")
    matches = [&](const Node& n) { return name_of(n.kind) == value; };
  else if (method == "config.materialized" || method == "config.materialize")
    matches = [&](const Node& n) { return n.materialize == value; };
  else if (method == "connection" || method == "destination")
    matches = [&](const Node& n) { return n.connection == value; };
  else if (method == "sync" || method == "dashboard" || method == "test")
    matches = [&](const Node& n) {
      return name_of(n.kind) == method && glob_match(method + "." + value, n.name);
    };
  else {
    const std::vector<std::string> methods = {
        "tag",        "path",        "file", "source",    "resource_type", "config.materialized",
        "connection", "destination", "sync", "dashboard", "test",          "fqn"};
    throw Error(
        "selection.method", fmt::format("`{}:` is not a selection method", method),
        did_you_mean(method, methods) ? did_you_mean_hint(method, methods) : "known: " + join(methods, ", "));
  }
  Names out;
  for (const Node& node : graph.nodes())
    if (matches(node)) out.insert(node.name);
  if (out.empty()) {
    std::vector<std::string> known;
    for (const Node& node : graph.nodes()) {
      known.push_back(node.name);
      if (node.kind != NodeKind::test) known.push_back(node.name.substr(node.name.find('.') + 1));
    }
    throw Error("selection.unknown", fmt::format("`{}` selects nothing", text),
                did_you_mean(value, known) ? did_you_mean_hint(value, known) : "`eddy ls` lists every node");
  }
  return out;
}

struct Operators {
  bool at = false, before = false, after = false;
  std::optional<std::size_t> before_steps, after_steps;
  std::string method;
};

Operators split_operators(std::string text) {
  Operators ops;
  if (text.starts_with('@')) {
    ops.at = true;
    text.erase(0, 1);
  }
  // "2+x": digits then a plus; a bare plus means all.
  if (const auto plus = text.find('+');
      plus != std::string::npos &&
      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(plus), ::isdigit)) {
    ops.before = true;
    if (plus > 0) ops.before_steps = std::stoul(text.substr(0, plus));
    text.erase(0, plus + 1);
  }
  if (const auto plus = text.rfind('+');
      plus != std::string::npos &&
      std::all_of(text.begin() + static_cast<std::ptrdiff_t>(plus) + 1, text.end(), ::isdigit)) {
    ops.after = true;
    if (plus + 1 < text.size()) ops.after_steps = std::stoul(text.substr(plus + 1));
    text.erase(plus);
  }
  ops.method = text;
  return ops;
}

Names one(const Graph& graph, const std::string& text) {
  const Operators ops = split_operators(text);
  const Names core = by_method(graph, ops.method);
  Names out = core;
  for (const std::string& name : core) {
    if (ops.before) out.merge(graph.ancestors(name, ops.before_steps));
    if (ops.after) out.merge(graph.descendants(name, ops.after_steps));
    if (ops.at)
      for (const std::string& below : graph.descendants(name)) {
        out.insert(below);
        out.merge(graph.ancestors(below));
      }
  }
  return out;
}

Names intersection(const Graph& graph, const std::string& text) {
  Names out;
  bool first = true;
  for (const std::string& part : split(text, ',')) {
    Names names = one(graph, part);
    if (!first) std::erase_if(out, [&](const std::string& name) { return !names.contains(name); });
    if (first) out = std::move(names);
    first = false;
  }
  return out;
}

Names union_of(const Graph& graph, const std::vector<std::string>& selectors) {
  Names out;
  for (const std::string& selector : selectors)
    for (const std::string& part : split(selector, ' '))
      if (!part.empty()) out.merge(intersection(graph, part));
  return out;
}

}  // namespace

std::set<std::string> select(const Graph& graph, const std::vector<std::string>& selectors,
                             const std::vector<std::string>& excludes) {
  Names out;
  if (selectors.empty())
    for (const Node& node : graph.nodes()) out.insert(node.name);
  else
    out = union_of(graph, selectors);
  for (const std::string& name : union_of(graph, excludes)) out.erase(name);
  // Tests come along with what they test, as in dbt: a test whose inputs are all selected is selected.
  if (!selectors.empty())
    for (const Node& node : graph.nodes())
      if (node.kind == NodeKind::test && !node.inputs.empty() &&
          std::all_of(node.inputs.begin(), node.inputs.end(),
                      [&](const std::string& input) { return out.contains(input); }))
        out.insert(node.name);
  for (const std::string& name : union_of(graph, excludes)) out.erase(name);
  return out;
}

}  // namespace eddy::project
