// What all services share: faults, limits, ledger, desk, state file, and the program itself.
#include "sandbox/sandbox.h"

#include "core/error.h"
#include "sandbox/csv.h"
#include "sandbox/test_client.h"
#include "support/process.h"
#include "support/scratch.h"

namespace eddy::sandbox {
namespace {

class SharedTest : public testing::SandboxTest {
 protected:
  SharedTest() { service_ = "hubspot"; }
  std::string authorization() override { return "Authorization: Bearer pat-sandbox-token\r\n"; }
  testing::Answer write(const std::string& email) {
    return call("POST", "/crm/v3/objects/contacts/batch/upsert",
                {{"inputs", {{{"id", email}, {"idProperty", "email"}, {"properties", Json::object()}}}}});
  }
  std::size_t contacts() { return records("contacts")["count"]; }
};

TEST_F(SharedTest, AWriteMayBeAppliedAndItsAnswerLost) {
  fault("drop_after_apply", {{"times", 1}});
  EXPECT_EQ(write("a@x.de").status, 0);
  EXPECT_EQ(contacts(), 1);
  const Json entry = last_request();
  EXPECT_EQ(entry["status"], 0);
  EXPECT_EQ(entry["applied"], true);
  EXPECT_EQ(entry["keys"], Json({"a@x.de"}));
  EXPECT_EQ(entry["fault"], "drop_after_apply");
  EXPECT_EQ(write("a@x.de").json()["results"][0]["new"], false);
}

TEST_F(SharedTest, RequestsMayBeTurnedAwayBeforeAnythingIsDone) {
  fault("drop_before", {{"times", 1}});
  EXPECT_EQ(write("a@x.de").status, 0);
  fault("http_500", {{"times", 1}});
  const auto broken = write("a@x.de");
  EXPECT_EQ(broken.status, 500);
  EXPECT_EQ(broken.json()["status"], "error");
  fault("http_503", {{"times", 1}});
  EXPECT_EQ(write("a@x.de").status, 503);
  fault("throttle", {{"times", 1}});
  EXPECT_EQ(write("a@x.de").status, 429);
  EXPECT_EQ(contacts(), 0);
  EXPECT_EQ(last_request()["applied"], false);
}

TEST_F(SharedTest, AnswersMayBeDamaged) {
  fault("malformed_json", {{"times", 1}});
  const auto malformed = write("a@x.de");
  EXPECT_EQ(malformed.status, 200);
  EXPECT_TRUE(Json::parse(malformed.body, nullptr, false).is_discarded());
  EXPECT_EQ(malformed.header("Content-Length"), std::to_string(malformed.body.size()));
  fault("empty_2xx", {{"times", 1}});
  EXPECT_EQ(write("a@x.de").header("Content-Length"), "0");
  fault("truncated", {{"times", 1}});
  const auto truncated = write("a@x.de");
  EXPECT_LT(truncated.body.size(), std::stoul(truncated.header("Content-Length")));
  fault("wrong_content_type", {{"times", 1}});
  EXPECT_EQ(write("a@x.de").header("Content-Type"), "text/html; charset=utf-8");
  fault("slow", {{"times", 1}});
  EXPECT_EQ(write("a@x.de").json()["results"].size(), 1);
  EXPECT_EQ(records("contacts")["records"][0]["_writes"], 5);
}

TEST_F(SharedTest, RatesOfFaultsAreSeeded) {
  const auto draw = [](std::uint64_t seed) {
    Faults faults(seed);
    faults.declare("x", {});
    faults.set_from_text("x.http_500=0.3");
    std::string hits;
    for (int i = 0; i < 200; ++i) hits += faults.hit("x.http_500") ? '1' : '0';
    return hits;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
  const auto hits = std::ranges::count(draw(7), '1');
  EXPECT_GT(hits, 30);
  EXPECT_LT(hits, 90);
}

TEST_F(SharedTest, FaultsAreCheckedWhenTheyAreSet) {
  Faults faults(1);
  faults.declare("hubspot", hubspot::own_faults());
  const auto code = [&](const std::string& text) -> std::string {
    try {
      faults.set_from_text(text);
    } catch (const Error& error) {
      return error.code() + "|" + error.hint();
    }
    return "";
  };
  EXPECT_EQ(code("hubspot.shufle"), "sandbox.unknown_fault|did you mean `hubspot.shuffle`?");
  EXPECT_TRUE(code("hubspot.shuffle=1.5").starts_with("sandbox.invalid_rate"));
  EXPECT_TRUE(code("hubspot.shuffle=often").starts_with("sandbox.invalid_rate"));
  EXPECT_TRUE(code("hubspot.shuffle=1xtwo").starts_with("sandbox.invalid_rate"));
  EXPECT_EQ(code("hubspot.http_500=1x2"), "");
  EXPECT_TRUE(faults.hit("hubspot.http_500"));
  EXPECT_TRUE(faults.hit("hubspot.http_500"));
  EXPECT_FALSE(faults.hit("hubspot.http_500"));

  const auto refused = testing::send(sandbox().port("zendesk"), "POST", "/_sandbox/faults", "",
                                     R"({"hubspot.locked": 1, "hubspot.nope": 1})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(desk("/faults")["hubspot.locked"]["rate"], 0.0);  // all or nothing
}

TEST_F(SharedTest, ARateAnswersTheServicesOwnThrottleUntilTimePasses) {
  Options with = options();
  with.rates["hubspot"] = parse_rate("3/10");
  start(with);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(write("a@x.de").status, 200);
  const auto over = write("a@x.de");
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.json()["policyName"], "TEN_SECONDLY_ROLLING");
  EXPECT_EQ(over.header("X-HubSpot-RateLimit-Max"), "3");
  EXPECT_EQ(over.header("X-HubSpot-RateLimit-Remaining"), "0");
  clock_.advance(std::chrono::seconds{10});
  EXPECT_EQ(write("a@x.de").status, 200);
  EXPECT_THROW(parse_rate("fast"), Error);
  EXPECT_THROW(parse_rate("3/0"), Error);
}

TEST_F(SharedTest, TheDeskShowsCountsAndStartsAnew) {
  write("a@x.de");
  write("a@x.de");
  write("nope");
  const Json stats = desk("/stats")["hubspot"];
  EXPECT_EQ(stats["requests"], 3);
  EXPECT_EQ(stats["rows_received"], 3);
  EXPECT_EQ(stats["created"], 1);
  EXPECT_EQ(stats["updated"], 1);
  EXPECT_EQ(stats["rejected"], 1);
  EXPECT_EQ(stats["rows_written"], 2);
  EXPECT_EQ(records("contacts", "?limit=0")["count"], 1);
  EXPECT_EQ(records("contacts", "?limit=0")["records"], Json::array());
  EXPECT_EQ(records("typo")["count"], 0);
  EXPECT_EQ(testing::send(sandbox().port("marketo"), "GET", "/_sandbox/hubspot/contacts").json()["count"],
            1);  // on every port
  EXPECT_EQ(testing::send(sandbox().port("marketo"), "GET", "/_sandbox/nobody/contacts").status, 404);
  fault("locked");
  EXPECT_EQ(testing::send(sandbox().port("marketo"), "POST", "/_sandbox/reset").status, 200);
  EXPECT_EQ(contacts(), 0);
  EXPECT_EQ(desk("/stats")["hubspot"]["requests"], 0);
  EXPECT_EQ(write("a@x.de").status, 200);  // faults are as at the start
}

TEST_F(SharedTest, RecordsSurviveARestartInTheStateFile) {
  const eddy::testing::Scratch scratch;
  Options with = options();
  with.state = scratch / "state.json";
  start(with);
  write("a@x.de");
  write("a@x.de");
  const Json before = records("contacts");
  sandbox_->save();
  sandbox_.reset();
  start(with);
  EXPECT_EQ(records("contacts"), before);
  EXPECT_EQ(write("A@x.de").json()["results"][0]["new"], false);  // indexes too
  EXPECT_NE(write("b@x.de").json()["results"][0]["id"], before["records"][0]["_id"]);
  sandbox_.reset();
  scratch.write("state.json", "{broken");
  try {
    start(with);
    FAIL() << "a broken state file was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "sandbox.state_unreadable");
  }
}

TEST(Csv, ReadsWhatItWrites) {
  const CsvRow row = {"a,b", "say \"hi\"", "two\nlines", "", "plain"};
  const Csv csv = parse_csv("h1,h2,h3,h4,h5\r\n" + csv_line(row, ',', "\r\n"), ',');
  EXPECT_EQ(csv.problem, "");
  ASSERT_EQ(csv.rows.size(), 1);
  EXPECT_EQ(csv.rows[0], row);
  EXPECT_NE(parse_csv("a,b\n1\n", ',').problem, "");
  EXPECT_NE(parse_csv("a\n\"open\n", ',').problem, "");
  EXPECT_EQ(parse_csv("a;b\n1;2", ';').rows[0], (CsvRow{"1", "2"}));
}

TEST(Program, AnnouncesItsPortsServesAndEndsOnSigterm) {
  const eddy::testing::Scratch scratch;
  const auto program = eddy::testing::program("eddy-sandbox").string();
  eddy::testing::Background running(
      {.argv = {program, "--port-base", "0", "--state", (scratch / "s.json").string()}}, scratch / "log");
  running.wait_for("ready\n");
  const auto lines = split(running.log(), '\n');
  ASSERT_GE(lines.size(), 5);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(lines[i].starts_with(service_names()[i] + " http://127.0.0.1:")) << lines[i];
  const auto port = static_cast<std::uint16_t>(std::stoi(lines[1].substr(lines[1].rfind(':') + 1)));
  EXPECT_EQ(testing::send(port, "POST", "/_sandbox/hubspot/contacts", "", R"({"email": "a@x.de"})").status,
            201);
  ASSERT_EQ(::kill(running.pid(), SIGTERM), 0);
  while (!std::filesystem::exists(scratch / "s.json"))
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  EXPECT_NE(scratch.read("s.json").find("a@x.de"), std::string::npos);
}

TEST(Program, ExplainsItself) {
  const auto program = eddy::testing::program("eddy-sandbox").string();
  const auto faults = eddy::testing::run({.argv = {program, "--list-faults"}});
  EXPECT_EQ(faults.exit_code, 0);
  for (const std::string& service : service_names())
    EXPECT_NE(faults.out.find(service + ".drop_after_apply "), std::string::npos);
  const auto help = eddy::testing::run({.argv = {program, "--help"}});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* text : {"pat-sandbox-token", "sandbox-api-token", "8101", "--list-faults"})
    EXPECT_NE(help.out.find(text), std::string::npos) << text;
  const auto wrong = eddy::testing::run({.argv = {program, "--port-base", "0", "--fault", "hubspot.shufle"}});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("did you mean `hubspot.shuffle`?"), std::string::npos) << wrong.err;
  EXPECT_EQ(eddy::testing::run({.argv = {program, "--rate", "nobody=1/1"}}).exit_code, 2);
}

}  // namespace
}  // namespace eddy::sandbox
