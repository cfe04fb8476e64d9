// The graph of a project: what reads what. Nodes know nothing of how they are run.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace eddy::project {

enum class NodeKind { stream, model, test, dashboard, sync };
std::string_view name_of(NodeKind kind);

struct Node {
  std::string name;  // "raw.shop_orders", "clean.customers", "test.…", "dashboard.…", "sync.…"
  NodeKind kind = NodeKind::model;
  std::string file;                 // relative to the project folder
  std::vector<std::string> inputs;  // names of nodes it reads
  std::vector<std::string> tags;
  std::string description;
  std::string connection;   // stream: source connection; sync: destination connection
  std::string materialize;  // model: view | table | dimension | fact
};

// Adding is done first, then connect(); afterwards the graph is only read and may be shared between threads.
class Graph {
 public:
  void add(Node node);
  // Resolves inputs. Afterwards parents(), children() and order() may be used. Inputs that name no node are
  // left out (the project has already complained). Tests hold back the readers of what they test, where that
  // makes no cycle.
  void connect();
  // A cycle as node names, first = last; empty when there is none.
  std::vector<std::string> cycle() const;

  const std::vector<Node>& nodes() const { return nodes_; }
  const Node* find(std::string_view name) const;
  const std::set<std::string>& parents(const std::string& name) const { return parents_.at(name); }
  const std::set<std::string>& children(const std::string& name) const { return children_.at(name); }
  // Up to `steps` levels away (nullopt: all), without the node itself.
  std::set<std::string> ancestors(const std::string& name,
                                  std::optional<std::size_t> steps = std::nullopt) const;
  std::set<std::string> descendants(const std::string& name,
                                    std::optional<std::size_t> steps = std::nullopt) const;
  // Every node after its parents; among equals in the order of kinds, then names. Requires that there is no
  // cycle.
  std::vector<std::string> order() const;

 private:
  std::set<std::string> reach(const std::string& name, std::optional<std::size_t> steps,
                              const std::map<std::string, std::set<std::string>>& edges) const;
  std::vector<Node> nodes_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::set<std::string>> parents_, children_;
};

}  // namespace eddy::project
