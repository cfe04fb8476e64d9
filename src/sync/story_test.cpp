#include "sync/story.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::people_yaml;
using testing::spec_of;

class Stories : public ::testing::Test {
 protected:
  nlohmann::json tell(const std::string& key) {
    auto c = bed.session->connect();
    const Story story = tell_story(*bed.session, c, spec, bed.clock, key);
    next_request = story.next_request;
    return to_json(story);
  }
  Bed bed;
  SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {removed: 100%, rows: 100%}\n");
  std::vector<Change> next_request;
};

TEST_F(Stories, TellEveryPlanWithItsVerdict) {
  bed.model("select 1 as id, 'Ada' as name, 0.5 as score union all select 2, 'Bob', 1.5");
  bed.run(spec);
  bed.model("select 1 as id, 'Ada' as name, 0.5 as score union all select 2, 'Rob', 1.5");
  bed.destination.script = [](std::span<const Change>) {
    return Answer{.verdicts = {Verdict::rejected("BAD_NAME", "'Rob' is no name")}};
  };
  bed.run(spec);
  const auto story = tell("2");
  EXPECT_EQ(story["key"], nlohmann::json::array({2}));
  ASSERT_EQ(story["plans"].size(), 2u);
  const auto& first = story["plans"][0];
  EXPECT_EQ(first["operation"], "add");
  EXPECT_EQ(first["verdict"], "applied");
  EXPECT_EQ(first["created"], true);
  EXPECT_EQ(first["run"], "run1");
  EXPECT_EQ(first["fields"]["name"], (nlohmann::json{{"after", "Bob"}}));
  const auto& second = story["plans"][1];
  EXPECT_EQ(second["verdict"], "rejected");
  EXPECT_EQ(second["code"], "BAD_NAME");
  EXPECT_EQ(second["message"], "'Rob' is no name");
  EXPECT_EQ(second["fields"], (nlohmann::json{{"name", {{"before", "Bob"}, {"after", "Rob"}}}}));
  EXPECT_EQ(story["snapshot"]["fields"], (nlohmann::json{{"name", "Bob"}, {"score", 1.5}}));
  EXPECT_EQ(story["snapshot"]["certain"], true);
  EXPECT_EQ(story["model"], nlohmann::json::array({{{"name", "Rob"}, {"score", 1.5}}}));
  EXPECT_EQ(story["reject"]["state"], "refused");
  EXPECT_EQ(story["reject"]["attempts"], 1);
  EXPECT_TRUE(story["next"].is_null());  // refused, and the same since
}

TEST_F(Stories, TellWhatWouldBeSentNowAndLeaveNoPlanBehind) {
  bed.model("select 1 as id, 'Ada' as name, 0.5 as score union all select 2, 'Bob', 1.5");
  bed.run(spec);
  bed.model("select 1 as id, 'Eve' as name, 0.5 as score");
  const auto changed = tell("1");
  EXPECT_EQ(changed["next"]["operation"], "change");
  EXPECT_EQ(changed["next"]["fields"]["name"], (nlohmann::json{{"before", "Ada"}, {"after", "Eve"}}));
  ASSERT_EQ(next_request.size(), 1u);
  EXPECT_EQ(next_request[0].changed, (std::vector<bool>{true, false}));
  const auto removed = tell("[2]");
  EXPECT_EQ(removed["next"]["operation"], "remove");
  EXPECT_TRUE(removed["model"].empty());
  EXPECT_EQ(bed.query("select count(*) from sync_db.main.plans")[0][0].as_integer(), 1);
}

TEST_F(Stories, TellWhatTurnNeverCameAndWhatIsNotCertain) {
  bed.model("select i as id, 'n' || i as name, i as score from range(3) t(i)");
  bed.run(spec);
  bed.model("select i as id, 'm' || i as name, i as score from range(3) t(i)");
  bed.plan(spec);  // shown, and never sent
  bed.destination.limits = {1, 0, 1};
  bed.destination.script = [&](std::span<const Change>) {
    bed.cancel->request();
    return Answer{.verdicts = {Verdict::in_doubt("LOST", "cut")}};
  };
  bed.run(spec);
  const auto lost = tell("0");
  ASSERT_EQ(lost["plans"].size(), 3u);
  EXPECT_FALSE(lost["plans"][1].contains("verdict"));
  EXPECT_EQ(lost["plans"][2]["verdict"], "in_doubt");
  EXPECT_EQ(lost["snapshot"]["certain"], false);
  EXPECT_EQ(lost["reject"]["state"], "again");
  EXPECT_EQ(tell("2")["plans"][2]["verdict"], "not_sent");
}

TEST_F(Stories, AreTextForCompositeKeysTooAndSayWhenNothingIsKnown) {
  spec = spec_of(
      "model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id, region: region}\nfields: "
      "{name: name}\n");
  bed.model("select 1 as id, 'eu' as region, 'Ada' as name union all select 1, 'eu', 'Eve'");
  const auto doubled = tell("[1, \"eu\"]");
  EXPECT_EQ(doubled["model"].size(), 2u);
  EXPECT_TRUE(doubled["next"].is_null());
  try {
    tell("7");
    FAIL() << "told";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "sync.row_unknown");
    EXPECT_EQ(
        error.message(),
        "nothing is known of a row 7 of sync people: neither model nor snapshot has it, nor any plan that "
        "is kept");
    EXPECT_EQ(error.hint(),
              "write the key as the destination gets it; of a composite one a JSON array: '[1, \"eu\"]'");
  }
}

TEST_F(Stories, GoOnWhenTheModelCannotBeRead) {
  bed.model("select 1 as id, 'Ada' as name, 0.5 as score");
  bed.run(spec);
  spec = spec_of(replace_all(people_yaml, "name: name", "name: nome"));
  const auto story = tell("1");
  EXPECT_NE(story["model_note"].get<std::string>().find("nome"), std::string::npos);
  EXPECT_EQ(story["plans"].size(), 1u);
  EXPECT_EQ(story["snapshot"]["fields"]["name"], "Ada");
}

}  // namespace
}  // namespace eddy::sync
