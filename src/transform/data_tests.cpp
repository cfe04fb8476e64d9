#include "transform/data_tests.h"

#include <fmt/format.h>

#include <map>

#include "core/text.h"
#include "engine/watch.h"

namespace eddy::transform {

using engine::quote_identifier;
using engine::quote_literal;

namespace {

std::string quoted_relation(const std::string& relation) {
  const auto dot = relation.find('.');
  return quote_identifier(relation.substr(0, dot)) + "." + quote_identifier(relation.substr(dot + 1));
}

std::string_view kind_name(DeclaredTest::Kind kind) {
  switch (kind) {
    case DeclaredTest::Kind::not_null:
      return "not_null";
    case DeclaredTest::Kind::unique:
      return "unique";
    case DeclaredTest::Kind::accepted_values:
      return "accepted_values";
    case DeclaredTest::Kind::relationships:
      return "relationships";
  }
  return {};
}

std::string sql_of(const DeclaredTest& test, const std::string& relation) {
  const std::string table = quoted_relation(relation);
  const std::string column = quote_identifier(test.columns.front().text);
  switch (test.kind) {
    case DeclaredTest::Kind::not_null:
      return fmt::format("select * from {} where {} is null", table, column);
    case DeclaredTest::Kind::unique: {
      std::vector<std::string> columns, present;
      for (const Word& word : test.columns) {
        columns.push_back(quote_identifier(word.text));
        present.push_back(columns.back() + " is not null");
      }
      return fmt::format(
          "select {0}, count(*) as occurrences from {1} where {2} group by {0} having count(*) > 1",
          join(columns, ", "), table, join(present, " and "));
    }
    case DeclaredTest::Kind::accepted_values: {
      // Text literals take the column's type, so 1 and '1' both stand for the number in a number column.
      std::vector<std::string> values;
      for (const std::string& value : test.values) values.push_back(quote_literal(value));
      const std::string rejected =
          values.empty() ? "" : fmt::format(" and {} not in ({})", column, join(values, ", "));
      return fmt::format("select * from {} where {} is not null{}", table, column, rejected);
    }
    case DeclaredTest::Kind::relationships:
      return fmt::format(
          "select * from {0} as child where child.{1} is not null and not exists (select 1 from {2} as "
          "parent where parent.{3} = child.{1})",
          table, column, quoted_relation(test.parent), quote_identifier(test.parent_column));
  }
  return {};
}

}  // namespace

std::string_view name_of(TestStatus status) {
  switch (status) {
    case TestStatus::passed:
      return "passed";
    case TestStatus::warned:
      return "warned";
    case TestStatus::failed:
      return "failed";
  }
  return {};
}

std::vector<DataTest> declared_tests(const ModelSpec& spec) {
  std::vector<DataTest> out;
  std::map<std::string, int> names;
  for (const DeclaredTest& declared : spec.tests) {
    std::vector<std::string> columns;
    for (const Word& column : declared.columns) columns.push_back(column.text);
    DataTest& test = out.emplace_back();
    test.name = fmt::format("{}.{}.{}", spec.relation(), kind_name(declared.kind), join(columns, "_and_"));
    if (const int before = names[test.name]++; before > 0) test.name += fmt::format("_{}", before + 1);
    test.relation = spec.relation();
    test.source = spec.source;
    test.at = declared.columns.front().at;
    test.sql = sql_of(declared, spec.relation());
    test.severity = declared.severity;
    test.tags = spec.tags;
  }
  return out;
}

const config::Shape& test_shape() {
  using config::field;
  using config::Shape;
  static const Shape shape = Shape::object({
      field("description", Shape::string(), "what must hold, for people"),
      field("tags", Shape::list(Shape::string()), "for selection with tag:…"),
      field("severity", Shape::enumeration({"error", "warn"}),
            "error holds back what is downstream; warn only says it"),
  });
  return shape;
}

std::optional<DataTest> parse_test(const std::string& name, const std::string& file, std::string text,
                                   const config::Variables& variables, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.list().size();
  DataTest test;
  test.name = "test." + name;
  test.source = read_sql_file(file, std::move(text));
  test.at = {file, 0, 0};
  test.sql = test.source.sql;
  test.written = true;
  const config::Node header =
      config::parse(test.source.header, file, variables, diagnostics, test.source.header_line);
  if (header.exists() && header.kind() != config::Kind::null) test_shape().check(header, diagnostics);
  if (test.sql.empty())
    diagnostics.add("transform.no_sql", fmt::format("{} has no SELECT statement", file),
                    "write one SELECT that gives the rows that are wrong", {file, 0, 0});
  if (diagnostics.list().size() != before) return std::nullopt;
  test.description = header["description"].as_string("");
  for (const config::Node& tag : header["tags"].items()) test.tags.push_back(tag.text());
  if (header["severity"].as_string("error") == "warn") test.severity = Severity::warn;
  return test;
}

std::vector<Dependency> test_dependencies(engine::Connection& connection, const DataTest& test) {
  if (test.written) return dependencies(connection, test.source);
  SqlFile generated;
  generated.sql = test.sql;
  std::vector<Dependency> out;
  for (Dependency& dependency : dependencies(connection, generated))
    if (dependency.relation != test.relation) out.push_back({dependency.relation, test.at});
  return out;
}

TestResult run_test(warehouse::Session& session, const DataTest& test, const Cancel& cancel) {
  constexpr std::size_t samples_max = 5;
  engine::throw_if_cancelled(cancel);
  auto connection = session.connect();
  const engine::Watch watch(connection, test.name, silent_progress(), cancel);
  TestResult result{test.name, TestStatus::passed, 0, {}, test.sql, "holds"};
  try {
    // One pass: rows are counted as they stream by, and the first few are kept.
    auto rows = connection.stream(
        fmt::format("select to_json(eddy_row)::varchar from (\n{}\n) as eddy_row", test.sql));
    while (auto chunk = rows.next()) {
      for (std::size_t r = 0; r < chunk->rows() && result.samples.size() < samples_max; ++r)
        result.samples.push_back(chunk->value(0, r).as_string());
      result.failing += chunk->rows();
    }
  } catch (const Error& e) {
    const Error said = sql_error(test.source, e, 1);
    if (test.written || said.code() != "transform.sql") throw said;
    throw Error(test.source.complaint("transform.sql",
                                      fmt::format("{} does not run: {}", test.name, said.message()),
                                      said.hint(), test.at));
  }
  if (result.failing > 0) {
    result.status = test.severity == Severity::warn ? TestStatus::warned : TestStatus::failed;
    result.summary = fmt::format("{} row{} break{} it", with_commas(result.failing),
                                 result.failing == 1 ? "" : "s", result.failing == 1 ? "s" : "");
  }
  return result;
}

}  // namespace eddy::transform
