// What happens to a model before anything is sent: it cannot be computed, its columns change, its keys are
// not unique, it is suddenly empty; and states that were written by released versions.
#include <fmt/format.h>

#include "core/text.h"
#include "fault_fixture.h"

namespace eddy::testing {
namespace {

class Models : public FaultTest {
 protected:
  void expect_nothing_sent(std::uint64_t requests) {
    EXPECT_EQ(service_->requests(), requests) << "something was sent";
  }
  void set_sync(const std::string& lines) {
    project_->write("syncs/people.yml",
                    "model: presentation.people\nkey: {id: id}\ndestination: crm\nobject: people\n" + lines);
  }
};

TEST_F(Models, AQueryThatFailsMidwayMarksNothing) {  // F1
  open("upsert");
  project_->set_model(people(1));
  set_sync(
      "fields: {name: name, score: \"case when id = 33 then error('the model broke') else score end\"}\n");
  const Finished broken = run();
  expect_error(broken, 1, "engine.query_failed", {"the model broke"});
  expect_nothing_sent(0);
  EXPECT_TRUE(project_->snapshot().empty());
  set_sync("fields: {name: name, score: score}\n");
  ASSERT_EQ(run().exit_code, 0);
  expect_books_agree(1);
}

TEST_F(Models, AColumnMoreChangesNothingAndAColumnLessStopsTheSync) {  // F15
  open("upsert");
  deliver_day(1);
  const auto requests = service_->requests();
  project_->write("models/presentation/people.sql", "select *, 'x' as more from raw.shop_people\n");
  ASSERT_EQ(run().exit_code, 0);
  expect_nothing_sent(requests);
  project_->write("models/presentation/people.sql",
                  "select id, name as name, score::varchar::integer as score from raw.shop_people\n");
  ASSERT_EQ(run().exit_code, 0);
  expect_nothing_sent(requests);
  project_->write("models/presentation/people.sql", "select id, name as naem, score from raw.shop_people\n");
  const Finished renamed = run();
  expect_error(renamed, 1, "sync.bad_expression", {"syncs/people.yml", "name", "did you mean"});
  expect_nothing_sent(requests);
}

TEST_F(Models, APlanIsRefusedWhenTheModelsColumnsHaveChangedSince) {  // F15
  open("upsert");
  deliver_day(1);
  project_->set_model(people(2));
  ASSERT_EQ(
      run({}, {"run", "-s", "presentation.people+", "--exclude", "sync.people", "raw.shop_people"}).exit_code,
      0);
  ASSERT_EQ(run({}, {"run", "-s", "raw.shop_people", "presentation.people"}).exit_code, 0);
  ASSERT_EQ(run({}, {"plan", "--out", "day2.plan"}).exit_code, 0);
  project_->write("models/presentation/people.sql",
                  "select id, name, 'n' || score as score from raw.shop_people\n");
  ASSERT_EQ(run({}, {"run", "-s", "presentation.people"}).exit_code, 0);
  const auto requests = service_->requests();
  expect_error(run({}, {"apply", "day2.plan"}), 1, "sync.plan_stale", {"people", "plan"});
  expect_nothing_sent(requests);
}

TEST_F(Models, DuplicateAndNullKeysAreNamedAndTheOthersAreSent) {  // F16, F17
  open("upsert");
  project_->write("people.csv", "id,name,score\n1,a,1\n2,b,2\n2,c,3\n,d,4\n3,e,5\n");
  const Finished planned = run({}, {"run", "--exclude", "sync.people"});
  ASSERT_EQ(planned.exit_code, 0) << planned.err;
  const Finished plan = run({}, {"plan"});
  for (const char* words : {"3 invalid and not sent", "duplicate_key", "null_key"})
    EXPECT_NE(plan.out.find(words), std::string::npos) << plan.out;
  ASSERT_EQ(run().exit_code, 0);
  EXPECT_EQ(difference({{"1", "a|1"}, {"3", "e|5"}}, service_->book().records), "");
}

TEST_F(Models, AnEmptiedModelIsHeldAndDeletesNothing) {  // F18
  open("mirror");
  set_sync("mode: mirror\nfields: {name: name, score: score}\n");
  deliver_day(1);
  const auto before = service_->book().records;
  const auto requests = service_->requests();
  for (const int rows : {0, 15}) {
    SCOPED_TRACE(fmt::format("{} rows left", rows));
    Records model;
    for (const auto& [key, fields] : people(1))
      if (static_cast<int>(model.size()) < rows) model[key] = fields;
    project_->set_model(model);
    const Finished held = run();
    EXPECT_EQ(held.exit_code, 4) << held.err;
    EXPECT_NE(held.err.find("error[sync.held_"), std::string::npos) << held.err;
    for (const char* words : {"eddy plan -s sync.people", "eddy apply --approve"})
      EXPECT_NE(held.err.find(words), std::string::npos) << held.err;
    expect_nothing_sent(requests);
    EXPECT_EQ(difference(before, service_->book().records), "");
  }
}

// golden/<version>.tar.zst is the whole folder of a project after a run of that version: forty people in a
// SQLite file.
class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, AStateOfAReleaseIsGoneOnWithAndNothingIsSentAgain) {  // F24
  const Scratch scratch;
  const Finished unpacked = testing::run(
      {.argv = {"tar", "--zstd", "-xf", EDDY_SOURCE_DIR "/tests/faults/golden/" + GetParam() + ".tar.zst"},
       .directory = scratch.path()});
  ASSERT_EQ(unpacked.exit_code, 0) << unpacked.err;
  const auto table = [&] {
    return testing::run({.argv = {"sha256sum", "book.db"}, .directory = scratch.path()}).out;
  };
  const std::string before = table();
  const Finished finished =
      testing::run({.argv = {program("eddy").string(), "run"}, .directory = scratch.path()});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.err.find("+0 ~0 -0"), std::string::npos) << finished.err;
  EXPECT_EQ(table(), before);
}

INSTANTIATE_TEST_SUITE_P(Versions, Golden, ::testing::Values("0.1.0"));

}  // namespace
}  // namespace eddy::testing
