#include "sync/funnel.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"
#include "sync/undo.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::people_yaml;
using testing::spec_of;

void reconciles(const std::vector<FunnelStep>& funnel) {
  for (std::size_t i = 1; i < funnel.size(); ++i) {
    std::uint64_t out = 0;
    for (const auto& [what, rows] : funnel[i].fell_out) out += rows;
    EXPECT_EQ(funnel[i].rows + out, funnel[i - 1].rows + funnel[i].joined) << funnel[i].name;
  }
}

TEST(Funnel, TellsWhatFellOutAtEachStepAndReconciles) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {removed: 100%, rows: 100%}\n");
  bed.model("select i as id, 'n' as name, 0 as score from range(10) t(i)");
  bed.run(spec);
  // 0…3 the same, 4 and 5 changed, 6…9 gone, two without a key, two that share one, two new ones.
  bed.model(
      "select i as id, case when i > 3 then 'm' else 'n' end as name, 0 as score from range(6) t(i) "
      "union all select null, 'x', 0 from range(2) union all select 20, 'y', 0 from range(2) "
      "union all select i, 'z', 0 from range(30, 32) t(i)");
  bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer;
    for (const Change& change : changes)
      answer.verdicts.push_back(change.key[0].as_integer() == 5 ? Verdict::rejected("BAD", "no")
                                                                : Verdict::applied());
    return answer;
  };
  const auto funnel = funnel_of(details(bed.run(spec, {.approved = true})));
  EXPECT_EQ(to_json(funnel).dump(),
            R"([{"fell_out":{},"rows":12,"step":"source"},)"
            R"({"fell_out":{"duplicate key":2,"null key":2},"rows":8,"step":"valid"},)"
            R"({"fell_out":{"unchanged":4},"rows":8,"step":"changed","to_remove":4},)"
            R"({"fell_out":{},"rows":8,"step":"sent"},)"
            R"({"fell_out":{"rejected":1},"rows":7,"step":"applied"}])");
  reconciles(funnel);
  const auto again = funnel_of(details(bed.run(spec, {.approved = true})));
  EXPECT_EQ(to_json(again)[2].dump(),
            R"({"fell_out":{"rejected before":1,"unchanged":7},"rows":0,"step":"changed"})");
  reconciles(again);
}

TEST(Funnel, OfAnUndoCountsTheRowsOfTheRunItTakesBack) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "guards: {removed: 100%, rows: 100%}\n");
  const auto values = [](const char* rows) {
    return fmt::format("select * from (values {}) t(id, name, score)", rows);
  };
  bed.model(values("(1, 'Ada', 0), (2, 'Bob', 0), (3, 'Cid', 0)"));
  bed.run(spec);
  bed.model(values("(1, 'Eve', 0), (2, 'Rob', 0), (3, 'Cid', 0), (4, 'Dot', 0)"));
  bed.run(spec);  // run2 changes 1 and 2, and makes 4
  bed.model(values("(1, 'Eve', 0), (2, 'Rod', 0), (3, 'Cid', 0), (4, 'Dot', 0)"));
  bed.run(spec);  // 2 is another one since
  PlanRequest request{.kind = PlanKind::undo};
  {
    auto c = bed.session->connect();
    open_sync_database(*bed.session, c);
    request.undo_plan = delivered_by(c, "run2", spec.name).at(0).plan_id;
    request.undone_run = "run2";
  }
  const Plan plan = plan_sync(*bed.session, spec, bed.clock, request);
  const auto funnel =
      funnel_of(details(apply_plan(*bed.session, spec, bed.destination, plan.id, bed.next_run(), bed.clock,
                                   silent_progress(), *bed.cancel, {.approved = true})));
  EXPECT_EQ(to_json(funnel).dump(), R"([{"fell_out":{},"rows":3,"step":"source"},)"
                                    R"({"fell_out":{"changed since":1,"kept":1},"rows":1,"step":"valid"},)"
                                    R"({"fell_out":{},"rows":1,"step":"changed"},)"
                                    R"({"fell_out":{},"rows":1,"step":"sent"},)"
                                    R"({"fell_out":{},"rows":1,"step":"applied"}])");
  reconciles(funnel);
}

TEST(Funnel, TellsWhatWasNotSent) {
  Bed bed;
  bed.model("select i as id, 'n' as name, 0 as score from range(3) t(i)");
  const auto held = funnel_of(details(bed.run(spec_of(people_yaml + "guards: {first_run: 2}\n"))));
  EXPECT_EQ(to_json(held)[3].dump(), R"({"fell_out":{"not sent":3},"rows":0,"step":"sent"})");
  reconciles(held);
  EXPECT_TRUE(funnel_of({{"rows", 7}}).empty());
}

}  // namespace
}  // namespace eddy::sync
