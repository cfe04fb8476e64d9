#include "project/graph.h"

#include <algorithm>
#include <array>

namespace eddy::project {

std::string_view name_of(NodeKind kind) {
  constexpr std::array<std::string_view, 5> names = {"stream", "model", "test", "dashboard", "sync"};
  return names[static_cast<std::size_t>(kind)];
}

void Graph::add(Node node) {
  index_.emplace(node.name, nodes_.size());
  nodes_.push_back(std::move(node));
}

const Node* Graph::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &nodes_[found->second];
}

void Graph::connect() {
  for (const Node& node : nodes_) {
    parents_[node.name];
    children_[node.name];
  }
  const auto link = [&](const std::string& parent, const std::string& child) {
    parents_[child].insert(parent);
    children_[parent].insert(child);
  };
  for (const Node& node : nodes_)
    for (const std::string& input : node.inputs)
      if (index_.contains(input)) link(input, node.name);
  if (!cycle().empty()) return;
  // What a failed test must hold back: everything that reads a relation the test looked at.
  for (const Node& test : nodes_) {
    if (test.kind != NodeKind::test) continue;
    const std::set<std::string> before_test = ancestors(test.name);
    for (const std::string& tested : test.inputs) {
      if (!index_.contains(tested)) continue;
      const std::set<std::string> readers = children_[tested];
      for (const std::string& reader : readers)
        if (find(reader)->kind != NodeKind::test && !before_test.contains(reader)) link(test.name, reader);
    }
  }
}

std::vector<std::string> Graph::cycle() const {
  enum class Mark { fresh, open, done };
  std::map<std::string, Mark> marks;
  std::vector<std::string> path;
  std::vector<std::string> found;
  const auto visit = [&](const auto& self, const std::string& name) -> bool {
    marks[name] = Mark::open;
    path.push_back(name);
    for (const std::string& child : children_.at(name)) {
      if (marks[child] == Mark::open) {
        found.assign(std::find(path.begin(), path.end(), child), path.end());
        found.push_back(child);
        return true;
      }
      if (marks[child] == Mark::fresh && self(self, child)) return true;
    }
    path.pop_back();
    marks[name] = Mark::done;
    return false;
  };
  for (const auto& [name, ignored] : children_)
    if (marks[name] == Mark::fresh && visit(visit, name)) return found;
  return {};
}

std::set<std::string> Graph::reach(const std::string& name, std::optional<std::size_t> steps,
                                   const std::map<std::string, std::set<std::string>>& edges) const {
  std::set<std::string> out;
  std::set<std::string> frontier = {name};
  for (std::size_t step = 0; !frontier.empty() && (!steps || step < *steps); ++step) {
    std::set<std::string> next;
    for (const std::string& from : frontier)
      for (const std::string& to : edges.at(from))
        if (to != name && out.insert(to).second) next.insert(to);
    frontier = std::move(next);
  }
  return out;
}

std::set<std::string> Graph::ancestors(const std::string& name, std::optional<std::size_t> steps) const {
  return reach(name, steps, parents_);
}
std::set<std::string> Graph::descendants(const std::string& name, std::optional<std::size_t> steps) const {
  return reach(name, steps, children_);
}

std::vector<std::string> Graph::order() const {
  std::map<std::string, std::size_t> waiting_for;
  const auto rank = [&](const std::string& name) {
    return std::pair(static_cast<int>(find(name)->kind), name);
  };
  std::set<std::pair<int, std::string>> ready;
  for (const auto& [name, parents] : parents_) {
    waiting_for[name] = parents.size();
    if (parents.empty()) ready.insert(rank(name));
  }
  std::vector<std::string> out;
  while (!ready.empty()) {
    const std::string name = ready.begin()->second;
    ready.erase(ready.begin());
    out.push_back(name);
    for (const std::string& child : children_.at(name))
      if (--waiting_for[child] == 0) ready.insert(rank(child));
  }
  return out;
}

}  // namespace eddy::project
