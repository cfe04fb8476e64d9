// What a model reads, asked of the engine's own parser.
#pragma once

#include <string>
#include <vector>

#include "engine/database.h"
#include "transform/model_spec.h"

namespace eddy::transform {

// One relation that a .sql file reads, "clean.customers", in lower case, with the place where it is named.
struct Dependency {
  std::string relation;
  SourcePosition at;
};

// The relations of the layers raw, clean, presentation and warehouse that the SQL reads, each once, in order.
// Files
// (`from 'x.csv'`) and the engine's own schemas are left out.
// Throws Error("transform.sql") when the SQL does not parse, "transform.not_a_select" when it is something
// else than one SELECT, "transform.unqualified" when a relation is named without its layer; always with the
// place in the file.
std::vector<Dependency> dependencies(engine::Connection& connection, const SqlFile& file);

// Those of the SQL, then the tables of `references` and `dimensions`. Tests may read further relations:
// test_dependencies().
std::vector<Dependency> dependencies(engine::Connection& connection, const ModelSpec& spec);

// "there is no relation clean.custmers", with a did-you-mean over `known` ("layer.name"). Code
// transform.unknown_relation.
Diagnostic unknown_relation(const SqlFile& file, const Dependency& dependency,
                            const std::vector<std::string>& known);

}  // namespace eddy::transform
