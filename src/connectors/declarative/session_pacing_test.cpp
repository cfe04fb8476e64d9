// Limits of a connection as the writers of one or more sessions, and processes, meet them.
#include <gtest/gtest.h>

#include "connectors/declarative/destination.h"
#include "connectors/declarative/library.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

config::Node yaml(std::string_view text) {
  Diagnostics diagnostics;
  auto node = config::parse(text, "c.yml", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return node;
}

std::shared_ptr<const Spec> hubspot() {
  for (const LoadedConnector& loaded : load_connectors("/nowhere"))
    if (loaded.spec->name == "hubspot") return loaded.spec;
  throw std::runtime_error("no HubSpot");
}

Change add(std::uint64_t number) {
  return {number, Operation::add, {Value::text("a" + std::to_string(number))}, {Value::text("n")}, {true}};
}

class SessionPacing : public ::testing::Test {
 protected:
  // As a process of its own would have it: what sessions share is the file.
  std::unique_ptr<sync::Writer> writer(std::string_view settings = "") {
    auto session = std::make_shared<Session>(
        *spec_,
        Settings(*spec_, yaml(std::string("{base_url: 'http://127.0.0.1:1', token: t-secret") +
                              std::string(settings) + "}")),
        clock_, cancel_, std::make_unique<http::ScriptedExchange>([this](const http::Request& request) {
          ++requests_;
          return wire_(request);
        }),
        2min, SessionFiles{.pace = scratch_ / "pace/crm.pace"});
    destinations_.push_back(std::make_unique<DeclarativeDestination>(spec_, std::move(session)));
    sync::Delivery delivery;
    delivery.object = "contacts";
    delivery.key = {{"email", Type::text}};
    delivery.fields = {{"name", Type::text}};
    return destinations_.back()->open(delivery);
  }
  static sync::Answer send(sync::Writer& writer, std::uint64_t number = 0) {
    const Change change = add(number);
    return writer.deliver(std::span(&change, 1));
  }
  static http::Result yes(const http::Request& request) {
    json results = json::array();
    const json body = json::parse(request.body);
    for (const json& input : body["inputs"])
      results.push_back({{"id", "1"}, {"objectWriteTraceId", input["objectWriteTraceId"]}});
    return http::Response{200, {}, json{{"results", results}}.dump()};
  }

  testing::Scratch scratch_;
  ManualClock clock_;
  Cancel cancel_;
  std::shared_ptr<const Spec> spec_ = hubspot();
  std::function<http::Result(const http::Request&)> wire_ = yes;
  int requests_ = 0;
  std::vector<std::unique_ptr<DeclarativeDestination>> destinations_;
};

TEST_F(SessionPacing, ThrottledHereHoldsThere) {
  const auto here = writer(), there = writer();
  wire_ = [](const http::Request&) -> http::Result {
    return http::Response{429, {{"Retry-After", "40"}}, R"({"policyName":"SECONDLY","message":"slow down"})"};
  };
  EXPECT_EQ(send(*here).retry_after, 40s);
  wire_ = yes;
  const auto held = send(*there);
  EXPECT_EQ(requests_, 1);
  EXPECT_TRUE(held.held_back);
  EXPECT_EQ(held.retry_after, 40s);
  EXPECT_EQ(held.verdicts[0].outcome, Outcome::retry);
  clock_.advance(40s);
  const auto after = send(*there);
  EXPECT_EQ(after.verdicts[0].outcome, Outcome::applied)
      << after.verdicts[0].code << after.verdicts[0].message;
}

TEST_F(SessionPacing, OneBudgetForAllSessionsOfAConnection) {
  const auto here = writer(", requests_per_10s: 3"), there = writer(", requests_per_10s: 3");
  const auto start = clock_.monotonic();
  for (std::uint64_t i = 0; i < 6; ++i)
    EXPECT_EQ(send(i % 2 == 0 ? *here : *there, i).verdicts[0].outcome, Outcome::applied);
  EXPECT_EQ(clock_.monotonic() - start, 10s + 100ms);  // three at once, then a window with its margin
}

TEST_F(SessionPacing, RetryAfterCountsInEveryForm) {
  for (const auto& [header, wait] : std::vector<std::pair<std::string, std::chrono::milliseconds>>{
           {"7", 7s},
           {"Sun, 06 Nov 2494 08:49:37 GMT", 1h},
           {"999999999", 1h},
           {"-5", 10s},  // says nothing: the connector's own rule for 429
           {"soon", 10s}}) {
    clock_.advance(std::chrono::hours{24});
    std::filesystem::remove_all(scratch_ / "pace");
    const auto one = writer();
    wire_ = [&](const http::Request&) -> http::Result {
      return http::Response{429, {{"Retry-After", header}}, R"({"category":"RATE_LIMITS"})"};
    };
    EXPECT_EQ(send(*one).retry_after, wait) << header;
  }
}

TEST_F(SessionPacing, InterruptedWhileHeldNothingLeaves) {
  const auto one = writer(", requests_per_10s: 1");
  send(*one);
  cancel_.request();
  const auto answer = send(*one, 1);
  EXPECT_TRUE(answer.held_back);
  EXPECT_EQ(answer.verdicts[0].code, "cancelled");
  EXPECT_EQ(requests_, 1);
}

// Searches of HubSpot: four in a second, whatever else is asked.
class NamedLimit : public SessionPacing {
 protected:
  std::shared_ptr<Session> process() {
    return std::make_shared<Session>(
        *spec_,
        Settings(*spec_, yaml("{base_url: 'http://127.0.0.1:1', token: t-secret, requests_per_10s: 100}")),
        clock_, cancel_, std::make_unique<http::ScriptedExchange>([this](const http::Request& request) {
          times_.push_back(clock_.monotonic());
          return wire_(request);
        }),
        2min, SessionFiles{.pace = scratch_ / "pace/crm.pace"});
  }
  Called ask(Session& session, const RequestSpec& request) {
    return session.call(
        request, {},
        [&](std::string_view name) {
          return name == "object" ? std::optional(json("companies")) : session.lookup()(name);
        },
        [](const Reply& reply) { return reply.status == 200; }, spec_->errors, true);
  }
  const RequestSpec& search() const { return spec_->lookups.back().request; }
  const RequestSpec& read() const { return spec_->lookups.front().request; }

  std::vector<Clock::MonotonicTime> times_;
};

TEST_F(NamedLimit, IsKeptByThoseWhoNameItInAllProcesses) {
  ASSERT_EQ(search().limit, "search");
  ASSERT_EQ(read().limit, "");
  wire_ = [](const http::Request&) { return http::Response{200, {}, "{}"}; };
  const auto one = process(), other = process();
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(ask(i % 2 == 0 ? *one : *other, search()).kind, Called::Kind::answered);
  ASSERT_EQ(times_.size(), 6U);
  for (std::size_t i = 4; i < 6; ++i) EXPECT_GE(times_[i] - times_[i - 4], 1s);
  const auto before = clock_.monotonic();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(*one, read()).kind, Called::Kind::answered);
  EXPECT_EQ(clock_.monotonic(), before);
}

TEST_F(NamedLimit, ARefusalHoldsOnlyThoseWhoNameIt) {
  wire_ = [](const http::Request& request) {
    return request.url.ends_with("/search")
               ? http::Response{429, {}, R"({"policyName":"SECONDLY","message":"too fast"})"}
               : http::Response{200, {}, "{}"};
  };
  const auto session = process();
  const Called called = ask(*session, search());
  EXPECT_EQ(called.kind, Called::Kind::refused);
  EXPECT_EQ(called.refusal.wait, 1s);
  const auto before = clock_.monotonic();
  EXPECT_EQ(ask(*session, read()).kind, Called::Kind::answered);
  EXPECT_EQ(clock_.monotonic(), before);
  ask(*session, search());
  EXPECT_GE(times_.back() - before, 1s);
}

}  // namespace
}  // namespace eddy::connectors
