// Logging in once for many workers, quotas told in headers, pacing across writers, the built-in and the
// project's own connectors.
#include "connectors/declarative/session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "connectors/declarative/destination.h"
#include "connectors/declarative/library.h"
#include "core/error.h"
#include "core/secrets.h"
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

std::shared_ptr<const Spec> builtin(const std::string& name) {
  for (const LoadedConnector& loaded : load_connectors("/nowhere"))
    if (loaded.spec->name == name) return loaded.spec;
  throw std::runtime_error("no connector " + name);
}

struct Fixture {
  explicit Fixture(const std::string& service, std::string_view settings,
                   std::function<http::Result(const http::Request&)> wire)
      : spec(builtin(service)),
        destination(spec,
                    std::make_shared<Session>(*spec, Settings(*spec, yaml(settings)), clock, cancel,
                                              std::make_unique<http::ScriptedExchange>(
                                                  [wire = std::move(wire)](const http::Request& request) {
                                                    return request.url.ends_with("/Contact/describe")
                                                               ? http::Result(described())
                                                               : wire(request);
                                                  }))) {}
  static http::Response described() {
    return {200, {}, R"({"fields":[{"name":"ERP__c","type":"string","externalId":true,"idLookup":true}]})"};
  }
  std::unique_ptr<sync::Writer> open(const std::string& object, const std::string& key,
                                     sync::Mode mode = sync::Mode::upsert) {
    sync::Delivery delivery;
    delivery.object = object;
    delivery.mode = mode;
    delivery.key = {{key, Type::text}};
    delivery.fields = {{"name", Type::text}};
    return destination.open(delivery);
  }
  ManualClock clock;
  Cancel cancel;
  std::shared_ptr<const Spec> spec;
  DeclarativeDestination destination;
};

Change add(std::string key, std::uint64_t number = 0) {
  return {number, Operation::add, {Value::text(std::move(key))}, {Value::text("n")}, {true}};
}

http::Response answer(int status, const json& body, http::Headers headers = {}) {
  return {status, std::move(headers), body.dump()};
}

std::string code_of(const std::function<void()>& action) {
  try {
    action();
    return "";
  } catch (const Error& e) {
    return e.code();
  }
}

constexpr std::string_view salesforce =
    "{base_url: 'http://127.0.0.1:1', client_id: app, client_secret: hush-hush}";

TEST(Session, ManyWorkersAskForOneToken) {
  std::atomic<int> logins{0};
  std::atomic<int> refused{0};
  Fixture f("salesforce", salesforce, [&](const http::Request& request) -> http::Result {
    if (request.url.ends_with("/token")) {
      std::this_thread::yield();
      return answer(200, {{"access_token", "token-" + std::to_string(++logins)},
                          {"instance_url", "http://127.0.0.1:1"}});
    }
    // The first token is refused to everybody who uses it.
    if (request.headers.get("Authorization") == "Bearer token-1") {
      ++refused;
      return answer(401, json::array({{{"errorCode", "INVALID_SESSION_ID"}, {"message", "expired"}}}));
    }
    return answer(200, json::array({{{"id", "1"}, {"success", true}, {"errors", json::array()}}}));
  });
  const auto writer = f.open("Contact", "ERP__c");
  std::atomic<int> applied{0};
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w)
      workers.emplace_back([&, w] {
        const std::vector<Change> changes = {add(std::to_string(w))};
        if (writer->deliver(changes).verdicts.at(0).outcome == Outcome::applied) ++applied;
      });
  }
  EXPECT_EQ(applied, 4);
  EXPECT_EQ(logins, 2);
  EXPECT_GE(refused, 1);
}

TEST(Session, ATokenIsRenewedWhenItsTimeIsOver) {
  int logins = 0;
  Fixture f("marketo", "{base_url: 'http://127.0.0.1:1', client_id: app, client_secret: hush-hush}",
            [&](const http::Request& request) -> http::Result {
              if (request.url.find("/identity/") != std::string::npos)
                return answer(200, {{"access_token", "t-" + std::to_string(++logins)}, {"expires_in", 100}});
              return answer(200, {{"success", true}, {"result", {{{"id", 1}, {"status", "updated"}}}}});
            });
  const auto writer = f.open("leads", "email");
  const std::vector<Change> changes = {add("a@x.io")};
  writer->deliver(changes);
  f.clock.advance(99s);
  writer->deliver(changes);
  EXPECT_EQ(logins, 1);
  f.clock.advance(2s);
  writer->deliver(changes);
  EXPECT_EQ(logins, 2);
}

TEST(Session, AnUnreachableTokenEndpointMeansNothingWasSent) {
  Fixture f("salesforce", salesforce, [](const http::Request&) -> http::Result {
    return answer(503, {{"error", "down"}}, {{"Retry-After", "7"}});
  });
  const auto writer = f.open("Contact", "ERP__c", sync::Mode::insert);
  const std::vector<Change> changes = {add("a"), add("b", 1)};
  const auto got = writer->deliver(changes);
  ASSERT_EQ(got.verdicts.size(), 2U);
  for (const Verdict& verdict : got.verdicts) EXPECT_EQ(verdict.outcome, Outcome::retry);
  EXPECT_EQ(got.retry_after, 7s);
}

TEST(Session, ADailyShareLeavesTheRestToOthers) {
  int sent = 0;
  Fixture f("salesforce",
            "{base_url: 'http://127.0.0.1:1', client_id: app, client_secret: hush-hush, daily_share: 50%}",
            [&](const http::Request& request) -> http::Result {
              if (request.url.ends_with("/token")) return answer(200, {{"access_token", "t-one"}});
              ++sent;
              return answer(
                  200, json::array({{{"id", "1"}, {"success", true}}}),
                  {{"Sforce-Limit-Info", "api-usage=" + std::to_string(7499 + sent - 1) + "/15000"}});
            });
  const auto writer = f.open("Contact", "ERP__c");
  const std::vector<Change> changes = {add("a")};
  EXPECT_EQ(writer->deliver(changes).verdicts.at(0).outcome, Outcome::applied);
  EXPECT_EQ(writer->deliver(changes).verdicts.at(0).outcome,
            Outcome::applied);  // 7500 of 15000: this answer still counts
  EXPECT_EQ(code_of([&] { writer->deliver(changes); }), "destination.quota");
  EXPECT_EQ(sent, 2);
}

TEST(Session, RequestsStayWithinTheBudget) {
  std::vector<Clock::MonotonicTime> sent;
  Fixture f("hubspot", "{base_url: 'http://127.0.0.1:1', token: t-secret, requests_per_10s: 3}",
            [&](const http::Request&) -> http::Result {
              sent.push_back(f.clock.monotonic());
              return answer(200, {{"results", {{{"id", "1"}, {"objectWriteTraceId", "0"}}}}});
            });
  const auto writer = f.open("contacts", "email");
  const std::vector<Change> changes = {add("a")};
  for (int i = 0; i < 7; ++i) EXPECT_EQ(writer->deliver(changes).verdicts.at(0).outcome, Outcome::applied);
  ASSERT_EQ(sent.size(), 7U);
  for (std::size_t i = 3; i < 7; ++i) EXPECT_GE(sent[i] - sent[i - 3], 10s);
}

TEST(Session, ABadCertificateStopsTheRun) {
  Fixture f(
      "hubspot", "{base_url: 'https://127.0.0.1:1', token: t-secret}",
      [](const http::Request&) -> http::Result {
        return std::unexpected(http::Failure{http::Failure::Reach::not_sent, "http.certificate", "expired"});
      });
  const auto writer = f.open("contacts", "email");
  const std::vector<Change> changes = {add("a")};
  EXPECT_EQ(code_of([&] { writer->deliver(changes); }), "destination.certificate");
}

TEST(Session, SecretsNeverComeBack) {
  Fixture f("hubspot", "{base_url: 'http://127.0.0.1:1', token: pat-very-secret}",
            [](const http::Request& request) -> http::Result {
              return answer(400,
                            {{"category", "VALIDATION_ERROR"},
                             {"message", "you sent " + std::string(*request.headers.get("Authorization"))}});
            });
  const auto writer = f.open("contacts", "email");
  const std::vector<Change> changes = {add("a")};
  const Verdict verdict = writer->deliver(changes).verdicts.at(0);
  EXPECT_EQ(verdict.message, "you sent Bearer ***");
  const std::vector<Change> leaking = {add("pat-very-secret")};
  for (const std::string& text : writer->preview(leaking))
    EXPECT_EQ(text.find("pat-very-secret"), std::string::npos) << text;
}

TEST(Writer, PreviewShowsTheRequestsAndSendsNothing) {
  Fixture f("salesforce", salesforce, [](const http::Request& request) -> http::Result {
    if (request.url.ends_with("/token")) return answer(200, {{"access_token", "t-one"}});
    ADD_FAILURE() << "a request";
    return std::unexpected(http::Failure{});
  });
  const auto writer = f.open("Contact", "ERP__c");
  const std::vector<Change> changes = {add("k1"), add("k2", 1)};
  const auto texts = writer->preview(changes);
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_TRUE(texts[0].starts_with("PATCH /services/data/v68.0/composite/sobjects/Contact/ERP__c\n{"))
      << texts[0];
  EXPECT_NE(texts[0].find("\"k2\""), std::string::npos);
}

TEST(Writer, LimitsComeFromTheConnector) {
  const auto never = [](const http::Request&) -> http::Result { return std::unexpected(http::Failure{}); };
  Fixture marketo("marketo", "{munchkin: 123-ABC-456, client_id: app, client_secret: hush-hush}", never);
  const auto limits = marketo.open("leads", "email")->limits();
  EXPECT_EQ(limits.batch_rows_max, 300U);
  EXPECT_EQ(limits.batch_bytes_max, 1'000'000U);
  EXPECT_GT(limits.workers_max, 1U);
  Fixture zendesk("zendesk", "{subdomain: acme, oauth_token: t-secret}", never);
  EXPECT_EQ(zendesk.open("users", "external_id")->limits().batch_rows_max, 1U);
}

TEST(Writer, ABodyOverTheLimitIsSplitWithoutBeingSent) {
  Fixture f("marketo", "{munchkin: 123-ABC-456, client_id: app, client_secret: hush-hush}",
            [](const http::Request&) -> http::Result {
              ADD_FAILURE() << "a request";
              return std::unexpected(http::Failure{});
            });
  const auto writer = f.open("leads", "email");
  std::vector<Change> changes = {add("a"), add("b", 1)};
  changes[1].fields[0] = Value::text(std::string(1'000'001, 'x'));
  const auto got = writer->deliver(changes);
  EXPECT_TRUE(got.refused_whole);
  EXPECT_EQ(got.verdicts.size(), 2U);
  EXPECT_EQ(got.verdicts[1].code, "too_large");
}

TEST(Writer, RowsThatCannotBeSentDoNotHoldUpTheOthers) {
  Fixture f("hubspot", "{base_url: 'http://127.0.0.1:1', token: t-secret}",
            [](const http::Request& request) -> http::Result {
              const json inputs = json::parse(request.body)["inputs"];
              EXPECT_EQ(inputs.size(), 2U);
              json results = json::array();
              for (const json& input : inputs)
                results.push_back({{"id", "id-" + input["id"].get<std::string>()},
                                   {"objectWriteTraceId", input["objectWriteTraceId"]}});
              return answer(200, {{"results", results}});
            });
  const auto writer = f.open("contacts", "email");
  std::vector<Change> changes = {add("a"), add("bad\xFF", 1), add("c", 2)};
  const auto got = writer->deliver(changes);
  ASSERT_EQ(got.verdicts.size(), 3U);
  EXPECT_EQ(got.verdicts[0].destination_id, "id-a");
  EXPECT_EQ(got.verdicts[1].code, "unsendable_value");
  EXPECT_EQ(got.verdicts[2].destination_id, "id-c");
}

TEST(Settings, MissingOnesAreNamed) {
  const auto connect = [](const std::string& service, std::string_view settings) {
    return code_of([&] {
      Fixture(service, settings,
              [](const http::Request&) -> http::Result { return std::unexpected(http::Failure{}); });
    });
  };
  EXPECT_EQ(connect("hubspot", "{base_url: 'http://127.0.0.1:1'}"),
            "destination.settings");  // no credentials
  EXPECT_EQ(connect("zendesk", "{oauth_token: t-secret}"),
            "destination.settings");  // neither subdomain nor base_url
  EXPECT_EQ(connect("salesforce", "{client_id: a, client_secret: b-secret}"),
            "destination.settings");  // base_url
  EXPECT_EQ(connect("hubspot", "{token: t-secret, requests_per_10s: many}"), "destination.settings");
  EXPECT_EQ(connect("zendesk", "{subdomain: acme, oauth_token: t-secret}"), "");
}

TEST(Library, HasTheFourServices) {
  std::vector<std::string> names;
  for (const auto& type : declarative_destinations("/nowhere")) names.push_back(type.type);
  for (const char* name : {"hubspot", "marketo", "salesforce", "zendesk"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
}

constexpr std::string_view tiny = R"(name: NAME
title: Tiny
summary: one object
settings: {base_url: {default: "https://tiny.example"}, key: {secret: true, required: true, doc: the key}}
auth: [{needs: [key], header: {X-Key: "{key}"}}]
objects: {list: {things: {fields: {id: {key: true}}}}}
operations:
  upsert: {request: {method: PUT, url: "/things/{row.key}", body: "{row.fields}"}, outcome: {rows: {match: {by: all}, applied_when: {status: 204}}}}
)";

std::string named(std::string_view name) {
  std::string text(tiny);
  return text.replace(text.find("NAME"), 4, name);
}

TEST(Library, AProjectAddsAndReplaces) {
  testing::Scratch scratch;
  scratch.write("connectors/tiny/connector.yml", named("tiny"));
  scratch.write("connectors/hubspot/connector.yml", named("hubspot"));
  scratch.write("connectors/notes.txt", "not a connector");
  std::map<std::string, LoadedConnector> loaded;
  for (auto& connector : load_connectors(scratch / "connectors")) loaded[connector.spec->name] = connector;
  ASSERT_TRUE(loaded.contains("tiny"));
  EXPECT_EQ(loaded["hubspot"].spec->title, "Tiny");
  EXPECT_EQ(loaded["hubspot"].origin, "connectors/hubspot/connector.yml");
  EXPECT_EQ(loaded["zendesk"].origin, "built in");
}

TEST(Library, MistakesOfAProjectAreSaidWithTheirPlace) {
  testing::Scratch scratch;
  std::string wrong = named("one");
  wrong.replace(wrong.find("upsert:"), 6, "upsrt");
  scratch.write("connectors/one/connector.yml", wrong);
  std::string unknown = named("two");
  unknown.replace(unknown.find("{row.key}"), 9, "{row.kye}");
  scratch.write("connectors/two/connector.yml", unknown);
  scratch.write("connectors/three/connector.yml", named("other"));
  try {
    load_connectors(scratch / "connectors");
    FAIL();
  } catch (const Error& e) {
    std::map<std::string, Diagnostic> by_file;
    for (const Diagnostic& d : e.diagnostics()) by_file[d.position.file] = d;
    const Diagnostic one = by_file["connectors/one/connector.yml"];
    EXPECT_EQ(one.code, "config.unknown_key");
    EXPECT_EQ(one.hint, "did you mean `upsert`?");
    EXPECT_EQ(one.position.line, 8);
    const Diagnostic two = by_file["connectors/two/connector.yml"];
    EXPECT_EQ(two.code, "connector.placeholder");
    EXPECT_EQ(two.hint, "did you mean `row.key`?");
    EXPECT_EQ(two.position.line, 8);
    EXPECT_EQ(by_file["connectors/three/connector.yml"].code, "connector.name");
  }
}

TEST(Library, ManualsTellSettingsObjectsAndOperations) {
  for (const LoadedConnector& loaded : load_connectors("/nowhere")) {
    const ConnectorManual m = manual(loaded);
    EXPECT_TRUE(!m.objects.empty() || m.open_objects) << m.name;
    EXPECT_FALSE(m.operations.empty()) << m.name;
    for (const auto& setting : m.settings) EXPECT_FALSE(setting.doc.empty()) << m.name << " " << setting.name;
    const std::string text = manual_text(m);
    EXPECT_NE(text.find("base_url"), std::string::npos);
    EXPECT_NE(text.find(m.operations.front().name), std::string::npos);
  }
}

TEST(Library, DestinationsOverARealWireShareNothingWithScripts) {
  const auto types = declarative_destinations("/nowhere");
  const auto hubspot =
      std::find_if(types.begin(), types.end(), [](const auto& t) { return t.type == "hubspot"; });
  ASSERT_NE(hubspot, types.end());
  ManualClock clock;
  Cancel cancel;
  const auto destination =
      hubspot->make(yaml("{base_url: 'http://127.0.0.1:1', token: t-secret}"), {clock, cancel, "."});
  EXPECT_EQ(code_of([&] { destination->check(); }), "destination.unreachable");
  const auto plain =
      hubspot->make(yaml("{base_url: 'http://hubspot.invalid', token: t-secret}"), {clock, cancel, "."});
  EXPECT_EQ(code_of([&] { plain->check(); }), "destination.settings");
}

}  // namespace
}  // namespace eddy::connectors
