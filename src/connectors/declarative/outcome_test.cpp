#include "connectors/declarative/outcome.h"
#include "connectors/declarative/row_answers.h"

#include <gtest/gtest.h>

#include <random>

namespace eddy::connectors {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const Clock::WallTime now{std::chrono::seconds{1'700'000'000}};

Reply reply(int status, const std::string& body, http::Headers headers = {}) {
  return Reply(http::Response{status, std::move(headers), body});
}

std::vector<RenderedRow> rows(std::vector<std::string> keys) {
  std::vector<RenderedRow> out;
  for (std::string& key : keys) {
    RenderedRow row;
    row.trace = std::to_string(out.size() + 100);
    row.key = key;
    row.key_text = key;
    out.push_back(std::move(row));
  }
  return out;
}

Predicate predicate(std::string_view text) {
  Diagnostics diagnostics;
  return Predicate::parse(config::parse(text, "p.yml", config::no_variables(), diagnostics));
}

const Lookup nothing = [](std::string_view) { return std::nullopt; };

// Outcomes as letters: a(pplied), r(ejected), t(retry), d(oubt).
std::string letters(const OutcomeSpec& outcome, const std::string& body, const std::vector<RenderedRow>& sent,
                    int status = 200) {
  std::string out;
  for (const Verdict& v :
       read_rows(reply(status, body), outcome, {}, sent, nothing, Verdict::in_doubt("none", "none")))
    out += v.outcome == Outcome::applied    ? 'a'
           : v.outcome == Outcome::rejected ? 'r'
           : v.outcome == Outcome::retry    ? 't'
                                            : 'd';
  return out;
}

RowsSpec list(MatchSpec match, std::string_view items = "") {
  RowsSpec out;
  out.items = Template::parse(items);
  out.match.push_back(std::move(match));
  out.applied_when = predicate("{pointer: /ok, eq: true}");
  out.code = {"/code"};
  return out;
}

MatchSpec by(MatchSpec::By how, std::string_view pointer = "", MatchSpec::Row row = MatchSpec::Row::trace,
             bool ignore_case = false) {
  MatchSpec out;
  out.by = how;
  out.pointer = Template::parse(pointer);
  out.row = row;
  out.ignore_case = ignore_case;
  return out;
}

TEST(Match, Position) {
  const OutcomeSpec outcome{{}, {list(by(MatchSpec::By::position))}, false};
  EXPECT_EQ(letters(outcome, R"([{"ok":true},{"code":"E"},{}])", rows({"a", "b", "c"})), "ard");
  EXPECT_EQ(letters(outcome, R"([{"ok":true},{"ok":true}])", rows({"a", "b", "c"})), "ddd");
  EXPECT_EQ(letters(outcome, R"([{"ok":true},{"ok":true},{"ok":true},{"ok":true}])", rows({"a", "b", "c"})),
            "ddd");
  EXPECT_EQ(letters(outcome, R"([])", rows({"a"})), "d");
}

TEST(Match, Index) {
  const OutcomeSpec outcome{{}, {list(by(MatchSpec::By::index, "/seq"), "/result")}, false};
  EXPECT_EQ(
      letters(outcome, R"({"result":[{"seq":2,"ok":true},{"seq":0,"code":"E"}]})", rows({"a", "b", "c"})),
      "rda");
  EXPECT_EQ(
      letters(
          outcome,
          R"({"result":[{"seq":3,"ok":true},{"seq":-1,"ok":true},{"seq":"1","ok":true},{"seq":1.0,"ok":true}]})",
          rows({"a", "b", "c"})),
      "ddd");
}

TEST(Match, EchoOfTheTrace) {
  const OutcomeSpec outcome{{}, {list(by(MatchSpec::By::echo, "/t"))}, false};
  EXPECT_EQ(letters(outcome, R"([{"t":"101","ok":true},{"t":"100","code":"E"}])", rows({"a", "b"})), "ra");
  EXPECT_EQ(letters(outcome, R"([{"t":["100","101"],"ok":true}])", rows({"a", "b"})), "aa");
  EXPECT_EQ(letters(outcome, R"([{"t":"102","ok":true},{"t":null,"ok":true},{"t":{},"ok":true},{"ok":true}])",
                    rows({"a", "b"})),
            "dd");
}

TEST(Match, EchoOfTheKey) {
  const OutcomeSpec exact{{}, {list(by(MatchSpec::By::echo, "/k", MatchSpec::Row::key))}, false};
  const OutcomeSpec folded{{}, {list(by(MatchSpec::By::echo, "/k", MatchSpec::Row::key, true))}, false};
  const std::string body = R"([{"k":"ann@x.io","ok":true}])";
  EXPECT_EQ(letters(exact, body, rows({"Ann@x.io"})), "d");
  EXPECT_EQ(letters(folded, body, rows({"Ann@x.io"})), "a");
  EXPECT_EQ(letters(folded, body, rows({"Ann@x.io", "ann@X.io"})), "dd");  // which of the two?
  EXPECT_EQ(letters(exact, R"([{"k":7,"ok":true}])", rows({"7"})), "a");
}

TEST(Match, KeyInAListOfNames) {
  RowsSpec failed = list(by(MatchSpec::By::echo, "", MatchSpec::Row::key), "/invalid");
  failed.refused = true;
  const OutcomeSpec outcome{{}, {failed}, true};
  EXPECT_EQ(letters(outcome, R"({"invalid":["b"]})", rows({"a", "b"})), "ar");
}

TEST(Match, AllOrNothing) {
  const OutcomeSpec outcome{{}, {list(by(MatchSpec::By::all))}, false};
  EXPECT_EQ(letters(outcome, R"({"ok":true})", rows({"a", "b"})), "aa");
  EXPECT_EQ(letters(outcome, R"({"code":"E"})", rows({"a", "b"})), "rr");
  EXPECT_EQ(letters(outcome, "", rows({"a", "b"}), 200), "dd");
}

TEST(Match, TheSecondWayIsTakenWhenTheFirstNamesNobody) {
  RowsSpec two = list(by(MatchSpec::By::echo, "/t"));
  two.match.push_back(by(MatchSpec::By::echo, "/k", MatchSpec::Row::key));
  EXPECT_EQ(
      letters({{}, {two}, false}, R"([{"k":"b","ok":true},{"t":"100","k":"b","ok":true}])", rows({"a", "b"})),
      "aa");
}

TEST(ReadRows, AContradictionIsUnknownAndARepetitionCountsOnce) {
  const OutcomeSpec outcome{{}, {list(by(MatchSpec::By::echo, "/t"))}, false};
  EXPECT_EQ(
      letters(outcome,
              R"([{"t":"100","ok":true},{"t":"100","code":"E"},{"t":"101","ok":true},{"t":"101","ok":true}])",
              rows({"a", "b"})),
      "da");
}

TEST(ReadRows, RowCodesBecomeVerdicts) {
  ErrorSpec errors;
  errors.codes = {{"LOCK", {ErrorClass::retry, {}}},
                  {"GONE", {ErrorClass::done, {}}},
                  {"LIMIT", {ErrorClass::stop, {}}},
                  {"FIELD", {ErrorClass::config, {}}}};
  const OutcomeSpec outcome{{}, {list(by(MatchSpec::By::position))}, false};
  const auto sent = rows({"a", "b", "c", "d", "e"});
  const auto verdicts = read_rows(
      reply(200, R"([{"code":"LOCK"},{"code":"GONE"},{"code":"LIMIT"},{"code":"FIELD"},{"code":"OTHER"}])"),
      outcome, errors, sent, nothing, Verdict::in_doubt("", ""));
  const std::vector<Outcome> expected = {Outcome::retry, Outcome::applied, Outcome::retry, Outcome::rejected,
                                         Outcome::rejected};
  ASSERT_EQ(verdicts.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(verdicts[i].outcome, expected[i]) << i;
  EXPECT_EQ(verdicts[4].code, "OTHER");
}

// Replies cut, garbled and reshaped at random: never a crash, always one verdict per row, never applied
// without its own "ok".
TEST(ReadRows, MalformedRepliesNeverApplyARowByAccident) {
  const std::string good = R"([{"t":"100","ok":true},{"t":"101","code":"E"},{"t":"102","ok":false}])";
  const OutcomeSpec outcome{{}, {list(by(MatchSpec::By::echo, "/t"))}, false};
  const auto sent = rows({"a", "b", "c"});
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    EXPECT_EQ(letters(outcome, good.substr(0, cut), sent), "ddd") << cut;
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string bad = good;
    for (int k = 0; k < 3; ++k) bad[random() % bad.size()] = static_cast<char>(random());
    const std::string got = letters(outcome, bad, sent);
    ASSERT_EQ(got.size(), 3U);
    const Reply read = reply(200, bad);
    if (!read.json) {
      EXPECT_EQ(got, "ddd") << bad;
    }
  }
}

Refusal refusal(int status, const std::string& body, const ErrorSpec& errors = {},
                http::Headers headers = {}) {
  return classify(reply(status, body, std::move(headers)), errors, now);
}

TEST(Classify, WhatHttpItselfSays) {
  const std::vector<std::pair<int, ErrorClass>> table = {
      {301, ErrorClass::config},   {400, ErrorClass::row},    {401, ErrorClass::auth},
      {403, ErrorClass::config},   {404, ErrorClass::config}, {408, ErrorClass::unsure},
      {409, ErrorClass::row},      {413, ErrorClass::row},    {422, ErrorClass::row},
      {429, ErrorClass::throttle}, {500, ErrorClass::unsure}, {502, ErrorClass::unsure},
      {503, ErrorClass::retry},    {504, ErrorClass::unsure}, {200, ErrorClass::unsure}};
  for (const auto& [status, expected] : table)
    EXPECT_EQ(refusal(status, "{}").error_class, expected) << status;
}

TEST(Classify, TheServicesCodeGoesFirstThenItsStatus) {
  ErrorSpec errors;
  errors.code = {"/x", "/errors/0/code"};
  errors.message = {"/errors/0/message"};
  errors.codes = {{"606", {ErrorClass::throttle, 20s}}};
  errors.statuses = {{"5xx", {ErrorClass::retry, 1s}}};
  const Refusal coded =
      refusal(200, R"({"x":"unlisted","errors":[{"code":606,"message":"slow\ndown"}]})", errors);
  EXPECT_EQ(coded.error_class, ErrorClass::throttle);
  EXPECT_EQ(coded.code, "606");
  EXPECT_EQ(coded.message, "slow down");
  EXPECT_EQ(coded.wait, 20s);
  EXPECT_EQ(refusal(500, "oops", errors).error_class, ErrorClass::retry);
  EXPECT_EQ(refusal(500, "oops", errors).code, "http_500");
  EXPECT_EQ(refusal(500, "oops", errors).message, "oops");
  EXPECT_EQ(refusal(200, R"({"errors":[{"code":"9999"}]})", errors).error_class, ErrorClass::row);
  EXPECT_EQ(refusal(200, R"({"errors":[{"code":{}}]})", errors).error_class, ErrorClass::unsure);
}

TEST(Classify, ARuleTellsTwoMeaningsOfOneCodeApart) {
  ErrorSpec errors;
  errors.code = {"/code"};
  errors.rules = {
      {predicate("{status: 403, pointer: /text, contains: Concurrent}"), {ErrorClass::throttle, 5s}}};
  errors.codes = {{"LIMIT", {ErrorClass::stop, {}}}};
  const Refusal concurrent = refusal(403, R"({"code":"LIMIT","text":"ConcurrentRequests Limit"})", errors);
  EXPECT_EQ(concurrent.error_class, ErrorClass::throttle);
  EXPECT_EQ(concurrent.code, "LIMIT");
  EXPECT_EQ(concurrent.wait, 5s);
  EXPECT_EQ(refusal(403, R"({"code":"LIMIT","text":"TotalRequests Limit"})", errors).error_class,
            ErrorClass::stop);
}

TEST(Classify, RetryAfterGoesBeforeTheTable) {
  ErrorSpec errors;
  errors.statuses = {{"429", {ErrorClass::throttle, 10s}}};
  EXPECT_EQ(refusal(429, "", errors).wait, 10s);
  EXPECT_EQ(refusal(429, "", errors, {{"retry-after", "2"}}).wait, 2s);
  EXPECT_EQ(refusal(429, "", errors, {{"retry-after", "-2"}}).wait, 10s);
  EXPECT_EQ(refusal(429, "", errors, {{"retry-after", "1e99"}}).wait, http::wait_max);
}

}  // namespace
}  // namespace eddy::connectors
