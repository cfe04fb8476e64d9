#include "connectors/webhook/destination.h"

#include <gtest/gtest.h>

#include <atomic>

#include "connectors/webhook/testing_receiver.h"
#include "core/error.h"
#include "core/secrets.h"
#include "support/delivery.h"

namespace eddy::connectors {
namespace {

using testing::count;
using testing::deliver;
using testing::WebhookReceiver;

constexpr const char* secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
constexpr const char* other_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* answers =
    "answers: {rows: /results, status: /status, applied: updated, created: created, code: /error/code, "
    "message: "
    "/error/message, id: /record/id, echo: /ref}";

config::Node yaml(const std::string& text, const config::Shape& shape) {
  Diagnostics diagnostics;
  const config::Node node = config::parse(text, "connections.yml", config::no_variables(), diagnostics);
  shape.check(node, diagnostics);
  diagnostics.throw_if_any();
  return node;
}

struct Bed {
  std::unique_ptr<sync::Destination> destination(const std::string& settings) {
    const auto type = webhook_destination();
    return type.make(yaml(settings, type.settings), {.clock = clock, .cancel = cancel, .project = "."});
  }
  std::unique_ptr<sync::Destination> scripted(std::function<http::Result(const http::Request&)> answer,
                                              const std::string& more = "") {
    return webhook_over(
        EndpointSettings::read(yaml("{url: 'https://hooks.example.com/T0000/abcdefghijklmnop'" + more + "}",
                                    webhook_destination().settings)),
        clock, cancel, std::make_unique<http::ScriptedExchange>(std::move(answer)));
  }
  std::unique_ptr<sync::Writer> open(sync::Destination& destination, const std::string& options = "{}",
                                     sync::Mode mode = sync::Mode::upsert) {
    return destination.open({.object = "contact",
                             .mode = mode,
                             .removed = sync::Removal::erase,
                             .key = {{"email", Type::text}},
                             .fields = {{"plan", Type::text}, {"score", Type::integer}},
                             .options = yaml(options, webhook_destination().options),
                             .sync = "crm"});
  }
  static Change change(int n, int score = 1) {
    return {.number = static_cast<std::uint64_t>(n),
            .operation = Operation::add,
            .key = {Value::text("a" + std::to_string(n) + "@example.com")},
            .fields = {Value::text("pro"), Value::integer(score)},
            .changed = {true, true}};
  }
  static std::vector<Change> changes(int count) {
    std::vector<Change> out;
    for (int n = 0; n < count; ++n) out.push_back(change(n));
    return out;
  }
  Cancel cancel;
  ManualClock clock{std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())};
};

http::Result reply(int status, std::string body = "", http::Headers headers = {}) {
  return http::Response{status, std::move(headers), std::move(body)};
}

TEST(Webhook, AReceiverThatChecksSignaturesTakesEveryRow) {
  Bed bed;
  WebhookReceiver receiver(secret);
  // The receiver knows one of the two: a rotation is under way.
  const auto destination = bed.destination("{url: '" + receiver.url() + "', secret: '" + other_secret + "," +
                                           secret + "', headers: {X-Team: growth}}");
  EXPECT_EQ(count(deliver(*bed.open(*destination), bed.changes(3)).verdicts, Outcome::applied), 3U);
  const auto received = receiver.received();
  ASSERT_EQ(received.size(), 3U);
  EXPECT_EQ(received[0].body["type"], "contact.added");
  EXPECT_EQ(received[0].body["data"]["fields"]["plan"], "pro");
  EXPECT_EQ(received[0].body["timestamp"],
            format_utc(std::chrono::floor<std::chrono::milliseconds>(bed.clock.now())));
  EXPECT_EQ(received[0].request.header("x-team"), "growth");
  EXPECT_EQ(received[0].request.content_type(), "application/json");
  EXPECT_EQ(receiver.records().size(), 3U);
}

TEST(Webhook, AWrongSecretStopsTheRun) {
  Bed bed;
  WebhookReceiver receiver(secret);
  const auto destination = bed.destination("{url: '" + receiver.url() + "', secret: " + other_secret + "}");
  try {
    deliver(*bed.open(*destination), bed.changes(1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "destination.credentials");
    EXPECT_NE(error.message().find("the signature is wrong"), std::string::npos) << error.message();
  }
  EXPECT_TRUE(receiver.records().empty());
}

TEST(Webhook, ALostAnswerIsSentAgainUnderTheSameIdAndCountsOnce) {
  Bed bed;
  WebhookReceiver receiver(secret);
  const auto destination = bed.destination("{url: '" + receiver.url() + "', secret: " + secret + "}");
  const auto writer = bed.open(*destination, "{}", sync::Mode::insert);
  EXPECT_TRUE(writer->inserts_are_repeatable());
  receiver.lose_the_next_answer();
  EXPECT_EQ(deliver(*writer, bed.changes(1)).verdicts[0].outcome, Outcome::in_doubt);
  bed.clock.advance(std::chrono::seconds(40));
  EXPECT_EQ(deliver(*writer, bed.changes(1)).verdicts[0].outcome, Outcome::applied);
  // Another run, after a crash: the same row, the same id.
  EXPECT_EQ(deliver(*bed.open(*destination, "{}", sync::Mode::insert), bed.changes(1)).verdicts[0].outcome,
            Outcome::applied);
  const auto received = receiver.received();
  ASSERT_EQ(received.size(), 3U);
  EXPECT_EQ(received[0].id, received[1].id);
  EXPECT_EQ(received[0].id, received[2].id);
  EXPECT_EQ(received[0].request.body, received[1].request.body);
  EXPECT_NE(received[0].timestamp, received[1].timestamp) << "of the attempt, not of the event";
  EXPECT_EQ(receiver.repetitions(), 2U);
}

TEST(Webhook, ARefusedBatchIsHalvedUntilTheBadRowStandsAlone) {
  Bed bed;
  WebhookReceiver receiver;
  const auto destination = bed.destination("{url: '" + receiver.url() + "'}");
  const auto writer = bed.open(*destination, "{batch: 8}");
  for (int i = 0; i < 20; ++i)
    receiver.misbehave([](const http::IncomingRequest& request) -> std::optional<http::Reply> {
      if (request.body.find("a5@") == std::string::npos) return std::nullopt;
      return http::Reply::text(400, "plan of a5 is unknown");
    });
  const auto delivered = deliver(*writer, bed.changes(8));
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_EQ(delivered.verdicts[i].outcome, i == 5 ? Outcome::rejected : Outcome::applied) << i;
  EXPECT_EQ(delivered.verdicts[5].code, "http_400");
  EXPECT_EQ(delivered.verdicts[5].message, "plan of a5 is unknown");
  EXPECT_EQ(receiver.records().size(), 7U);
}

TEST(Webhook, AnswersRowByRowInAnyOrderReachTheirRows) {
  Bed bed;
  WebhookReceiver receiver;
  const auto destination = bed.destination("{url: '" + receiver.url() + "'}");
  const auto writer = bed.open(*destination, std::string("{batch: 10, ") + answers + "}");
  receiver.shuffle(true);
  auto changes = bed.changes(10);
  changes[3] = bed.change(3, -1);
  auto verdicts = deliver(*writer, changes).verdicts;
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_EQ(verdicts[i].outcome, i == 3 ? Outcome::rejected : Outcome::applied) << i;
  EXPECT_EQ(verdicts[3].code, "negative_score");
  EXPECT_TRUE(verdicts[4].created);
  EXPECT_EQ(verdicts[4].destination_id, R"(r-{"email":"a4@example.com"})");
  receiver.forget_the_last(true);
  for (int n = 0; n < 10; ++n) changes[static_cast<std::size_t>(n)] = bed.change(n, 100 + n);
  verdicts = deliver(*writer, changes).verdicts;
  EXPECT_EQ(verdicts[0].outcome, Outcome::in_doubt) << "shuffled, the first row is the last of the list";
  EXPECT_EQ(verdicts[0].code, "no_answer_for_row");
  EXPECT_EQ(count(verdicts, Outcome::applied), 9U);
}

TEST(Webhook, RepliesMeanWhatTheStandardSays) {
  struct Case {
    int status;
    std::string meaning;  // an outcome, or the code of an Error
  };
  for (const Case& c : {Case{200, "applied"},
                        {202, "applied"},
                        {204, "applied"},
                        {400, "rejected"},
                        {409, "rejected"},
                        {413, "rejected"},
                        {422, "rejected"},
                        {408, "retry"},
                        {425, "retry"},
                        {429, "retry"},
                        {500, "in_doubt"},
                        {502, "in_doubt"},
                        {503, "retry"},
                        {504, "in_doubt"},
                        {301, "destination.refused"},
                        {308, "destination.refused"},
                        {404, "destination.refused"},
                        {405, "destination.refused"},
                        {410, "destination.gone"},
                        {401, "destination.credentials"},
                        {403, "destination.credentials"}}) {
    Bed bed;
    const auto destination = bed.scripted([&](const http::Request&) { return reply(c.status, "because"); });
    const auto writer = bed.open(*destination, "{batch: 2}");
    try {
      const auto answer = writer->deliver(bed.changes(2));
      EXPECT_EQ(std::string(name_of(answer.verdicts[1].outcome)), c.meaning) << c.status;
      EXPECT_EQ(answer.refused_whole, c.meaning == "rejected") << c.status;
      if (c.meaning != "applied") {
        EXPECT_EQ(answer.verdicts[0].message, "because");
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), c.meaning) << c.status;
      EXPECT_NE(error.hint(), "");
      EXPECT_EQ(error.message().find("abcdefghijklmnop"), std::string::npos)
          << "the path may be the credential";
    }
  }
}

TEST(Webhook, RetryAfterIsHonouredWhateverItsForm) {
  using std::chrono::milliseconds;
  struct Case {
    std::string header;
    std::optional<milliseconds> wait;
  };
  for (const Case& c : {Case{"7", milliseconds(7'000)},
                        {"-5", std::nullopt},
                        {"0", std::nullopt},
                        {"soon", std::nullopt},
                        {"99999999999999999999", http::wait_max},
                        {"Wed, 21 Oct 2015 07:28:00 GMT", std::nullopt}}) {
    for (const int status : {429, 503}) {
      Bed bed;
      const auto destination = bed.scripted([&](const http::Request&) {
        return reply(status, "", {{"Retry-After", c.header}});
      });
      const auto answer = bed.open(*destination)->deliver(bed.changes(1));
      EXPECT_EQ(answer.verdicts[0].outcome, Outcome::retry);
      // Told that we are too fast, but not for how long: the pace chooses, so that nobody spins.
      if (status == 429 && !c.wait)
        EXPECT_GE(answer.retry_after.value_or(milliseconds(0)), milliseconds(1'000)) << c.header;
      else
        EXPECT_EQ(answer.retry_after, c.wait) << status << " " << c.header;
    }
  }
}

TEST(Webhook, WhatTheWireDoesIsAVerdict) {
  using Reach = http::Failure::Reach;
  for (const auto& failure : {http::Failure{Reach::unknown, "http.timeout", "no answer in 30 s"},
                              http::Failure{Reach::not_sent, "http.refused", "nobody listens"},
                              http::Failure{Reach::unknown, "http.cut", "cut off"}}) {
    Bed bed;
    const auto destination =
        bed.scripted([&](const http::Request&) { return http::Result(std::unexpected(failure)); });
    const auto verdict = bed.open(*destination)->deliver(bed.changes(1)).verdicts[0];
    EXPECT_EQ(verdict.outcome, failure.reach == Reach::not_sent ? Outcome::retry : Outcome::in_doubt);
    EXPECT_EQ(verdict.code, failure.code);
  }
  Bed bed;
  const auto destination = bed.scripted([](const http::Request&) {
    return http::Result(std::unexpected(http::Failure{Reach::not_sent, "http.certificate", "not trusted"}));
  });
  EXPECT_THROW(bed.open(*destination)->deliver(bed.changes(1)), Error);
}

TEST(Webhook, TheRateIsKept) {
  Bed bed;
  std::vector<Clock::MonotonicTime> times;
  const auto destination = bed.scripted(
      [&](const http::Request&) {
        times.push_back(bed.clock.monotonic());
        return reply(200);
      },
      ", rate: 5/s");
  deliver(*bed.open(*destination), bed.changes(21));
  ASSERT_EQ(times.size(), 21U);
  for (std::size_t i = 5; i < times.size(); ++i)
    EXPECT_GE(times[i] - times[i - 5], std::chrono::seconds(1)) << i;
  EXPECT_EQ(parse_rate("190/10s").max, 190U);
  EXPECT_EQ(parse_rate("190/10s").window, std::chrono::seconds(10));
  EXPECT_EQ(parse_rate("1000/m").window, std::chrono::minutes(1));
  for (const char* wrong : {"", "5", "0/s", "-1/s", "x/s", "5/", "5/fortnight", "5/0s"})
    EXPECT_THROW(parse_rate(wrong), Error) << wrong;
}

TEST(Webhook, PreviewShowsTheMessageAndNoSecret) {
  Bed bed;
  std::atomic<int> sent = 0;
  const auto destination = bed.scripted(
      [&](const http::Request&) {
        ++sent;
        return reply(200);
      },
      std::string(", secret: ") + secret + ", headers: {Authorization: 'Bearer tok-12345678'}");
  Change change = bed.change(1);
  change.fields[0] = Value::text("tok-12345678");
  const auto texts = bed.open(*destination)->preview(std::vector{change, bed.change(2)});
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_TRUE(texts[0].starts_with("POST https://hooks.example.com/…\nwebhook-id: evt_")) << texts[0];
  EXPECT_NE(texts[0].find("\"plan\":\"***\""), std::string::npos) << texts[0];
  EXPECT_NE(texts[1].find("a2@example.com"), std::string::npos);
  EXPECT_EQ(sent, 0);
  EXPECT_EQ(redact("abcdefghijklmnop"), "***");
}

TEST(Webhook, CheckReachesTheEndpointAndSendsNothing) {
  Bed bed;
  WebhookReceiver receiver(secret);
  const std::string settings = "{url: '" + receiver.url() + "', secret: " + secret + "}";
  const std::string line = bed.destination(settings)->check();
  EXPECT_NE(line.find("answers (HTTP 405 to HEAD); messages are signed"), std::string::npos) << line;
  EXPECT_TRUE(receiver.received().empty());
  receiver.stop();
  EXPECT_THROW(bed.destination(settings)->check(), Error);
}

TEST(Webhook, SettingsThatCannotWorkAreRefused) {
  Bed bed;
  for (const char* wrong :
       {"{url: ftp://x.example}", "{url: https://}", "{url: 'https://user:pass@x.example/'}",
        "{url: 'https://x.example/a b'}", "{url: https://x.example, headers: {webhook-id: x}}",
        "{url: https://x.example, headers: {'a b': x}}", "{url: https://x.example, secret: whsec_AAAA}",
        "{url: https://x.example, rate: fast}", "{url: https://x.example, concurrency: 0}",
        "{url: https://x.example, method: GET}"})
    EXPECT_THROW(bed.destination(wrong), Error) << wrong;
  const auto destination = bed.destination("{url: https://x.example}");
  EXPECT_THROW(bed.open(*destination, "{batch: 0}"), Error);
  EXPECT_THROW(bed.open(*destination, "{answers: {status: status, applied: ok}}"), Error);
  EXPECT_FALSE(destination->describe("no such object"));
  EXPECT_TRUE(destination->describe("crm.contact")->open);
  // Not encrypted, and not to this machine.
  const auto plain = bed.destination("{url: 'http://192.0.2.1/'}");
  try {
    bed.open(*plain)->deliver(bed.changes(1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "destination.settings");
  }
}

}  // namespace
}  // namespace eddy::connectors
