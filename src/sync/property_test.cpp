// Random models, random faults, thirty runs each; after every run the destination's own book is audited
// against model and snapshot.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using testing::Bed;
using testing::people_yaml;
using testing::spec_of;
using testing::text_of;

class World {
 public:
  World(std::uint64_t seed, const std::string& options)
      : spec_(spec_of(people_yaml + options + "guards: {removed: 100%}\n")), random_(seed) {
    bed_.destination.limits = {7, 0, 1};  // one worker: a seed tells everything
    options_.approved = true;
    options_.retry.attempts_max = 2;  // so that answers stay lost
    bed_.destination.script = [this](std::span<const Change> changes) { return answer(changes); };
  }

  void run_once() {
    change_model();
    faulty_ = chance(70);
    const SyncResult result = bed_.run(spec_, options_);
    audit(result);
  }

  // Without faults everything that is not refused arrives, and then there is nothing left to say.
  void settle() {
    faulty_ = false;
    bed_.run(spec_, options_);
    const std::set<std::string> open = open_keys();
    for (const auto& [key, fields] : model_) {
      if (open.contains(key)) continue;
      ASSERT_TRUE(bed_.destination.records.contains(key)) << key;
      if (spec_.mode == Mode::insert) continue;
      EXPECT_EQ(bed_.destination.records.at(key), fields) << key;
    }
    for (const auto& [key, fields] : bed_.destination.records)
      EXPECT_TRUE(spec_.removed == Removed::ignore || model_.contains(key) || doubtful_adds_.contains(key))
          << key;
    bed_.destination.forget_requests();
    EXPECT_EQ(bed_.run(spec_).tally.planned, 0u);
    EXPECT_TRUE(bed_.destination.requests.empty());
  }

 private:
  bool fault(int percent) { return faulty_ && chance(percent); }
  bool chance(int percent) { return std::uniform_int_distribution<int>(1, 100)(random_) <= percent; }

  std::set<std::string> open_keys() {
    std::set<std::string> out;
    for (const state::Reject& reject : bed_.store->rejects(spec_.name, true))
      out.insert(nlohmann::json::parse(reject.key)[0].dump());
    return out;
  }

  void change_model() {
    for (int id = 1; id <= 60; ++id) {
      const std::string key = std::to_string(id);
      if (chance(4)) model_.erase(key);
      if (chance(model_.contains(key) ? 10 : 15))
        model_[key] =
            std::string(1, static_cast<char>('a' + std::uniform_int_distribution<int>(0, 3)(random_))) + "|" +
            std::to_string(id % 5);
    }
    std::string rows;
    for (const auto& [key, fields] : model_)
      rows += fmt::format("{}({}, '{}', {})", rows.empty() ? "" : ", ", key, fields.substr(0, 1),
                          fields.substr(2));
    bed_.model("select * from (values " + rows + ") t(id, name, score)");
  }

  // Everything a destination has ever been seen to do. By contract, what it throws applied nothing.
  Answer answer(std::span<const Change> changes) {
    if (fault(2)) throw Error("crm.unauthorized", "the token was refused");
    if (fault(2)) throw std::runtime_error("a bug");
    if (fault(4)) bed_.cancel->request();
    if (changes.size() > 1 && fault(10)) return {{}, true, {}};
    Answer out;
    for (const Change& change : changes) {
      if (change.operation != Operation::remove && change.fields[0].as_string() == "c")
        out.verdicts.push_back(Verdict::rejected("BAD", "no c allowed"));
      else if (fault(10))
        out.verdicts.push_back(Verdict::retry("BUSY", "later"));
      else if (fault(8))
        out.verdicts.push_back(lose(change));
      else
        out.verdicts.push_back(bed_.destination.apply({&change, 1}).verdicts[0]);
    }
    return out;
  }

  Verdict lose(const Change& change) {
    if (chance(50)) {
      bed_.destination.apply({&change, 1});
      if (change.operation == Operation::add) doubtful_adds_.insert(text_of(change.key));
    }
    return Verdict::in_doubt("LOST", "cut");
  }

  void audit(const SyncResult& result) {
    bed_.cancel = std::make_unique<Cancel>();
    const Tally& t = result.tally;
    EXPECT_EQ(t.planned, t.sent + t.not_sent);
    EXPECT_EQ(t.sent, t.applied + t.rejected + t.in_doubt + t.gave_up);
    // No false success: what the snapshot says without a question mark is what the destination holds.
    for (const auto& [key, fields] : bed_.snapshot(spec_)) {
      if (fields.starts_with("?")) continue;
      ASSERT_TRUE(bed_.destination.records.contains(key)) << key;
      EXPECT_EQ(bed_.destination.records.at(key), fields) << key;
    }
    if (spec_.mode != Mode::insert) return;
    for (const auto& [key, times] : bed_.destination.applications) EXPECT_EQ(times, 1) << key;
  }

  Bed bed_;
  SyncSpec spec_;
  ApplyOptions options_;
  std::mt19937_64 random_;
  bool faulty_ = false;
  std::map<std::string, std::string> model_;
  std::set<std::string> doubtful_adds_;  // applied, and nobody heard of it
};

class Property : public ::testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(Property, WhateverHappensNothingIsLostAndNothingIsSaidToBeThereThatIsNot) {
  const auto& [mode, seed] = GetParam();
  World world(static_cast<std::uint64_t>(seed), mode);
  for (int run = 0; run < 30 && !HasFatalFailure(); ++run) world.run_once();
  world.settle();
}

INSTANTIATE_TEST_SUITE_P(Modes, Property,
                         ::testing::Combine(::testing::Values("mode: upsert\n",
                                                              "mode: upsert\nremoved: delete\n",
                                                              "mode: insert\n"),
                                            ::testing::Values(1, 2)));

}  // namespace
}  // namespace eddy::sync
