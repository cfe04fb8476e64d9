// Syncs whose models live in a PostgreSQL of the user's own, in one process with a destination that does as
// it is told: what is sent, what is kept, and what a kill leaves. Every promise holds with the snapshots
// inside and outside of the warehouse.
#include <gtest/gtest.h>

#include <fstream>

#include "support/postgres_server.h"
#include "sync/drift.h"
#include "sync/ledger.h"
#include "sync/remote_snapshot.h"
#include "sync/reset.h"
#include "sync/sync_bed.h"
#include "warehouse/postgres/dialect.h"

namespace eddy::sync {
namespace {

using eddy::testing::PostgresServer;
using testing::Bed;
using testing::code_of;
using testing::spec_of;
using warehouse::Snapshots;
using Strings = std::vector<std::string>;
using Records = std::map<std::string, std::string>;

struct Killed {};

const std::string people =
    "model: crm.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields: {name: name, score: score}\n"
    "removed: delete\nguards: {removed: 100%, rows: 100%}\n";

// A Bed whose models are in a server of its own.
class OwnBed {
 public:
  explicit OwnBed(Snapshots snapshots = Snapshots::inside) { keep(snapshots); }

  // As if the setting had been changed between two commands.
  void keep(Snapshots snapshots) {
    const std::string yaml = "type: postgres\nhost: 127.0.0.1\nport: " + std::to_string(server.port()) +
                             "\nuser: " + server.user() + "\npassword: " + server.password() +
                             "\ndatabase: " + server.database() +
                             (snapshots == Snapshots::inside ? "\n" : "\nsnapshots: outside\n");
    Diagnostics diagnostics;
    settings_ = config::parse(yaml, "connections.yml", config::no_variables(), diagnostics);
    bed.session->use(warehouse::postgres_warehouse().make("warehouse", settings_));
  }
  void reopen(Snapshots snapshots) {
    bed.reopen();
    keep(snapshots);
  }

  Strings sent(const SyncSpec& spec) {
    bed.destination.forget_requests();
    bed.run(spec);
    return bed.destination.sent();
  }
  std::string sql(const std::string& statements) const { return server.sql(statements); }
  bool kept_inside(const std::string& sync) const {
    return sql("select count(*) from information_schema.tables where table_schema = 'eddy' and table_name = "
               "'snapshot_" +
               sync + "'") == "1\n";
  }
  bool kept_outside(const std::string& sync) {
    return !bed.query("select 1 from duckdb_tables() where schema_name = 'snapshot' and table_name = '" +
                      sync + "'")
                .empty();
  }

  PostgresServer server;
  Bed bed;

 private:
  config::Node settings_;
};

const std::string table_of_people =
    "create schema crm; create table crm.people(id int primary key, name text, score int);"
    "insert into crm.people select i, 'n' || i, i from generate_series(0, 9) i;";

class OwnWarehouse : public ::testing::TestWithParam<Snapshots> {
 protected:
  void SetUp() override {
    EDDY_NEEDS_POSTGRES();
    own = std::make_unique<OwnBed>(GetParam());
  }
  std::unique_ptr<OwnBed> own;
};

INSTANTIATE_TEST_SUITE_P(Snapshots, OwnWarehouse, ::testing::Values(Snapshots::inside, Snapshots::outside),
                         [](const auto& param) {
                           return param.param == Snapshots::inside ? "inside" : "outside";
                         });

TEST_P(OwnWarehouse, SendsWhatChangedAndNothingElse) {
  own->sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  EXPECT_EQ(own->sent(spec).size(), 10u);
  EXPECT_EQ(own->kept_inside("people"), GetParam() == Snapshots::inside);
  EXPECT_EQ(own->kept_outside("people"), GetParam() == Snapshots::outside);
  EXPECT_EQ(own->sent(spec), Strings{});
  own->sql(
      "update crm.people set score = 70 where id = 7; update crm.people set name = null where id = 3; delete "
      "from crm.people where id = 9; insert into crm.people values (20, 'new', 1)");
  EXPECT_EQ(own->sent(spec), (Strings{"change 3=null|3", "change 7=n7|70", "add 20=new|1", "remove 9"}));
  EXPECT_EQ(own->sent(spec), Strings{});
  EXPECT_EQ(own->bed.destination.records.size(), 10u);
}

TEST_P(OwnWarehouse, ViewsAndQueriesAreModelsToo) {
  own->sql(table_of_people +
           "create view crm.good as select * from crm.people where score > 5; create materialized view "
           "crm.kept as "
           "select id, upper(name) as name, score from crm.people");
  EXPECT_EQ(own->sent(spec_of(replace_all(people, "crm.people", "crm.good"), "view")).size(), 4u);
  EXPECT_EQ(own->sent(spec_of(replace_all(people, "crm.people", "crm.kept"), "stored")).front(),
            "add 0=N0|0");
  const SyncSpec query = spec_of(
      replace_all(
          people, "crm.people",
          "{sql: \"select id % 3 as id, string_agg(name, ',' order by id) as name, count(*) as score from "
          "crm.people group by 1 -- per remainder\"}"),
      "query");
  EXPECT_EQ(own->sent(query), (Strings{"add 0=n0,n3,n6,n9|4", "add 1=n1,n4,n7|3", "add 2=n2,n5,n8|3"}));
  own->sql("delete from crm.people where id = 9");
  EXPECT_EQ(own->sent(query), (Strings{"change 0=n0,n3,n6|3"}));
}

TEST_P(OwnWarehouse, RowsWithoutAKeyOrWithADoubledOneAreNotSent) {
  own->sql(
      "create schema crm; create table crm.people(tenant text, id int, name text, score float8);"
      "insert into crm.people values ('a', 1, 'x', 1), ('a', 2, 'x', 1), ('b', 1, 'x', 1), ('b', null, "
      "'lost', 1),"
      "('c', 5, 'twin', 1), ('c', 5, 'twin', 2), (null, 6, 'lost', null)");
  const SyncSpec spec = spec_of(replace_all(people, "{id: id}", "{tenant: tenant, id: id}"));
  const Plan plan = own->bed.plan(spec);
  EXPECT_EQ(plan.counts.source, 7u);
  EXPECT_EQ(plan.counts.null_key, 2u);
  EXPECT_EQ(plan.counts.duplicate_key, 2u);
  EXPECT_EQ(plan.counts.added, 3u);
  ASSERT_EQ(plan.invalid_examples.size(), 3u);
  EXPECT_EQ(plan.invalid_examples[0].row,
            R"({"key":{"tenant":"b","id":null},"fields":{"name":"lost","score":1.0}})");
  EXPECT_EQ(plan.invalid_examples[2].row, R"({"key":["c",5],"rows":2})");
  EXPECT_EQ(own->sent(spec), (Strings{"add a|1=x|1", "add a|2=x|1", "add b|1=x|1"}));
  // A key that is doubled later is left alone, in the destination too.
  own->sql(
      "insert into crm.people values ('a', 1, 'second', 9); update crm.people set score = 3 where id = 2");
  const Plan next = own->bed.plan(spec);
  EXPECT_EQ(next.counts.duplicate_key, 4u);
  EXPECT_EQ(next.counts.changed, 1u);
  EXPECT_EQ(next.counts.removed, 0u);
}

TEST_P(OwnWarehouse, RefusedRowsStayOutUntilTheyChange) {
  own->sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  own->bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer = own->bed.destination.apply(changes);
    for (std::size_t i = 0; i < changes.size(); ++i)
      if (changes[i].operation != Operation::remove && changes[i].fields[1].as_integer() == 4)
        answer.verdicts[i] = Verdict::rejected("NO", "not four");
    return answer;
  };
  EXPECT_EQ(own->bed.run(spec).tally.rejected, 1u);
  EXPECT_EQ(own->sent(spec), Strings{});
  EXPECT_EQ(own->bed.plan(spec).counts.rejected_before, 1u);
  own->sql("update crm.people set score = 5 where id = 4");
  EXPECT_EQ(own->sent(spec), (Strings{"add 4=n4|5"}));
  EXPECT_TRUE(own->bed.store->rejects("people", true).empty());
}

TEST_P(OwnWarehouse, AnAnswerThatWasLostIsSentAgain) {
  own->sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  own->bed.run(spec);
  own->sql("update crm.people set score = 50 where id = 5");
  ApplyOptions once;
  once.retry.attempts_max = 1;
  own->bed.destination.script = [&](std::span<const Change> changes) {
    Answer answer = own->bed.destination.apply(changes);
    for (Verdict& verdict : answer.verdicts) verdict = Verdict::in_doubt("lost", "cut");
    return answer;
  };
  own->bed.run(spec, once);
  own->bed.destination.script = nullptr;
  own->sql("update crm.people set score = 5 where id = 5");  // what was acknowledged before, but is it there?
  EXPECT_EQ(own->sent(spec), (Strings{"change 5=n5|5"}));
}

TEST_P(OwnWarehouse, AFieldMoreIsFilledAndAnotherTypeSendsNothing) {
  own->sql(
      "create schema crm; create table crm.people(id int primary key, name varchar(20), score numeric(8,2), "
      "seen "
      "date);"
      "insert into crm.people select i, 'n' || i, i + 0.5, date '2024-01-01' + i from generate_series(0, 9) "
      "i");
  own->bed.run(spec_of(people));
  own->sql(
      "alter table crm.people alter id type bigint, alter name type text, alter score type numeric(12,4), "
      "alter seen "
      "type timestamp");
  EXPECT_EQ(own->sent(spec_of(people)), Strings{});
  const SyncSpec more = spec_of(replace_all(people, "score: score}", "score: score, seen: seen}"));
  const Plan plan = own->bed.plan(more);
  EXPECT_EQ(plan.counts.changed, 10u);
  EXPECT_EQ(plan.field_changes, (std::vector<std::pair<std::string, std::uint64_t>>{{"seen", 10}}));
  EXPECT_EQ(own->sent(more).size(), 10u);
  EXPECT_EQ(own->sent(more), Strings{});
  own->sql("alter table crm.people alter seen type date");  // kept as timestamps until the next delivery
  EXPECT_EQ(own->sent(more), Strings{});
  own->sql("update crm.people set seen = '2030-01-01' where id = 1");
  EXPECT_EQ(own->sent(more), (Strings{"change 1=n1|1.5000|2030-01-01"}));
  EXPECT_EQ(own->sent(more), Strings{});
  // Without the field again: it is not cleared there, and nothing is sent.
  EXPECT_EQ(own->sent(spec_of(people)), Strings{});
}

TEST_P(OwnWarehouse, NullsThatAreKeptAreNoChange) {
  own->sql(table_of_people);
  const SyncSpec spec = spec_of(replace_all(people, "name: name", "name: {value: name, when_null: keep}"));
  own->bed.run(spec);
  own->sql("update crm.people set name = null");
  EXPECT_EQ(own->sent(spec), Strings{});
  own->sql("update crm.people set score = 44 where id = 4");
  EXPECT_EQ(own->sent(spec), (Strings{"change 4=n4|44"}));
  EXPECT_EQ(own->sent(spec), Strings{});
}

TEST_P(OwnWarehouse, NormalizationsAreTheWarehousesSql) {
  own->sql(
      "create schema crm; create table crm.people(mail text, name text, score int);"
      "insert into crm.people values (E' Ada@X.org\\u00a0', E'\\tAda ', 1), ('no address', '  ', 2), "
      "('bob@x.org', "
      "'Bob', 3)");
  const SyncSpec spec = spec_of(
      "model: crm.people\ndestination: crm\nobject: people\nkey: {mail: {value: mail, normalize: email}}\n"
      "fields: {name: {value: name, normalize: [trim, upper]}, score: score}\n");
  EXPECT_EQ(own->sent(spec), (Strings{"add ada@x.org=ADA|1", "add bob@x.org=BOB|3"}));
  EXPECT_EQ(own->bed.plan(spec).counts.null_key, 1u);
  own->sql("update crm.people set mail = 'ADA@x.org' where score = 1");
  EXPECT_EQ(own->sent(spec), Strings{});
}

TEST_P(OwnWarehouse, IsResetAndBelieved) {
  own->sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  EXPECT_EQ(reset(*own->bed.session, spec.name, "reset0").rows, 0u);  // before anything was delivered
  own->bed.run(spec);
  EXPECT_EQ(reset(*own->bed.session, spec.name, "reset1").rows, 10u);
  EXPECT_FALSE(own->kept_inside("people") || own->kept_outside("people"));
  EXPECT_EQ(own->sent(spec).size(), 10u);
  EXPECT_EQ(own->sent(spec), Strings{});
  own->sql("update crm.people set score = 100; delete from crm.people where id = 1");
  EXPECT_EQ(baseline(*own->bed.session, spec, "baseline1", own->bed.clock).plan.counts.source, 9u);
  EXPECT_EQ(own->sent(spec), Strings{});
  own->sql("update crm.people set score = 3 where id = 2");
  EXPECT_EQ(own->sent(spec), (Strings{"change 2=n2|3"}));
}

TEST_P(OwnWarehouse, IsUndone) {
  own->sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  own->bed.run(spec);
  own->sql("update crm.people set score = 70 where id = 7; delete from crm.people where id = 9");
  const SyncResult run = own->bed.run(spec);
  own->bed.destination.forget_requests();
  ApplyOptions undo;
  undo.request.kind = PlanKind::undo;
  undo.request.undo_plan = run.plan.id;
  undo.approved = true;
  EXPECT_EQ(own->bed.run(spec, undo).status, "done");
  EXPECT_EQ(own->bed.destination.sent(), (Strings{"change 7=n7|7", "add 9=n9|9"}));
  EXPECT_EQ(own->sent(spec), (Strings{"change 7=n7|70", "remove 9"}));
}

TEST_P(OwnWarehouse, IsRefreshedFromTheDestination) {
  own->sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  own->bed.run(spec);
  own->bed.destination.readable = true;
  own->bed.destination.records["4"] = "by hand|4";
  auto c = own->bed.session->connect();
  const Standing standing = recover(*own->bed.session, c, spec.name, own->bed.clock);
  bring_snapshot_home(*own->bed.session, c, spec.name);
  const Drift drift = read_drift(c, standing, bind(*own->bed.session, c, spec), own->bed.destination,
                                 spec.options, *own->bed.cancel);
  EXPECT_EQ(drift.changed, 1u);
  PlanRequest request;
  request.refreshed = true;
  const Plan plan = make_plan(*own->bed.session, c, spec, own->bed.clock, request);
  EXPECT_EQ(plan.counts.changed, 1u);
  EXPECT_EQ(page(c, plan, 0, 10).at(0).key.at(0).as_integer(), 4);
}

// What a killed run leaves: a plan, and a ledger in which every row but the last was acknowledged.
void leave_ledger(Bed& bed, const SyncSpec& spec) {
  const Plan plan = bed.plan(spec);
  const std::string run = bed.next_run();
  Ledger ledger(ledger_file(*bed.session, spec.name, run),
                {spec.name, plan.id, run, plan.epoch, plan.counts.planned(), false});
  ledger.intend(0, plan.counts.planned());
  std::vector<RowVerdict> verdicts;
  for (std::uint64_t i = 0; i + 1 < plan.counts.planned(); ++i)
    verdicts.push_back({i, RowFate::applied, false, 1, "", "", ""});
  ledger.record(verdicts);
}

TEST_P(OwnWarehouse, AKillBetweenAnyTwoStepsOfAFoldIsTakenUp) {
  own->sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  std::uint64_t epoch = 0;
  for (const char* killed_before : {"snapshot", "copy of the standing", "rejects", "state", "ledger"}) {
    if (GetParam() == Snapshots::outside && killed_before == std::string("copy of the standing")) continue;
    SCOPED_TRACE(killed_before);
    own->sql("update crm.people set score = score + 100");
    leave_ledger(own->bed, spec);
    {
      auto c = own->bed.session->connect();
      EXPECT_THROW(recover(*own->bed.session, c, spec.name, own->bed.clock,
                           [&](std::string_view step) {
                             if (step == killed_before) throw Killed();
                           }),
                   Killed);
    }
    own->reopen(GetParam());
    // The one row whose answer never came, and nothing else.
    EXPECT_EQ(own->bed.plan(spec).counts.planned(), 1u);
    EXPECT_EQ(own->sent(spec).size(), 1u);
    EXPECT_EQ(own->sent(spec), Strings{});
    epoch += 2;
    EXPECT_EQ(own->bed.store->sync_state("people")->epoch, epoch);
    EXPECT_EQ(own->bed.query("select count(*) from sync_db.main.deliveries").front()[0].as_integer(),
              static_cast<std::int64_t>(epoch));
  }
}

TEST(OwnWarehouseMoves, EitherWayAtAnyTimeAndNothingIsResent) {
  EDDY_NEEDS_POSTGRES();
  OwnBed own(Snapshots::inside);
  own.sql(table_of_people +
          "alter table crm.people add seen timestamptz default '2024-01-01 10:00:00.5+02', add "
          "price numeric default 12.50, add ratio float8 default 'NaN', add raw bytea default "
          "'\\x00ff', add doc jsonb default '{\"a\": [1, null]}', add yes bool default true, add "
          "born date default '0044-03-15 BC', add met timestamp default '0044-03-15 10:00:00 BC', "
          "add never timestamp default 'infinity', add large numeric default "
          "12345678901234567890123456789012345678901234567890.5");
  const SyncSpec spec =
      spec_of(replace_all(people, "score: score}",
                          "score: score, seen: seen, price: price, ratio: ratio, raw: raw, doc: doc, "
                          "yes: 'yes', born: born, met: met, never: never, large: large}"));
  EXPECT_EQ(own.sent(spec).size(), 10u);
  for (int round = 0; round < 2; ++round) {
    own.keep(Snapshots::outside);
    EXPECT_EQ(own.bed.plan(spec).counts.planned(), 0u);
    EXPECT_TRUE(own.kept_inside("people"));  // a plan moves nothing
    EXPECT_EQ(own.sent(spec), Strings{});
    EXPECT_TRUE(own.kept_outside("people"));
    EXPECT_FALSE(own.kept_inside("people"));
    own.sql("update crm.people set score = score + 1 where id = 4");
    EXPECT_EQ(own.sent(spec).size(), 1u);
    own.keep(Snapshots::inside);
    EXPECT_EQ(own.sent(spec), Strings{});
    EXPECT_TRUE(own.kept_inside("people"));
    EXPECT_FALSE(own.kept_outside("people"));
    EXPECT_EQ(own.sql("select count(*) from eddy.snapshot_people"), "10\n");
    own.sql("update crm.people set score = score + 1 where id = 5");
    EXPECT_EQ(own.sent(spec).size(), 1u);
  }
}

TEST(OwnWarehouseMoves, CutAnywhereTheyAreTakenUp) {
  EDDY_NEEDS_POSTGRES();
  OwnBed own(Snapshots::inside);
  own.sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  own.bed.run(spec);
  for (const Snapshots there : {Snapshots::outside, Snapshots::inside})
    for (const char* killed_before : {"place", "empty"}) {
      SCOPED_TRACE(killed_before);
      own.keep(there == Snapshots::inside ? Snapshots::outside : Snapshots::inside);
      EXPECT_EQ(own.sent(spec), Strings{});
      own.keep(there);
      {
        auto c = own.bed.session->connect();
        recover(*own.bed.session, c, spec.name, own.bed.clock);
        EXPECT_THROW(move_snapshot(*own.bed.session, c, spec.name,
                                   [&](std::string_view step) {
                                     if (step == killed_before) throw Killed();
                                   }),
                     Killed);
      }
      own.reopen(there);
      own.sql("update crm.people set score = score + 1 where id = 4");
      EXPECT_EQ(own.sent(spec).size(), 1u);
      EXPECT_EQ(own.sent(spec), Strings{});
      EXPECT_EQ(own.kept_inside("people"), there == Snapshots::inside);
      EXPECT_EQ(own.kept_outside("people"), there == Snapshots::outside);
    }
}

TEST(OwnWarehouseMoves, AnotherProjectsSnapshotIsNotTouched) {
  EDDY_NEEDS_POSTGRES();
  OwnBed own(Snapshots::inside);
  own.sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  own.bed.run(spec);
  Bed other;
  const warehouse::OwnWarehouse inside = *own.bed.session->own();
  warehouse::OwnWarehouse outside = inside;
  outside.snapshots = Snapshots::outside;
  other.session->use(inside);
  EXPECT_EQ(code_of([&] { other.run(spec); }), "sync.state_mismatch");
  other.session->use(outside);
  other.run(spec);
  other.session->use(inside);
  EXPECT_EQ(code_of([&] { other.run(spec); }), "sync.state_mismatch");
  EXPECT_EQ(own.sent(spec), Strings{});
  warehouse::OwnWarehouse elsewhere = inside;
  elsewhere.schema = "eddy_two";
  other.session->use(elsewhere);
  other.destination.forget_requests();
  other.run(spec);
  EXPECT_EQ(other.destination.sent(), Strings{});
  EXPECT_EQ(own.sql("select count(*) from eddy_two.snapshot_people"), "10\n");
}

TEST(OwnWarehouseMoves, WithoutTheWarehouseTheSnapshotIsMissed) {
  EDDY_NEEDS_POSTGRES();
  OwnBed own(Snapshots::inside);
  own.sql(table_of_people);
  own.bed.run(spec_of(people));
  own.bed.reopen();
  own.bed.model("select 1 as id, 'n' as name, 2 as score");
  EXPECT_EQ(code_of([&] { own.bed.plan(spec_of(replace_all(people, "crm.people", "warehouse.people"))); }),
            "sync.snapshot_elsewhere");
}

TEST(OwnWarehouseMoves, AStateOlderThanTheWarehouseIsSaid) {
  EDDY_NEEDS_POSTGRES();
  OwnBed own(Snapshots::inside);
  own.sql(table_of_people);
  const SyncSpec spec = spec_of(people);
  own.bed.run(spec);
  const std::string older = own.sql("select epoch, checksum from eddy.syncs");
  own.sql(
      "create table crm.backup as select * from eddy.syncs; create table crm.rows as select * from "
      "eddy.snapshot_people; update crm.people set score = 99");
  own.bed.run(spec);
  own.sql("delete from eddy.syncs; insert into eddy.syncs select * from crm.backup");
  EXPECT_EQ(own.sql("select epoch, checksum from eddy.syncs"), older);
  EXPECT_EQ(code_of([&] { own.bed.run(spec); }), "sync.state_mismatch");
}

}  // namespace
}  // namespace eddy::sync
