#include "sync/change_reader.h"

#include <gtest/gtest.h>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::code_of;
using testing::people_yaml;
using testing::spec_of;

std::vector<std::uint64_t> numbers(ChangeReader& reader) {
  std::vector<std::uint64_t> out;
  for (auto some = reader.next(); !some.empty(); some = reader.next())
    for (const Change& change : some) out.push_back(change.number);
  return out;
}

TEST(ChangeReader, GivesAllRowsInOrderAcrossWindows) {
  Bed bed;
  bed.model("select i as id, 'name ' || i as name, i % 97 as score from range(150000) t(i)");
  const Plan plan = bed.plan(spec_of(people_yaml));
  auto connection = bed.session->connect();
  open_sync_database(*bed.session, connection);
  ChangeReader all(connection, plan, 0, 150'000);
  const auto got = numbers(all);
  ASSERT_EQ(got.size(), 150'000U);
  for (std::uint64_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], i);
  ChangeReader part(connection, plan, 70'000, 70'010);
  EXPECT_EQ(numbers(part).front(), 70'000U);
  ChangeReader beyond(connection, plan, 149'999, 1'000'000);
  EXPECT_EQ(numbers(beyond).size(), 1U);
  EXPECT_TRUE(changes(connection, plan, 150'000, 10).empty());
}

TEST(ChangeReader, ReadsWhatThePlanShows) {
  Bed bed;
  const SyncSpec spec = spec_of(people_yaml + "removed: delete\nguards: {removed: 100%, changed: 100%}\n");
  bed.model("select i as id, 'n' || i as name, i as score from range(30) t(i)");
  bed.run(spec);
  bed.model(
      "select i as id, case when i % 3 = 0 then null else 'n' || i end as name, i as score from range(10, "
      "40) "
      "t(i)");
  const Plan plan = bed.plan(spec);
  auto connection = bed.session->connect();
  open_sync_database(*bed.session, connection);
  const auto sent = changes(connection, plan, 0, 100);
  const auto shown = page(connection, plan, 0, 100);
  ASSERT_EQ(sent.size(), plan.counts.planned());
  ASSERT_EQ(sent.size(), shown.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].number, shown[i].number);
    EXPECT_EQ(sent[i].operation, shown[i].operation);
    EXPECT_EQ(sent[i].key, shown[i].key);
    EXPECT_EQ(sent[i].fields, shown[i].after);
    if (sent[i].operation == Operation::change) {
      EXPECT_EQ(sent[i].changed, shown[i].changed);
    }
  }
}

TEST(ChangeReader, AMissingRowIsSaidAndStopsTheRun) {
  for (const int hole : {0, 4'321, 4'999}) {
    Bed bed;
    bed.model("select i as id, 'n' || i as name, i as score from range(5000) t(i)");
    const SyncSpec spec = spec_of(people_yaml);
    const Plan plan = bed.plan(spec);
    {
      auto connection = bed.session->connect();
      open_sync_database(*bed.session, connection);
      connection.execute(fmt::format("delete from {} where rowid = {}", plan_rows(plan.id), hole));
      EXPECT_EQ(code_of([&] { changes(connection, plan, 0, 5'000); }), "sync.plan_unreadable") << hole;
    }
    const SyncResult result = apply_plan(*bed.session, spec, bed.destination, plan.id, bed.next_run(),
                                         bed.clock, silent_progress(), *bed.cancel);
    EXPECT_EQ(result.status, "failed") << hole;
    EXPECT_EQ(result.failure.at(0).code, "sync.plan_unreadable") << hole;
    EXPECT_EQ(result.tally.applied + result.tally.not_sent, 5'000U) << hole;
    EXPECT_EQ(bed.snapshot(spec), bed.destination.records) << hole;
  }
}

}  // namespace
}  // namespace eddy::sync
