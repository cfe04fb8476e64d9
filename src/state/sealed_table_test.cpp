#include "state/sealed_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/text.h"
#include "state/schema.h"
#include "state/store.h"
#include "support/scratch.h"
#include "transport/sqlite/database.h"

namespace eddy::state {
namespace {

using testing::Scratch;

const Reject reject{.sync = "s",
                    .key = "[1]",
                    .operation = "add",
                    .outcome = "rejected",
                    .code = "BAD",
                    .message = "no",
                    .payload = R"({"key":{"id":1},"fields":{"name":"Ada"}})",
                    .payload_hash = "h1",
                    .first_seen = "2026-01-01T00:00:00Z",
                    .last_seen = "2026-01-01T00:00:00Z",
                    .run_id = "r1",
                    .attempts = 1,
                    .runs = 1,
                    .status = "open"};

// One row in each table.
void fill(const std::filesystem::path& file) {
  const auto store = Store::open(file);
  store->commit_load(
      {"L1", "shop", "orders", "r1", "t", "[]", {{"a.csv", "h1", 10, 5, "raw/a", "rows/a", 3, 1}}});
  store->commit_model({"clean.c", "v1", "p1", 1, "t", "f", "r"});
  store->put_sync_state({"s", 7, "sum", "plan", "{}"});
  store->put_rejects({reject});
  store->put_fact("guard.s", "12");
}

// What the tables steer by.
std::vector<std::function<void(Store&)>> uses() {
  return {[](Store& s) { s.loads("shop", "orders"); },
          [](Store& s) { s.loaded_streams(); },
          [](Store& s) { s.knows_content("shop", "orders", "h1"); },
          [](Store& s) { s.current_model("clean.c"); },
          [](Store& s) { s.current_models(); },
          [](Store& s) { s.model_versions("clean.c"); },
          [](Store& s) { s.sync_state("s"); },
          [](Store& s) { s.delivering_syncs(); },
          [](Store& s) { s.fact("guard.s"); },
          [](Store& s) { s.rejects("s", false); },
          [](Store& s) { s.count_rejects({}); },
          [](Store& s) { s.put_rejects({reject}); },
          [](Store& s) { s.settle_rejects("s", {"[1]"}); },
          [](Store& s) { s.settle_all_rejects("s"); },
          [](Store& s) { s.replay_rejects({}); }};
}

std::string code_of(const std::function<void()>& action) {
  try {
    action();
    return "";
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(SealedTables, AChangeOfAnyCellIsMet) {  // F21
  const Scratch scratch;
  fill(scratch / "whole.db");
  for (const SealedTable& table : sealed_tables)
    for (const std::string& word : split(std::string(table.columns), ',')) {
      const std::string column = trim(word);
      SCOPED_TRACE(fmt::format("{}.{}", table.name, column));
      const auto file = scratch / "damaged.db";
      std::filesystem::remove(file);
      std::filesystem::copy(scratch / "whole.db", file);
      {
        sqlite::Database db(file, sqlite::Access::read_write);
        db.exec(fmt::format(
            "pragma foreign_keys = off; update {0} set {1} = case typeof({1}) when 'integer' then {1} | 64 "
            "else {1} || '!' end",
            table.name, column));
      }
      const auto store = Store::open(file);
      EXPECT_EQ(code_of([&] { store->check(); }), "state.damaged");
    }
}

TEST(SealedTables, WhoUsesADamagedRowIsTold) {  // F21
  const Scratch scratch;
  const auto file = scratch / "state.db";
  fill(file);
  {
    const auto store = Store::open(file);
    store->check();
    for (const auto& use : uses()) EXPECT_EQ(code_of([&] { use(*store); }), "");
    store->put_rejects({reject});
    store->check();
  }
  {
    sqlite::Database db(file, sqlite::Access::read_write);
    for (const SealedTable& table : sealed_tables)
      db.exec(fmt::format("update {} set seal = seal + 1", table.name));
  }
  const auto store = Store::open(file);
  for (std::size_t i = 0; i < uses().size(); ++i)
    EXPECT_EQ(code_of([&] { uses()[i](*store); }), "state.damaged") << "use " << i;
  // Nothing of that has put a new seal on what is damaged.
  EXPECT_EQ(code_of([&] { store->check(); }), "state.damaged");
}

TEST(SealedTables, EveryChangeOfARejectKeepsItWhole) {
  const Scratch scratch;
  const auto store = Store::open(scratch / "state.db");
  Reject doubtful = reject, given_up = reject;
  doubtful.key = "[2]";
  doubtful.outcome = "in_doubt";
  given_up.key = "[3]";
  given_up.outcome = "retry";
  store->put_rejects({reject, doubtful, given_up});
  given_up.run_id = "r2";
  store->put_rejects({given_up});
  store->park_rejects("s", 2);
  EXPECT_EQ(store->count_rejects({.status = "parked"}), 1U);
  store->release_rejects("s", {"[2]"}, "not_applied", "somebody has looked");
  store->replay_rejects({.code = "BAD"});
  store->settle_rejects("s", {"[1]"});
  EXPECT_EQ(store->rejects("s", false).size(), 3U);
  store->settle_all_rejects("s");
  store->forget_history(0, "2027-01-01T00:00:00Z");
  EXPECT_EQ(store->count_rejects({.settled_too = true}), 0U);
  store->check();
}

TEST(SealedTables, FilesOfOlderVersionsAreSealedWhenTheyAreOpened) {
  const Scratch scratch;
  {
    sqlite::Database db(scratch / "state.db", sqlite::Access::create);
    db.exec(std::string(schema_steps[0]));
    db.exec(std::string(schema_steps[1]));
    db.exec(
        "insert into facts values ('guard.s', '12');"
        "insert into sync_states values ('s', 7, 'sum', 'plan', '{}');"
        "insert into loads values ('L1', 'shop', 'orders', 'r1', 't', '[]');"
        "insert into load_files values ('L1', 0, 'a.csv', 'h1', 10, 5, 'raw/a', 'rows/a', 3, 1);"
        "insert into model_versions values ('v1', 'clean.c', 'p1', 1, 't', 'f', 'r');"
        "insert into current_models values ('clean.c', 'v1');"
        "insert into rejects values ('s', '[1]', 'add', 'rejected', 'BAD', 'no', '{}', 'h1', 'a', 'b', 'r1', "
        "2, "
        "'open', 3);"
        "pragma user_version = 2");
  }
  const auto store = Store::open(scratch / "state.db");
  store->check();
  EXPECT_EQ(store->fact("guard.s"), "12");
  EXPECT_EQ(store->sync_state("s")->epoch, 7U);
  EXPECT_EQ(store->loads("shop", "orders").at(0).files.at(0).rows_path, "rows/a");
  EXPECT_EQ(store->current_model("clean.c")->path, "p1");
  EXPECT_EQ(store->rejects("s", true).at(0).runs, 3);
}

}  // namespace
}  // namespace eddy::state
