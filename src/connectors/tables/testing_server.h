// What every destination that is a database server must do when its wire is cut, when it goes away, and while
// an empty table fills up. A typed suite: each server says with a Bed how it is played.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "connectors/tables/testing_tables.h"
#include "support/cutting_proxy.h"
#include "support/delivery.h"

namespace eddy::connectors {

// A Bed has
//   Server, of tests/support, and `missing`: what to say when it is not installed
//   type(), and connect(server, port): the destination; port 0 is the server's own
//   between_cells in what Server::sql() prints
//   commit: bytes that go over the wire with a COMMIT, and with no other statement
//   straight: bytes that go over it when rows named `name_in_stream` go straight into the table
//   check_violation: the code of a CHECK that was not kept
//   durable: what makes a table survive stop() without fsync; may be empty
//   before_workers: what fills the table before several of them write; may be empty
//   expect_stages(server, at_least, at_most): where the server can count its staging tables
template <class Bed>
class ServerTables : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Bed::Server::installed()) GTEST_SKIP() << Bed::missing;
    server_ = std::make_unique<typename Bed::Server>();
  }

  std::string sql(const std::string& statements) const { return server_->sql(statements); }
  std::string people() const { return sql("select count(*) from people"); }
  void make_people(const std::string& columns = "id bigint primary key, name text") const {
    sql("drop table if exists people; create table people (" + columns + ")");
  }
  std::unique_ptr<sync::Writer> open(sync::Mode mode = sync::Mode::upsert, int port = 0) const {
    return Bed::connect(*server_, port)
        ->open(testing::delivery_to(Bed::type(), "people", {{"name", Type::text}}, mode));
  }
  static std::size_t count(sync::Writer& writer, const std::vector<Change>& changes, Outcome outcome) {
    return testing::count(testing::deliver(writer, changes).verdicts, outcome);
  }

  static constexpr const char* name_in_stream = "a row of the stream";
  std::unique_ptr<typename Bed::Server> server_;
};
TYPED_TEST_SUITE_P(ServerTables);

TYPED_TEST_P(ServerTables, ALostAnswerToCommitIsInDoubtOnlyWhenRepeatingIsUnsafe) {
  for (const sync::Mode mode : {sync::Mode::insert, sync::Mode::upsert, sync::Mode::update}) {
    this->make_people();
    testing::CuttingProxy proxy(this->server_->port());
    const auto writer = this->open(mode, proxy.port());
    proxy.cut_at(TypeParam::commit, /*delivered=*/true);
    // An update of rows that are not there was refused before the answer was lost.
    const Outcome expected = mode == sync::Mode::update ? Outcome::rejected : Outcome::in_doubt;
    EXPECT_EQ(this->count(*writer, testing::rows(3), expected), 3U) << name_of(mode);
    ASSERT_TRUE(proxy.has_cut());
    EXPECT_EQ(this->people(), mode == sync::Mode::update ? "0\n" : "3\n");
    if (mode != sync::Mode::upsert) continue;
    EXPECT_EQ(this->count(*writer, testing::rows(3), Outcome::applied), 3U) << "the writer connects anew";
    EXPECT_EQ(this->people(), "3\n");
  }
}

TYPED_TEST_P(ServerTables, ALossBeforeCommitIsRetriedInEveryMode) {
  for (const sync::Mode mode : {sync::Mode::insert, sync::Mode::upsert})
    for (const bool filled : {false, true}) {  // straight into the table, or through the stage
      this->make_people();
      if (filled) this->sql("insert into people values (99, 'was there')");
      testing::CuttingProxy proxy(this->server_->port());
      const auto writer = this->open(mode, proxy.port());
      proxy.cut_at(filled ? "insert into" : TypeParam::straight, /*delivered=*/false);
      const std::string before = this->people();
      const auto changes = testing::rows(3, this->name_in_stream);
      EXPECT_EQ(this->count(*writer, changes, Outcome::retry), 3U) << name_of(mode) << filled;
      ASSERT_TRUE(proxy.has_cut());
      EXPECT_EQ(this->people(), before);
      EXPECT_EQ(this->count(*writer, changes, Outcome::applied), 3U) << name_of(mode) << filled;
    }
}

TYPED_TEST_P(ServerTables, AnEmptyTableIsFilledStraightUntilSomethingIsRefused) {
  for (const sync::Mode mode : {sync::Mode::upsert, sync::Mode::insert}) {
    this->make_people(
        "id bigint primary key, name text check (name <> 'bad'), untouched text default 'as it was'");
    const auto writer = this->open(mode);
    EXPECT_EQ(this->count(*writer, testing::rows(100), Outcome::applied), 100U);
    TypeParam::expect_stages(*this->server_, 0, 0);
    auto more = testing::rows(104);
    more.erase(more.begin(), more.begin() + 99);  // 99 is there, 100 to 103 are new
    more[2].fields[0] = Value::text("bad");
    const auto verdicts = testing::deliver(*writer, more).verdicts;
    EXPECT_EQ(verdicts[0].outcome, mode == sync::Mode::upsert ? Outcome::applied : Outcome::rejected);
    EXPECT_EQ(verdicts[2].code, TypeParam::check_violation);
    EXPECT_EQ(testing::count(verdicts, Outcome::applied), mode == sync::Mode::upsert ? 4U : 3U);
    TypeParam::expect_stages(*this->server_, 1, 1);
    EXPECT_EQ(this->sql("select count(*), min(untouched) from people"),
              std::string("103") + TypeParam::between_cells + "as it was\n");
  }
}

TYPED_TEST_P(ServerTables, AServerThatComesBackIsFoundAgain) {
  this->make_people();
  this->sql(TypeParam::durable);
  const auto writer = this->open();
  EXPECT_EQ(this->count(*writer, testing::rows(1), Outcome::applied), 1U);
  this->server_->stop();
  EXPECT_EQ(this->count(*writer, testing::rows(5), Outcome::retry), 5U);
  EXPECT_EQ(this->count(*writer, testing::rows(5), Outcome::retry), 5U);
  this->server_->start();
  EXPECT_EQ(this->count(*writer, testing::rows(5), Outcome::applied), 5U);
  EXPECT_EQ(this->people(), "5\n");
}

TYPED_TEST_P(ServerTables, ATableThatIsGoneEndsTheRun) {
  this->make_people();
  const auto writer = this->open();
  testing::deliver(*writer, testing::rows(1));
  this->sql("drop table people");
  EXPECT_EQ(testing::error_of([&] { testing::deliver(*writer, testing::rows(1)); }).code(),
            "destination.refused");
}

TYPED_TEST_P(ServerTables, WorkersShareOneWriterAndLeaveOneStageEach) {
  this->make_people();
  this->sql(TypeParam::before_workers);
  const auto writer = this->open();
  const auto changes = testing::rows(4000);
  const std::size_t workers = writer->limits().workers_max;
  std::vector<std::thread> threads;
  std::vector<std::size_t> applied(workers);
  for (std::size_t worker = 0; worker < workers; ++worker)
    threads.emplace_back([&, worker] {
      for (std::size_t at = worker * 100; at < changes.size(); at += workers * 100)
        applied[worker] +=
            testing::count(writer->deliver(std::span(changes).subspan(at, 100)).verdicts, Outcome::applied);
    });
  for (std::thread& thread : threads) thread.join();
  std::size_t total = 0;
  for (const std::size_t number : applied) total += number;
  EXPECT_EQ(total, 4000U);
  EXPECT_EQ(this->people(), "4000\n");
  TypeParam::expect_stages(*this->server_, 1, static_cast<int>(workers));
}

REGISTER_TYPED_TEST_SUITE_P(ServerTables, ALostAnswerToCommitIsInDoubtOnlyWhenRepeatingIsUnsafe,
                            ALossBeforeCommitIsRetriedInEveryMode,
                            AnEmptyTableIsFilledStraightUntilSomethingIsRefused,
                            AServerThatComesBackIsFoundAgain, ATableThatIsGoneEndsTheRun,
                            WorkersShareOneWriterAndLeaveOneStageEach);

}  // namespace eddy::connectors
