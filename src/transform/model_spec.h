// What a model file says: models/<layer>/<name>.sql, its YAML header and its SELECT. The grammar is
// model_shape(). Nothing here asks the engine; model_sql.h does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/shape.h"
#include "core/error.h"
#include "transform/sql_file.h"

namespace eddy::transform {

enum class Materialize { view, table, dimension, fact };
std::string_view name_of(Materialize materialize);

// A word of the header with its place, for messages.
struct Word {
  std::string text;
  SourcePosition at;
};

// A foreign key to the key of another warehouse table.
struct Reference {
  std::vector<Word> columns;
  std::string table;                // without its layer
  std::vector<std::string> target;  // columns there when the file names one (warehouse.t.column), else empty:
                                    // see warehouse_table.h
  SourcePosition at;
};

// A surrogate key that a fact gets by looking up a dimension's natural key.
struct DimensionLookup {
  Word column;            // the integer column that is added
  std::string dimension;  // without its layer
  std::vector<Word> key;  // the fact's own columns that hold the natural key
  SourcePosition at;
};

// The unknown member's value of one column, as SQL.
struct UnknownValue {
  Word column;
  std::string sql;
  SourcePosition at;
};

enum class Severity { error, warn };

// One entry of `tests:`; data_tests.h makes SQL of it.
struct DeclaredTest {
  enum class Kind { not_null, unique, accepted_values, relationships };
  Kind kind = Kind::not_null;
  std::vector<Word> columns;          // more than one: a composite `unique`
  std::vector<std::string> values;    // accepted_values
  std::string parent, parent_column;  // relationships: "clean.customers", "customer_id"
  Severity severity = Severity::error;
};

// What is said of one column of the result.
struct ColumnSpec {
  Word name;
  std::string description;
  std::optional<bool> pii;  // personal data or not; unsaid: as in the models it is made from
};

struct ModelSpec {
  std::string layer, name;
  SqlFile source;
  Materialize materialize = Materialize::table;
  std::string description;
  std::vector<std::string> tags;
  std::vector<Word> key;
  std::vector<Reference> references;
  std::vector<UnknownValue> unknown;
  std::vector<DimensionLookup> dimensions;
  std::vector<DeclaredTest> tests;
  std::vector<ColumnSpec> columns;  // not all of the result's: only those of which something is said

  std::string relation() const { return layer + "." + name; }
  const std::string& sql() const { return source.sql; }
  bool in_warehouse() const { return layer == "warehouse" && materialize != Materialize::view; }
  Error error(std::string code, std::string message, std::string hint, const SourcePosition& at) const {
    return Error(source.complaint(std::move(code), std::move(message), std::move(hint), at));
  }
};

// "customer_key" for "dim_customer".
std::string surrogate_column(std::string_view dimension);

const config::Shape& model_shape();  // of the header

// Everything wrong goes to `diagnostics` (config.… from the shape, transform.… from here) and gives nullopt.
std::optional<ModelSpec> parse_model(const std::string& layer, const std::string& name,
                                     const std::string& file, std::string text,
                                     const config::Variables& variables, Diagnostics& diagnostics);

}  // namespace eddy::transform
