#include "transform/build.h"

#include <thread>

#include "core/files.h"
#include "transform/build_fixture.h"
#include "transform/model_sql.h"

namespace eddy::transform {
namespace {

using Build = BuildTest;

TEST_F(Build, ALakeTableIsAParquetVersionBehindThePointer) {
  const BuildResult first = build("clean.numbers", "select i, i * 2 as twice from range(5000) t(i)");
  EXPECT_EQ(first.rows, 5000u);
  EXPECT_EQ(first.summary, "5,000 rows");
  EXPECT_EQ(rows("select count(*), sum(twice) from clean.numbers"), "5000,24995000");
  const auto version = store->current_model("clean.numbers");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->version, first.version);
  EXPECT_EQ(version->rows, 5000u);
  EXPECT_EQ(version->run_id, "run-1");
  EXPECT_TRUE(std::filesystem::exists(scratch / "lake" / version->path));
  EXPECT_EQ(rows("select distinct compression from parquet_metadata('" +
                 (scratch / "lake" / version->path).string() + "')"),
            "ZSTD");

  const BuildResult second = build("clean.numbers", "select 1 as only_one");
  EXPECT_NE(second.version, first.version);
  EXPECT_EQ(rows("from clean.numbers"), "1");
  EXPECT_EQ(store->model_versions("clean.numbers").size(), 2u);
  reopen();
  EXPECT_EQ(rows("from clean.numbers"), "1");
}

TEST_F(Build, ModelsReadModels) {
  build("clean.a", "select i from range(10) t(i)");
  build("presentation.b", "with big as (from clean.a where i > 6) select count(*) as n from big;");
  EXPECT_EQ(rows("from presentation.b"), "3");
}

TEST_F(Build, AColumnOfWhichSomethingIsSaidMustBeThere) {
  const std::string header = "/* eddy\ncolumns: {Email: {pii: true}}\n*/\n";
  EXPECT_NO_THROW(build("clean.a", header + "select 'a' as email"));
  try {
    build("clean.a", header + "select 'a' as emial");
    FAIL() << "a mark on nothing";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "transform.unknown_column");
    EXPECT_EQ(e.message(), "the SELECT of clean.a gives no column `Email`");
    EXPECT_EQ(e.diagnostics()[0].position.line, 2);
    EXPECT_EQ(e.diagnostics()[0].position.column, 11);
  }
  EXPECT_EQ(rows("from clean.a"), "a");
}

TEST_F(Build, TheFingerprintFollowsSqlAndInputs) {
  const auto fingerprint = [&] { return store->current_model("clean.b")->fingerprint; };
  build("clean.a", "select 1 as i");
  build("clean.b", "from clean.a");
  const std::string first = fingerprint();
  build("clean.b", "from clean.a");
  EXPECT_EQ(fingerprint(), first);
  build("clean.a", "select 1 as i");
  build("clean.b", "from clean.a");
  EXPECT_NE(fingerprint(), first);
}

TEST_F(Build, OldVersionsAreCollected) {
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 4; ++i) {
    build("clean.a", "select 1 as i");
    files.push_back(scratch / "lake" / store->current_model("clean.a")->path);
    clock.advance(std::chrono::hours{24 * 8});
  }
  EXPECT_FALSE(std::filesystem::exists(files[0]));
  EXPECT_TRUE(std::filesystem::exists(files[2]));
  EXPECT_TRUE(std::filesystem::exists(files[3]));
}

TEST_F(Build, AViewFollowsItsInputsAndSurvivesTheProcess) {
  build("clean.a", "select 1 as i");
  build("clean.v", "/* eddy\nmaterialize: view\n*/\nselect i + 1 as j from clean.a -- no semicolon\n;");
  build("presentation.w", "/* eddy\nmaterialize: view\n*/\nselect j + 1 as k from clean.v");
  EXPECT_EQ(rows("from presentation.w"), "3");
  build("clean.a", "select 10 as i");
  EXPECT_EQ(rows("from presentation.w"), "12");
  reopen();
  EXPECT_EQ(rows("from presentation.w"), "12");
  EXPECT_FALSE(std::filesystem::exists(scratch / "lake/clean/v"));
}

TEST_F(Build, AWarehouseViewMayBecomeATableAndBack) {
  build("warehouse.x", "/* eddy\nmaterialize: view\n*/\nselect 1 as i");
  EXPECT_EQ(rows("from warehouse.x"), "1");
  build("warehouse.x", "select 2 as i");
  EXPECT_EQ(rows("from warehouse.x"), "2");
  reopen();
  EXPECT_EQ(rows("from warehouse.x"), "2");
  build("warehouse.x", "/* eddy\nmaterialize: view\n*/\nselect 3 as i");
  reopen();
  EXPECT_EQ(rows("from warehouse.x"), "3");
}

TEST_F(Build, ALakeViewMayReadTheWarehouse) {
  build("warehouse.x", "select 2 as i");
  build("presentation.v", "/* eddy\nmaterialize: view\n*/ from warehouse.x");
  reopen();
  EXPECT_EQ(rows("from presentation.v"), "2");
}

TEST_F(Build, AnUnknownColumnHasItsPlaceInTheFile) {
  build("clean.a", "select 1 as customer_id");
  const Error e =
      error_of("clean.b", "/* eddy\ndescription: x\n*/\n\nselect 1 as one,\n  'é', custmer_id\nfrom clean.a");
  EXPECT_EQ(e.code(), "transform.sql");
  EXPECT_EQ(e.message(), "Referenced column \"custmer_id\" not found in FROM clause");
  EXPECT_EQ(e.hint(), "Candidate bindings: \"customer_id\"");
  const Diagnostic& d = e.diagnostics().front();
  EXPECT_EQ(d.position.file, "models/clean/b.sql");
  EXPECT_EQ(d.position.line, 6);
  EXPECT_EQ(d.position.column, 8);
  EXPECT_EQ(d.excerpt, "  'é', custmer_id");
}

TEST_F(Build, PlacesHoldInLongLinesAndInEveryMaterialization) {
  const std::string padding = std::string(150, ' ') + "1 as padding_that_makes_the_line_long, ";
  for (const char* header : {"", "/* eddy\nmaterialize: view\n*/\n"}) {
    const Error e = error_of("clean.b", std::string(header) + "select\n" + padding + "nope, 3 as " +
                                            std::string(120, 'c') + "\nfrom (select 1 as a)");
    EXPECT_EQ(e.diagnostics().front().position.line, *header == '\0' ? 2 : 5);
    EXPECT_EQ(e.diagnostics().front().position.column, 190);
  }
  const Error e = error_of("warehouse.b", "select 1 as a, nope from (select 1 as c)");
  EXPECT_EQ(e.diagnostics().front().position.line, 1);
  EXPECT_EQ(e.diagnostics().front().position.column, 16);
}

TEST_F(Build, AFailingCastHasItsPlace) {
  const Error e = error_of("clean.b", "select\n  t.a::int as a\nfrom (values ('q')) t(a)");
  EXPECT_EQ(e.code(), "transform.sql");
  EXPECT_NE(e.message().find("Could not convert string 'q'"), std::string::npos);
  EXPECT_EQ(e.diagnostics().front().position.line, 2);
  EXPECT_EQ(store->current_model("clean.b"), std::nullopt);
}

TEST_F(Build, SyntaxErrorsAndOtherStatementsAreSaid) {
  const Error syntax = error_of("clean.b", "/* eddy */\nselect a,\nfrom from t");
  EXPECT_EQ(syntax.code(), "transform.sql");
  EXPECT_EQ(syntax.diagnostics().front().position.line, 3);
  EXPECT_EQ(syntax.diagnostics().front().position.column, 6);
  EXPECT_EQ(error_of("clean.b", "drop table x").code(), "transform.not_a_select");
  EXPECT_EQ(error_of("clean.b", "select 1; select 2").code(), "transform.not_a_select");
  EXPECT_EQ(error_of("clean.b", "select 1 from customers").code(), "transform.unqualified");
}

TEST_F(Build, AMissingRelationIsNamedWithWhatIsMeant) {
  build("clean.customers", "select 1 as a");
  const Error typo = error_of("clean.b", "select *\nfrom clean.custmers");
  EXPECT_EQ(typo.code(), "transform.unknown_relation");
  EXPECT_EQ(typo.message(), "there is no relation clean.custmers");
  EXPECT_EQ(typo.hint(), "did you mean `clean.customers`?");
  EXPECT_EQ(typo.diagnostics().front().position.line, 2);
  EXPECT_EQ(typo.diagnostics().front().position.column, 6);
  EXPECT_EQ(error_of("clean.b", "from presentation.customers").hint(), "did you mean `clean.customers`?");
}

TEST_F(Build, AFailedBuildLeavesTheOldVersionAndNoRubbish) {
  build("clean.a", "select 1 as i");
  const std::string before = store->current_model("clean.a")->version;
  error_of("clean.a", "select error('stop') as i from range(10)");
  EXPECT_EQ(store->current_model("clean.a")->version, before);
  EXPECT_EQ(rows("from clean.a"), "1");
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "lake/.staging"));
}

TEST_F(Build, AKeyOfALakeTableIsEnforced) {
  const Error twice =
      error_of("clean.a", "/* eddy\nkey: [i, j]\n*/\nselect i % 3 as i, 1 as j from range(4) t(i)");
  EXPECT_EQ(twice.code(), "transform.key_duplicate");
  EXPECT_NE(twice.message().find("{\"i\":0,\"j\":1,\"rows\":2}"), std::string::npos) << twice.message();
  EXPECT_EQ(twice.diagnostics().front().position.line, 2);
  EXPECT_EQ(error_of("clean.a", "/* eddy\nkey: i\n*/\nselect null as i").code(), "transform.key_null");
  EXPECT_EQ(error_of("clean.a", "/* eddy\nkey: id\n*/\nselect 1 as ids").hint(), "did you mean `ids`?");
  EXPECT_EQ(store->current_model("clean.a"), std::nullopt);
}

TEST_F(Build, TwoModelsAreBuiltAtTheSameTime) {
  std::vector<std::thread> threads;
  for (const char* relation : {"clean.a", "clean.b", "warehouse.c", "warehouse.dim_d"})
    threads.emplace_back([this, relation] {
      for (int round = 0; round < 3; ++round) {
        const std::string header =
            std::string(relation) == "warehouse.dim_d" ? "/* eddy\nmaterialize: dimension\nkey: i\n*/\n" : "";
        EXPECT_EQ(build(relation, header + "select i from range(20000) t(i)").rows, 20000u);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rows("select (select count(*) from clean.a), (select count(*) from clean.b), (select count(*) "
                 "from warehouse.c), "
                 "(select count(*) from warehouse.dim_d)"),
            "20000,20000,20000,20001");
}

TEST_F(Build, CancelEndsARunningStatement) {
  build("warehouse.x", "select 1 as i");
  for (const char* relation : {"clean.endless", "warehouse.x"}) {
    Cancel stop;
    // Long enough for the statement to run; if the machine is slower than that, the build stops before it,
    // which is as right.
    std::thread user([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      stop.request();
    });
    try {
      build_model(
          *session,
          model(relation, "select sum(a.i * b.i) as i from range(10000000) a(i), range(10000000) b(i)"),
          "run-1", clock, silent_progress(), stop);
      ADD_FAILURE() << "it was not interrupted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), "engine.interrupted");
    }
    user.join();
  }
  EXPECT_EQ(store->current_model("clean.endless"), std::nullopt);
  EXPECT_EQ(rows("from warehouse.x"), "1");
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "lake/.staging"));
}

TEST_F(Build, DependenciesAreReadFromSqlAndHeader) {
  auto connection = session->connect();
  const auto found = dependencies(connection, model("warehouse.fact_x", R"(/* eddy
materialize: fact
references: {shop_id: warehouse.shops}
dimensions:
  customer_key: {dimension: warehouse.dim_customer, key: customer_id}
*/
with c as (from Clean.Orders) select * from c join raw.shop_x using (i), 'files/x.csv'
where exists (select 1 from warehouse.shops))"));
  std::string names;
  for (const Dependency& dependency : found) names += dependency.relation + " ";
  EXPECT_EQ(names, "clean.orders raw.shop_x warehouse.shops warehouse.dim_customer ");
  EXPECT_EQ(found[0].at.line, 7);
  EXPECT_EQ(found[0].at.column, 17);
  EXPECT_EQ(found[3].at.line, 5);
}

}  // namespace
}  // namespace eddy::transform
