#include "connectors/webhook/answers.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace eddy::connectors {
namespace {

AnswersSpec spec(const std::string& yaml) {
  Diagnostics diagnostics;
  const config::Node node = config::parse(yaml, "syncs/x.yml", config::no_variables(), diagnostics);
  AnswersSpec::shape().check(node, diagnostics);
  diagnostics.throw_if_any();
  return AnswersSpec::parse(node);
}

const std::string by_echo =
    "{rows: /results, status: /status, applied: [ok, 200], created: new, retry: busy, code: /error/code, "
    "message: "
    "/error/message, id: /id, echo: /ref}";
const std::string by_position = "{rows: /results, status: /status, applied: ok, code: /error/code}";

// "+" applied, "-" rejected, "?" to be sent again; one per row.
std::string read(const std::string& how, const std::string& body, int count = 3) {
  std::vector<MessageRow> rows(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    rows[static_cast<std::size_t>(i)] = {"evt_" + std::to_string(i), "key" + std::to_string(i), "{}", {}};
  std::string out;
  for (const Verdict& verdict : read_answers(Reply(http::Response{200, {}, body}), spec(how), rows))
    out += verdict.outcome == Outcome::applied ? '+' : verdict.outcome == Outcome::rejected ? '-' : '?';
  return out;
}

TEST(Answers, ByPosition) {
  EXPECT_EQ(read(by_position, R"({"results":[{"status":"ok"},{"status":"bad"},{"status":"ok"}]})"), "+-+");
}

TEST(Answers, AnotherNumberOfAnswersThanRowsCountsForNobody) {
  EXPECT_EQ(read(by_position, R"({"results":[{"status":"ok"},{"status":"bad"}]})"), "???");
  EXPECT_EQ(
      read(by_position, R"({"results":[{"status":"ok"},{"status":"bad"},{"status":"ok"},{"status":"ok"}]})"),
      "???");
}

TEST(Answers, ShuffledFewerForeignAndRepeatedAnswersFindTheirRows) {
  EXPECT_EQ(read(by_echo, R"({"results":[{"ref":"evt_2","status":"ok"},{"ref":"evt_0","status":"bad"}]})"),
            "-?+");
  EXPECT_EQ(
      read(by_echo, R"({"results":[{"ref":"evt_9","status":"ok"},{"status":"ok"},{"ref":7,"status":"ok"}]})"),
      "???");
  EXPECT_EQ(read(by_echo, R"({"results":[{"ref":"evt_1","status":"ok"},{"ref":"evt_1","status":"bad"}]})"),
            "???")
      << "two different answers for one row";
  EXPECT_EQ(read(by_echo, R"({"results":[{"ref":"evt_1","status":"ok"},{"ref":"evt_1","status":"new"}]})"),
            "?+?");
  EXPECT_EQ(read(by_echo, R"({"results":[{"ref":"key1","status":200},{"ref":"evt_0","status":"busy"}]})"),
            "?+?")
      << "the key is an echo too; numbers are read as they are written";
}

TEST(Answers, SayingNothingIsNoAnswer) {
  for (const std::string body :
       {"", "not json", "{}", "[]", "null", R"({"results":null})", R"({"results":"ok"})",
        R"({"results":[null,null,null]})", R"({"results":[{},{},{}]})",
        R"({"results":[{"status":{}},{"status":null},{"status":[]}]})"})
    EXPECT_EQ(read(by_position, body), "???") << body;
}

TEST(Answers, AnObjectIsOneAnswer) {
  EXPECT_EQ(read("{status: /state, applied: done}", R"({"state":"done"})", 1), "+");
  EXPECT_EQ(read("{status: /state, applied: done}", R"({"state":"done"})", 2), "??");
}

TEST(Answers, TellCodeMessageIdAndWhetherARecordWasMade) {
  const std::vector<MessageRow> rows = {
      {"evt_0", "", "{}", {}}, {"evt_1", "", "{}", {}}, {"evt_2", "", "{}", {}}};
  const auto verdicts =
      read_answers(Reply(http::Response{200,
                                        {},
                                        R"({"results":[{"ref":"evt_0","status":"new","id":17},
             {"ref":"evt_1","status":"bad","error":{"code":"E7","message":"no such plan"}},
             {"ref":"evt_2","status":"bad"}]})"}),
                   spec(by_echo), rows);
  EXPECT_EQ(verdicts[0].destination_id, "17");
  EXPECT_TRUE(verdicts[0].created);
  EXPECT_EQ(verdicts[1].code, "E7");
  EXPECT_EQ(verdicts[1].message, "no such plan");
  EXPECT_EQ(verdicts[2].code, "bad");
  EXPECT_EQ(verdicts[2].message, R"({"ref":"evt_2","status":"bad"})");
}

TEST(Answers, AWrongPointerIsToldWithItsPlace) {
  try {
    spec("{rows: results, status: /status, applied: ok}");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "destination.options");
    EXPECT_EQ(error.diagnostics().front().position.column, 8);
  }
}

}  // namespace
}  // namespace eddy::connectors
