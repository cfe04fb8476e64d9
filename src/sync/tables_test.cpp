#include "sync/tables.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::people_yaml;
using testing::spec_of;
using testing::text_of;
using Lines = std::vector<std::string>;

class Tables : public ::testing::Test {
 protected:
  void SetUp() override {
    define_tables(*bed.session, {.inserts = [](const std::string&) { return false; },
                                 .hold_outcomes =
                                     [this] {
                                       ++locked;
                                       return std::shared_ptr<void>(this, [this](void*) { ++released; });
                                     }});
  }
  Lines ask(const std::string& sql) {
    auto c = bed.session->connect();
    Lines out;
    for (const Row& row : c.query(sql).rows()) out.push_back(text_of(row));
    return out;
  }
  Bed bed;
  int locked = 0, released = 0;
};

TEST_F(Tables, AreEmptyBeforeTheFirstRun) {
  EXPECT_EQ(ask("select count(*) from eddy.runs"), Lines{"0"});
  EXPECT_EQ(ask("select count(*) from eddy.run_nodes"), Lines{"0"});
  EXPECT_EQ(ask("select count(*) from eddy.rejects"), Lines{"0"});
  EXPECT_EQ(ask("select count(*) from eddy.row_outcomes"), Lines{"0"});
  EXPECT_EQ(locked, 0);
}

TEST_F(Tables, TellRunsWithTheFunnelOfTheirSyncs) {
  for (int i = 100; i < 700; ++i) {
    const std::string id = "r" + std::to_string(i);
    bed.store->begin_run({id, "run", "", "running", "2026-01-02T03:04:05.5Z", "", ""});
    if (i == 699) continue;
    bed.store->record_node({id, "sync.people", "sync", "ok", "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z",
                            2, "+2", R"({"source":3,"valid":3,"planned":2,"applied":2})"});
    bed.store->end_run(id, "done", "");
  }
  EXPECT_EQ(ask("select count(*), count(distinct run_id), count(ended_at) from eddy.runs"),
            Lines{"600|600|599"});
  EXPECT_EQ(
      ask("select source, planned, applied, rejected, started_at, details->>'valid' from eddy.run_nodes "
          "where run_id = 'r100'"),
      Lines{"3|2|2|null|2026-01-02T03:04:05Z|3"});
  EXPECT_EQ(ask("select sum(applied)::bigint from eddy.run_nodes"), Lines{"1198"});
}

TEST_F(Tables, TellWhatBecameOfEveryRow) {
  const SyncSpec spec = spec_of(people_yaml);
  bed.model("select i as id, 'n' as name, i as score from range(5000) t(i)");
  bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer;
    for (const Change& change : changes)
      answer.verdicts.push_back(change.key[0].as_integer() == 7 ? Verdict::rejected("BAD", "7 is no number")
                                                                : Verdict::applied());
    return answer;
  };
  bed.run(spec);
  bed.run(spec);  // sends nothing
  EXPECT_EQ(ask("select run_id, sync, kind, operation, verdict, count(*), sum(attempts)::bigint from "
                "eddy.row_outcomes group by all order by 6"),
            (Lines{"run1|people|sync|add|rejected|1|1", "run1|people|sync|add|applied|4999|4999"}));
  EXPECT_EQ(ask("select key, code, message from eddy.row_outcomes where verdict = 'rejected'"),
            Lines{"[7]|BAD|7 is no number"});
  EXPECT_GT(locked, 0);
  EXPECT_EQ(ask("select sync, key, state, code, message_template, attempts, runs, payload->'fields'->>'name' "
                "from eddy.rejects"),
            Lines{"people|[7]|refused|BAD|<n> is no number|1|1|n"});
}

TEST_F(Tables, OutcomesAreHeldNoLongerThanTheyAreCopied) {
  bed.model("select i as id, 'n' as name, i as score from range(5000) t(i)");
  bed.run(spec_of(people_yaml));
  auto c = bed.session->connect();
  auto slow = c.stream("select * from eddy.row_outcomes");
  ASSERT_TRUE(slow.next());
  EXPECT_EQ(locked, 1);
  EXPECT_EQ(released, 1) << "whoever reads slowly keeps others from working";
  std::size_t rows = 0;
  while (const auto chunk = slow.next()) rows += chunk->rows();
  EXPECT_GT(rows, 0u);
}

TEST_F(Tables, SayWhichRowsTurnDidNotCome) {
  const SyncSpec spec = spec_of(people_yaml);
  bed.model("select i as id, 'n' as name, i as score from range(3) t(i)");
  bed.destination.limits = {1, 0, 1};
  bed.destination.script = [&](std::span<const Change> changes) {
    bed.cancel->request();
    return bed.destination.apply(changes);
  };
  bed.run(spec);
  EXPECT_EQ(ask("select key, verdict, attempts, created from eddy.row_outcomes order by key"),
            (Lines{"[0]|applied|1|true", "[1]|not_sent|0|false", "[2]|not_sent|0|false"}));
}

TEST_F(Tables, CanBeReadByTheModelOfASync) {
  const SyncSpec spec = spec_of(people_yaml);
  bed.model("select 1 as id, 'Ada' as name, 0.5 as score");
  bed.run(spec);
  bed.store->commit_model({"presentation.audit", "v1",
                           "view:select key as id, verdict as name, attempts as score from eddy.row_outcomes",
                           1, "t", "f", "r"});
  auto c = bed.session->connect();
  bed.session->refresh_model(c, "presentation.audit");
  const SyncSpec audit = spec_of(replace_all(people_yaml, "warehouse.people", "presentation.audit"), "audit");
  bed.destination.forget_requests();
  bed.run(audit);
  EXPECT_EQ(bed.destination.sent(), Lines{"add [1]=applied|1"});
}

}  // namespace
}  // namespace eddy::sync
