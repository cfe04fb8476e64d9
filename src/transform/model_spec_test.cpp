#include "transform/model_spec.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace eddy::transform {
namespace {

std::optional<ModelSpec> parse(const std::string& layer, const std::string& name, const std::string& text,
                               Diagnostics& diagnostics) {
  return parse_model(layer, name, "models/" + layer + "/" + name + ".sql", text, config::no_variables(),
                     diagnostics);
}

ModelSpec good(const std::string& layer, const std::string& name, const std::string& text) {
  Diagnostics diagnostics;
  auto spec = parse(layer, name, text, diagnostics);
  for (const Diagnostic& d : diagnostics.list()) ADD_FAILURE() << render(d);
  return spec.value_or(ModelSpec{});
}

std::vector<Diagnostic> bad(const std::string& layer, const std::string& name, const std::string& text) {
  Diagnostics diagnostics;
  EXPECT_FALSE(parse(layer, name, text, diagnostics).has_value());
  return diagnostics.list();
}

TEST(ModelSpec, PlainSqlIsATable) {
  const ModelSpec spec = good("clean", "customers", "select 1 as a\n");
  EXPECT_EQ(spec.relation(), "clean.customers");
  EXPECT_EQ(spec.materialize, Materialize::table);
  EXPECT_EQ(spec.sql(), "select 1 as a");
  EXPECT_EQ(spec.source.position(1, 3).line, 1);
  EXPECT_EQ(spec.source.position(1, 3).column, 3);
}

TEST(ModelSpec, ReadsTheWholeHeader) {
  const ModelSpec spec = good("warehouse", "fact_order", R"(-- orders, one row each
/* eddy
materialize: fact
description: one order
tags: [sales, daily]
key: order_id
dimensions:
  customer_key: {dimension: warehouse.dim_customer, key: customer_id}
  day_key: {dimension: warehouse.dim_date, key: [day]}
references:
  product_id: warehouse.products
  order_id, line: warehouse.lines
  shop: warehouse.shops.shop_code
tests:
  - not_null: [a, b]
  - unique: [a]
  - unique: [[a, b]]
    severity: warn
  - accepted_values: {plan: [free, 1]}
  - relationships: {customer_id: clean.customers.id}
*/
select 1 as a  -- the only line
;
)");
  EXPECT_EQ(spec.materialize, Materialize::fact);
  EXPECT_EQ(spec.description, "one order");
  EXPECT_EQ(spec.tags, (std::vector<std::string>{"sales", "daily"}));
  ASSERT_EQ(spec.key.size(), 1u);
  EXPECT_EQ(spec.key[0].text, "order_id");
  EXPECT_EQ(spec.key[0].at.line, 6);
  EXPECT_EQ(spec.key[0].at.column, 6);
  ASSERT_EQ(spec.dimensions.size(), 2u);
  EXPECT_EQ(spec.dimensions[0].column.text, "customer_key");
  EXPECT_EQ(spec.dimensions[0].dimension, "dim_customer");
  EXPECT_EQ(spec.dimensions[1].key[0].text, "day");
  ASSERT_EQ(spec.references.size(), 3u);
  EXPECT_EQ(spec.references[1].columns.size(), 2u);
  EXPECT_EQ(spec.references[2].target, std::vector<std::string>{"shop_code"});
  ASSERT_EQ(spec.tests.size(), 6u);
  EXPECT_EQ(spec.tests[3].columns.size(), 2u);
  EXPECT_EQ(spec.tests[3].severity, Severity::warn);
  EXPECT_EQ(spec.tests[4].values, (std::vector<std::string>{"free", "1"}));
  EXPECT_EQ(spec.tests[5].parent, "clean.customers");
  EXPECT_EQ(spec.tests[5].parent_column, "id");
  EXPECT_EQ(spec.sql(), "select 1 as a");
  EXPECT_EQ(spec.source.position(1, 1).line, 22);
}

TEST(ModelSpec, WhatIsSaidOfColumns) {
  const ModelSpec spec =
      good("clean", "customers",
           "/* eddy\ncolumns:\n  email: {pii: true, description: where invoices go}\n"
           "  phone: {pii: yes}\n  city: {pii: false}\n  plan: {description: as bought}\n*/\n"
           "select 1 as a");
  ASSERT_EQ(spec.columns.size(), 4u);
  EXPECT_EQ(spec.columns[0].name.text, "email");
  EXPECT_EQ(spec.columns[0].name.at.line, 3);
  EXPECT_EQ(spec.columns[0].description, "where invoices go");
  EXPECT_EQ(spec.columns[0].pii, true);
  EXPECT_EQ(spec.columns[2].pii, false);
  EXPECT_EQ(spec.columns[3].pii, std::nullopt);
  const auto said = bad("clean", "customers", "/* eddy\ncolumns: {email: {pi: true}}\n*/\nselect 1");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].code, "config.unknown_key");
  EXPECT_EQ(said[0].hint, "did you mean `pii`?");
}

TEST(ModelSpec, SqlAfterTheHeaderOnTheSameLineKeepsItsColumn) {
  const ModelSpec spec = good("clean", "x", "/* eddy materialize: view */ select é, b\nfrom t");
  EXPECT_EQ(spec.materialize, Materialize::view);
  EXPECT_EQ(spec.source.position(1, 1).column, 30);
  EXPECT_EQ(spec.source.position(2, 1).column, 1);
}

TEST(ModelSpec, OnlyTheClosingSemicolonIsTaken) {
  EXPECT_EQ(good("clean", "x", "select ';' as a, \";\" , $$;$$, E'\\';', /* ; */ 1; -- end ;\n").sql(),
            "select ';' as a, \";\" , $$;$$, E'\\';', /* ; */ 1");
  EXPECT_EQ(good("clean", "x", "select 1; select 2").sql(), "select 1; select 2");
  EXPECT_EQ(good("clean", "x", "select 1 ;\n;\n").sql(), "select 1");
}

TEST(ModelSpec, AnotherCommentIsNoHeader) {
  const ModelSpec spec = good("clean", "x", "/* eddying\nmaterialize: nonsense */ select 1");
  EXPECT_EQ(spec.materialize, Materialize::table);
  EXPECT_TRUE(spec.source.header.empty());
}

TEST(ModelSpec, UnknownKeyIsSaidWithItsPlaceInTheFile) {
  const auto said = bad("clean", "customers", "\n/* eddy\ntags: [a]\n  \nmaterialise: view\n*/\nselect 1");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].code, "config.unknown_key");
  EXPECT_EQ(said[0].position.file, "models/clean/customers.sql");
  EXPECT_EQ(said[0].position.line, 5);
  EXPECT_EQ(said[0].position.column, 1);
  EXPECT_EQ(said[0].excerpt, "materialise: view");
  EXPECT_NE(said[0].hint.find("materialize"), std::string::npos);
}

TEST(ModelSpec, ColumnsOfAOneLineHeaderAreThoseOfTheFile) {
  const auto said = bad("clean", "x", "/* eddy materialize: tabel */ select 1");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].position.line, 1);
  EXPECT_EQ(said[0].position.column, 22);
}

struct Wrong {
  const char* layer;
  const char* header;
  const char* code;
  int line;
};

class ModelSpecWrong : public ::testing::TestWithParam<Wrong> {};

TEST_P(ModelSpecWrong, IsSaid) {
  const Wrong& wrong = GetParam();
  const auto said =
      bad(wrong.layer, "dim_x", std::string("/* eddy\n") + wrong.header + "\n*/\nselect 1 as a");
  ASSERT_EQ(said.size(), 1u) << (said.empty() ? "" : render(said.front()));
  EXPECT_EQ(said[0].code, wrong.code);
  EXPECT_EQ(said[0].position.line, wrong.line);
  EXPECT_FALSE(said[0].excerpt.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Each, ModelSpecWrong,
    ::testing::Values(
        Wrong{"clean", "materialize: dimension\nkey: a", "transform.wrong_layer", 2},
        Wrong{"presentation", "materialize: fact", "transform.wrong_layer", 2},
        Wrong{"warehouse", "materialize: dimension", "transform.missing_key", 2},
        Wrong{"warehouse", "materialize: dimension\nkey: a\nhistory: scd2", "transform.not_supported", 4},
        Wrong{"warehouse", "materialize: table\nunknown: {a: 1}", "transform.not_here", 3},
        Wrong{"warehouse", "dimensions: {k: {dimension: warehouse.dim_y, key: a}}", "transform.not_here", 2},
        Wrong{"clean", "references: {a: warehouse.y}", "transform.not_here", 2},
        Wrong{"clean", "materialize: view\nkey: a", "transform.not_here", 3},
        Wrong{"warehouse", "references: {a: clean.y}", "transform.not_a_warehouse_table", 2},
        Wrong{"warehouse", "references: {a: warehouse.dim_x}", "transform.self_reference", 2},
        Wrong{"clean", "tests:\n  - relationships: {a: clean.y}", "transform.bad_relationship", 3},
        Wrong{"clean", "tests:\n  - severity: warn", "transform.empty_test", 3},
        Wrong{"clean", "tests:\n  - not_nul: [a]", "config.unknown_key", 3},
        Wrong{"clean", "key: ${NOPE}", "config.unset_variable", 2},
        Wrong{"clean", "key: a: b", "config.syntax", 2}));

TEST(ModelSpec, HistoryMessageNamesWhatIsSupported) {
  const auto said =
      bad("warehouse", "dim_x", "/* eddy\nmaterialize: dimension\nkey: a\nhistory: scd2\n*/ select 1 as a");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].message, "history: scd2 is not supported; only overwrite is");
}

TEST(ModelSpec, EverythingWrongIsSaidAtOnce) {
  const auto said = bad("klean", "Bad Name", "/* eddy\nmaterialize: view\nkey: a\n*/\n-- no select\n");
  std::vector<std::string> codes;
  for (const Diagnostic& d : said) codes.push_back(d.code);
  EXPECT_EQ(codes, (std::vector<std::string>{"transform.unknown_layer", "transform.bad_name",
                                             "transform.not_here", "transform.no_sql"}));
  EXPECT_EQ(said[0].hint, "did you mean `clean`?");
}

TEST(ModelSpec, SurrogateColumnFollowsTheName) {
  EXPECT_EQ(surrogate_column("dim_customer"), "customer_key");
  EXPECT_EQ(surrogate_column("customer"), "customer_key");
  EXPECT_EQ(surrogate_column("dim_"), "dim__key");
}

TEST(ModelSpec, ShapeGivesAJsonSchema) {
  const auto schema = config::json_schema(model_shape(), "model", "header of a model");
  EXPECT_TRUE(schema["properties"].contains("dimensions"));
}

TEST(SqlFile, EngineMessagesAreTakenApart) {
  const EngineMessage said = read_engine_message(
      "Binder Error: Referenced column \"cx\" not found in FROM clause!\nCandidate bindings: \"cy\"\n\nLINE "
      "2:  b, cx from t\n            ^");
  EXPECT_EQ(said.text, "Referenced column \"cx\" not found in FROM clause");
  EXPECT_EQ(said.hint, "Candidate bindings: \"cy\"");
  EXPECT_EQ(said.line, 2);
  EXPECT_EQ(said.caret, 4);
}

}  // namespace
}  // namespace eddy::transform
