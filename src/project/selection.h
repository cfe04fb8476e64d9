// dbt's node selection grammar, as it is: methods, then graph operators, then set operators.
//
//   customers  clean.customers  clean.*  clean      by name, by last part, by pattern, by layer or kind
//   tag:nightly  path:models/clean  source:shop  resource_type:sync  config.materialized:view
//   connection:hubspot  destination:hubspot
//   +x  x+  2+x  x+3  @x (x, its descendants, and all their ancestors)
//   space: union    comma: intersection    --exclude: difference
#pragma once

#include <set>
#include <string>
#include <vector>

#include "project/graph.h"

namespace eddy::project {

// Names of the selected nodes. No selectors: all nodes. Throws Error("selection.unknown") (with did-you-mean)
// when a part selects nothing, Error("selection.method") for an unknown method.
std::set<std::string> select(const Graph& graph, const std::vector<std::string>& selectors,
                             const std::vector<std::string>& excludes);

}  // namespace eddy::project
