#include "connectors/declarative/branch_writer.h"

#include <gtest/gtest.h>

#include <deque>

#include "connectors/declarative/destination.h"
#include "core/error.h"
#include "core/files.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;

// A service without upserts, one record in a request, whose answers are scripted.
std::string connector(const std::string& lookup_words, const std::string& missing_words) {
  return R"yml(
name: desk
title: Desk
summary: people
settings: {base_url: {default: "http://127.0.0.1:9000"}}
objects: {list: {people: {fields: {code: {key: true}, name: {}}}}}
operations:
  upsert:
    - branch:
        found:
          request: {method: PUT, url: "/people/{row.id}", body: "{row.fields}"}
          outcome: {rows: [{match: [{by: echo, pointer: /id, row: id}]}]}
        missing:
          request: {url: /people, body: "{row.all}"}
          outcome: {rows: [{match: [{by: all}], id: /id}]}
)yml" + missing_words +
         R"yml(
lookup:
  - keys: [code]
    request: {method: GET, url: /people, query: {code: "{row.key}"}}
    items: /people
    match: {by: echo, pointer: /code, ignore_case: true}
    id: /id
    value: "/{field}"
)yml" + lookup_words +
         R"yml(
  - keys: [id]
    request: {method: GET, url: "/people/{row.key}"}
    items: ""
    match: {by: echo, pointer: /id}
    id: /id
    value: "/{field}"
)yml";
}

constexpr auto lagging = "    lags: 60s\n";
constexpr auto conflicts =
    "          on_conflict: {when: {status: 409}, id: /message, pattern: 'id=([0-9]+)', read_by: id}\n";

class BranchTest : public ::testing::Test {
 protected:
  // nullopt: cut after sending.
  void reply(std::optional<json> body, int status = 200) { replies_.push_back({status, std::move(body)}); }
  void open(const std::string& lookup_words, const std::string& missing_words = "",
            const sync::Delivery& like = {}) {
    spec_ = std::make_shared<const Spec>(
        parse_connector(connector(lookup_words, missing_words), "connector.yml"));
    auto wire = std::make_unique<http::ScriptedExchange>([this](const http::Request& request) {
      requests_.push_back(request.method + " " + request.url.substr(21) +
                          (request.body.empty() ? "" : " " + request.body));
      return answer();
    });
    destination_.emplace(
        spec_,
        std::make_shared<Session>(*spec_, Settings(*spec_, config::Node()), clock_, cancel_, std::move(wire)),
        scratch_ / "jobs");
    sync::Delivery delivery = like;
    delivery.object = "people";
    delivery.key = {{"code", Type::text}};
    delivery.fields = {{"name", Type::text}};
    delivery.sync = "s";
    writer_ = destination_->open(delivery);
  }
  static Change add(std::uint64_t number, const std::string& code) {
    return {number, Operation::add, {Value::text(code)}, {Value::text("Ann")}, {true}};
  }
  Verdict send(const Change& change) { return writer_->deliver(std::span(&change, 1)).verdicts.at(0); }
  std::vector<std::string> take_requests() { return std::exchange(requests_, {}); }

  sync::Answer answer_to(const Change& change) { return writer_->deliver(std::span(&change, 1)); }

  std::unique_ptr<sync::Writer> writer_;
  ManualClock clock_;
  testing::Scratch scratch_;

 private:
  http::Result answer() {
    if (replies_.empty()) throw std::logic_error("no more replies");
    const auto [status, body] = replies_.front();
    replies_.pop_front();
    if (!body) return std::unexpected(http::Failure{http::Failure::Reach::unknown, "http.cut", "cut"});
    return http::Response{status, {}, body->dump()};
  }
  std::shared_ptr<const Spec> spec_;
  std::optional<DeclarativeDestination> destination_;
  Cancel cancel_;
  std::deque<std::pair<int, std::optional<json>>> replies_;
  std::vector<std::string> requests_;
};

const json nobody = {{"people", json::array()}};
json somebody(int id, const std::string& code) { return {{"people", {{{"id", id}, {"code", code}}}}}; }
using Requests = std::vector<std::string>;

TEST_F(BranchTest, WhatWasMadeInThisRunIsKnownWithoutAsking) {
  open("");
  reply(nobody);
  reply(json{{"id", 7}});
  EXPECT_EQ(send(add(0, "a")).destination_id, "7");
  take_requests();
  reply(json{{"id", 7}});
  EXPECT_EQ(send(add(1, "a")).outcome, Outcome::applied);
  EXPECT_EQ(take_requests(), (Requests{R"(PUT /people/7 {"name":"Ann"})"}));
}

TEST_F(BranchTest, ALostCreateIsLookedUpAgainAndUpdated) {
  open("");
  reply(nobody);
  reply(std::nullopt);
  EXPECT_EQ(send(add(0, "a")).outcome, Outcome::in_doubt);
  reply(somebody(7, "a"));
  reply(json{{"id", 7}});
  EXPECT_EQ(send(add(0, "a")).outcome, Outcome::applied);
  EXPECT_EQ(take_requests().back(), R"(PUT /people/7 {"name":"Ann"})");
}

TEST_F(BranchTest, ALostCreateThatIsNotThereIsMadeWhereTheLookupIsTrusted) {
  open("");
  reply(nobody);
  reply(std::nullopt);
  send(add(0, "a"));
  reply(nobody);
  reply(json{{"id", 8}});
  EXPECT_EQ(send(add(0, "a")).destination_id, "8");
}

TEST_F(BranchTest, ALostCreateWaitsUntilALookupThatLagsWouldShowIt) {
  using namespace std::chrono_literals;
  open(lagging);
  reply(nobody);
  reply(std::nullopt);
  EXPECT_EQ(send(add(0, "a")).outcome, Outcome::in_doubt);
  take_requests();
  clock_.advance(20s);
  reply(nobody);
  const sync::Answer waits = answer_to(add(0, "a"));
  EXPECT_EQ(waits.verdicts.at(0).outcome, Outcome::retry);
  EXPECT_EQ(waits.verdicts.at(0).code, "made_perhaps");
  EXPECT_EQ(waits.retry_after, 40s);
  EXPECT_TRUE(waits.held_back);
  EXPECT_EQ(waits.notes.size(), 1U);
  EXPECT_EQ(take_requests().size(), 1U);  // a lookup
  // It shows in time: updated. It does not: it was never made.
  reply(somebody(7, "a"));
  reply(json{{"id", 7}});
  EXPECT_EQ(send(add(0, "a")).outcome, Outcome::applied);
  reply(nobody);
  reply(std::nullopt);
  send(add(1, "b"));
  clock_.advance(60s);
  reply(nobody);
  reply(json{{"id", 8}});
  EXPECT_EQ(send(add(1, "b")).destination_id, "8");
}

TEST_F(BranchTest, TheRunAfterWaitsForWhatTheRunBeforeMayHaveMade) {
  using namespace std::chrono_literals;
  const auto doubled = [&] {
    reply(nobody);
    reply(json{{"id", 9}});
  };
  open(lagging);
  doubled();
  EXPECT_EQ(send(add(0, "a")).outcome, Outcome::applied);
  clock_.advance(10s);
  // Another run: that row has changed; one that may have arrived comes again; a new one need not wait.
  sync::Delivery next;
  next.sent_before = std::make_shared<const std::map<std::uint64_t, std::string>>(
      std::map<std::uint64_t, std::string>{{1, "plan:4"}});
  open(lagging, "", next);
  Change changed = add(0, "a");
  changed.operation = Operation::change;
  for (const Change& change : {changed, add(1, "b")}) {
    reply(nobody);
    const sync::Answer waits = answer_to(change);
    EXPECT_EQ(waits.verdicts.at(0).code, "made_perhaps");
    EXPECT_EQ(waits.retry_after, 50s);
  }
  doubled();
  EXPECT_EQ(send(add(2, "c")).outcome, Outcome::applied);
  // What was delivered is forgotten: any row may be there.
  clock_.advance(10s);
  sync::Delivery first;
  first.first = true;
  open(lagging, "", first);
  reply(nobody);
  EXPECT_EQ(answer_to(add(0, "c")).retry_after, 50s);
  clock_.advance(50s);
  doubled();
  EXPECT_EQ(send(add(0, "c")).outcome, Outcome::applied);
}

TEST_F(BranchTest, NobodyWaitsWhereNothingWasMadeLately) {
  using namespace std::chrono_literals;
  sync::Delivery first;
  first.first = true;
  for (const auto& pause : {0s, 61s}) {
    clock_.advance(pause);
    open(lagging, "", first);
    reply(nobody);
    reply(json{{"id", 1}});
    EXPECT_EQ(send(add(0, "a")).outcome, Outcome::applied);
  }
  // A time that cannot be read may be now.
  write_file_atomically(scratch_ / "jobs" / "made.people", "soon");
  clock_.advance(61s);
  open(lagging, "", first);
  reply(nobody);
  EXPECT_EQ(answer_to(add(0, "a")).retry_after, 60s);
}

TEST_F(BranchTest, ALaggingLookupIsGoodEnoughWhereASecondCreateDoesNoHarm) {
  open(lagging, "          idempotency: natural\n");
  reply(nobody);
  reply(std::nullopt);
  send(add(0, "a"));
  reply(nobody);
  reply(json{{"id", 8}});
  EXPECT_EQ(send(add(0, "a")).destination_id, "8");
}

TEST_F(BranchTest, TwoRowsNeverWriteOneRecord) {
  open("");
  reply(somebody(7, "a"));
  reply(json{{"id", 7}});
  EXPECT_EQ(send(add(0, "A")).outcome, Outcome::applied);
  reply(somebody(7, "a"));
  const Verdict second = send(add(1, "a"));
  EXPECT_EQ(second.outcome, Outcome::rejected);
  EXPECT_EQ(second.code, "same_record");
  EXPECT_NE(second.message.find("`A`"), std::string::npos);
  // The first row may be sent again.
  reply(somebody(7, "a"));
  reply(json{{"id", 7}});
  EXPECT_EQ(send(add(0, "A")).outcome, Outcome::applied);
}

TEST_F(BranchTest, AnUpdateThatAnswersAboutAnotherRecordVouchesForNobody) {
  open("");
  reply(somebody(7, "a"));
  reply(json{{"id", 8}});
  EXPECT_EQ(send(add(0, "a")).outcome, Outcome::in_doubt);
}

TEST_F(BranchTest, AConflictIsUpdatedOnlyWhenTheRecordHasTheKey) {
  open("", conflicts);
  const json refusal = {{"message", "it is there with id=5"}};
  reply(nobody);
  reply(refusal, 409);
  reply(json{{"id", "5"}, {"code", "A"}});
  reply(json{{"id", "5"}});
  EXPECT_EQ(send(add(0, "a")).outcome, Outcome::applied);
  EXPECT_EQ(take_requests().back(), R"(PUT /people/5 {"name":"Ann"})");

  reply(nobody);
  reply(refusal, 409);
  reply(json{{"id", "5"}, {"code", "z"}});
  const Verdict other = send(add(1, "b"));
  EXPECT_EQ(other.outcome, Outcome::rejected);
  EXPECT_EQ(other.destination_id, "");
  EXPECT_NE(other.message.find("record 5 has code `z`"), std::string::npos) << other.message;

  reply(nobody);
  reply({{"message", "no id in these words"}}, 409);
  EXPECT_EQ(send(add(2, "c")).outcome, Outcome::rejected);
}

TEST_F(BranchTest, AConflictThatCannotBeReadIsTriedAgainLater) {
  open("", conflicts);
  reply(nobody);
  reply(json{{"message", "id=5"}}, 409);
  for (int i = 0; i < 3; ++i) reply(json(nullptr), 503);
  EXPECT_EQ(send(add(0, "a")).outcome, Outcome::retry);
}

TEST_F(BranchTest, ALookupAnsweredByAMessageIsNoAnswer) {
  open("");
  for (int i = 0; i < 3; ++i) reply(json{{"message", "try later"}});
  const Verdict verdict = send(add(0, "a"));
  EXPECT_EQ(verdict.outcome, Outcome::retry);
  EXPECT_EQ(verdict.code, "lookup_unavailable");
}

TEST_F(BranchTest, ABatchIsSortedAndEveryRowHasItsOwnAnswer) {
  open("");
  reply(nobody);
  reply(somebody(7, "b"));
  reply(
      json::parse(R"({"people": [{"id": 1, "code": "c"}, {"id": 2, "code": "C"}, {"id": 3, "code": "x"}]})"));
  reply(json{{"id", 7}});
  reply(json{{"id", 9}});
  const std::vector<Change> changes = {
      add(0, "a"), add(1, "b"), add(2, "c"), {3, Operation::add, {Value()}, {}, {}}};
  reply(json{{"id", 10}});
  const auto verdicts = writer_->deliver(changes).verdicts;
  EXPECT_EQ(verdicts[0].destination_id, "9");
  EXPECT_EQ(verdicts[1].outcome, Outcome::applied);
  EXPECT_EQ(verdicts[2].code, "ambiguous_key");
  EXPECT_NE(verdicts[2].message.find("1, 2"), std::string::npos);
  EXPECT_EQ(verdicts[3].code, "null_key");
}

TEST_F(BranchTest, PreviewShowsBothWaysAndAsksNobody) {
  open("");
  const Change change = add(0, "a");
  const auto shown = writer_->preview(std::span(&change, 1));
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_NE(shown[0].find("PUT /people/ID"), std::string::npos) << shown[0];
  EXPECT_NE(shown[1].find("POST /people"), std::string::npos) << shown[1];
  EXPECT_TRUE(take_requests().empty());
}

std::string refusal(const std::string& operations) {
  try {
    parse_connector(
        "name: x\ntitle: X\nsummary: x\nsettings: {base_url: {default: 'http://localhost'}}\n"
        "objects: {list: {people: {}}}\noperations: " +
            operations + "\n",
        "connector.yml");
  } catch (const Error& e) {
    return e.code() + " " + e.message();
  }
  return "";
}

TEST(BranchSpec, SaysWhatIsWrong) {
  const std::string some = "request: {url: '/p'}, outcome: {rows: [{match: [{by: all}]}]}";
  EXPECT_EQ(refusal("{upsert: {branch: {found: {" + some + "}, missing: {" + some + "}}}}"), "");
  EXPECT_EQ(refusal("{update: {branch: {found: {" + some + "}}}}"), "");
  EXPECT_NE(refusal("{upsert: {branch: {found: {" + some + "}}}}").find("`missing` is not there"),
            std::string::npos);
  EXPECT_NE(refusal("{update: {branch: {found: {" + some + "}, missing: {" + some + "}}}}").find("must not"),
            std::string::npos);
  EXPECT_NE(refusal("{insert: {branch: {found: {" + some + "}}}}").find("never looks"), std::string::npos);
  EXPECT_NE(refusal("{upsert: {" + some + ", branch: {found: {" + some + "}, missing: {" + some + "}}}}")
                .find("beside `branch`"),
            std::string::npos);
  EXPECT_EQ(refusal("{upsert: {request: {url: '/p'}}}"), "config.missing_key `outcome` is missing");
  // Only what was found has an id.
  EXPECT_NE(refusal("{upsert: {request: {url: '/p/{row.id}'}, outcome: {rows: [{match: [{by: all}]}]}}}")
                .find("{row.id}"),
            std::string::npos);
  for (const char* pattern : {"'id='", "'('"})
    EXPECT_NE(
        refusal("{upsert: {branch: {found: {" + some + "}, missing: {" + some +
                ", on_conflict: {when: {status: 409}, id: /m, read_by: id, pattern: " + pattern + "}}}}}")
            .find("connector.pattern"),
        std::string::npos);
}

}  // namespace
}  // namespace eddy::connectors
