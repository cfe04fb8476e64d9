// Data tests: SELECTs that must return no row. Made from a model's `tests:` or written as tests/<name>.sql.
//
// not_null looks for NULLs. unique, accepted_values and relationships leave NULLs alone: whether NULL is
// allowed is not_null's question.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "transform/model_spec.h"
#include "transform/model_sql.h"
#include "warehouse/session.h"

namespace eddy::transform {

struct DataTest {
  std::string
      name;  // "clean.customers.not_null.email", "clean.lines.unique.order_id_and_line", "test.totals_agree"
  std::string relation;  // the model it belongs to; "" for tests/*.sql
  SqlFile source;        // the model's file, or the test's own
  SourcePosition at;     // the header's entry; the file for tests/*.sql
  std::string sql;       // gives the rows that break the rule
  bool written = false;  // `sql` is source.sql: its errors have a place in the file
  Severity severity = Severity::error;
  std::string description;
  std::vector<std::string> tags;
};

enum class TestStatus { passed, warned, failed };
std::string_view name_of(TestStatus status);

struct TestResult {
  std::string name;
  TestStatus status = TestStatus::passed;
  std::uint64_t failing = 0;         // rows that `sql` gives; for unique: values that occur more than once
  std::vector<std::string> samples;  // up to 5 of them, JSON objects
  std::string sql;
  std::string summary;  // "3 rows break it" or "holds"
};

// The tests a model declares, in file order; names are unique.
std::vector<DataTest> declared_tests(const ModelSpec& spec);

const config::Shape& test_shape();  // of the header of tests/*.sql
std::optional<DataTest> parse_test(const std::string& name, const std::string& file, std::string text,
                                   const config::Variables& variables, Diagnostics& diagnostics);

// What the test reads besides its own model: parents of relationships; for tests/*.sql all it reads.
std::vector<Dependency> test_dependencies(engine::Connection& connection, const DataTest& test);

// Runs it on its own connection. Throws Error("transform.sql") when the SQL does not run.
TestResult run_test(warehouse::Session& session, const DataTest& test, const Cancel& cancel);

}  // namespace eddy::transform
