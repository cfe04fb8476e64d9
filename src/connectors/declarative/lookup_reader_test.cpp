#include "connectors/declarative/lookup_reader.h"

#include <gtest/gtest.h>

#include "connectors/declarative/destination.h"
#include "core/error.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;

TEST(ReadValue, GivesNumbersBooleansAndTimesTheTypeThatIsWanted) {
  const TransformSpec json_values;
  const auto read = [&](const json& found, Type wanted) { return read_value(found, wanted, json_values); };
  EXPECT_EQ(read("12", Type::integer), Value::integer(12));
  EXPECT_EQ(read(12.0, Type::integer), Value::integer(12));
  EXPECT_EQ(read("12.50", Type::decimal), Value::decimal("12.5"));
  EXPECT_EQ(read(12.5, Type::decimal), Value::decimal("12.5"));
  EXPECT_EQ(read("0.1", Type::real), Value::real(0.1));
  EXPECT_EQ(read("True", Type::boolean), Value::boolean(true));
  EXPECT_EQ(read(false, Type::boolean), Value::boolean(false));
  EXPECT_EQ(read(17, Type::text), Value::text("17"));
  EXPECT_EQ(read(json::array({1, "a"}), Type::json), Value::json("[1,\"a\"]"));
  EXPECT_EQ(read("2026-03-29T01:30:00.000+0000", Type::timestamp), Value::timestamp("2026-03-29T01:30:00Z"));
  EXPECT_EQ(read("2026-03-29T01:30:00-02:30", Type::timestamp), Value::timestamp("2026-03-29T04:00:00Z"));
  EXPECT_EQ(read(1774747800125, Type::timestamp), Value::timestamp("2026-03-29T01:30:00.125000Z"));
  EXPECT_EQ(read("1709164800000", Type::date), Value::date("2024-02-29"));
  EXPECT_EQ(read("2024-02-29T00:00:00Z", Type::date), Value::date("2024-02-29"));
}

TEST(ReadValue, NothingIsNullAndWhatDoesNotConvertIsNot) {
  const TransformSpec json_values;
  for (const Type wanted : {Type::text, Type::integer, Type::boolean, Type::timestamp, Type::json}) {
    EXPECT_TRUE(read_value(nullptr, wanted, json_values).is_null());
    EXPECT_TRUE(read_value("", wanted, json_values).is_null());
    EXPECT_FALSE(read_value("a dozen", wanted, json_values).is_null()) << name_of(wanted);
  }
}

TEST(SoqlLiteral, EscapesWhatWouldEndTheText) {
  EXPECT_EQ(soql_literal("plain"), "'plain'");
  EXPECT_EQ(soql_literal("O'Neil \\ ') OR (Id != '"), "'O\\'Neil \\\\ \\') OR (Id != \\''");
  EXPECT_EQ(soql_literal("two\nlines\r"), "'two\\nlines\\r'");
  EXPECT_EQ(soql_literal(12), "12");
  EXPECT_EQ(soql_literal(true), "true");
}

// A service with one lookup, answered by a function of the URL.
class AService {
 public:
  AService(const std::string& lookup, std::function<json(const std::string& url)> answer)
      : spec_(std::make_shared<const Spec>(parse_connector(
            "name: x\ntitle: X\nsummary: x\nsettings: {base_url: {default: 'http://localhost'}}\n"
            "objects: {list: {people: {}}}\noperations: {}\nlookup:\n" +
                lookup,
            "connector.yml"))) {
    auto wire = std::make_unique<http::ScriptedExchange>(
        [this, answer](const http::Request& request) -> http::Result {
          urls_.push_back(request.url);
          const json body = answer(request.url);
          http::Response response;
          response.status = body.is_number() ? body.get<int>() : 200;
          response.body = body.dump();
          return response;
        });
    destination_ = std::make_unique<DeclarativeDestination>(
        spec_, std::make_shared<Session>(*spec_, Settings(*spec_, config::Node()), clock_, cancel_,
                                         std::move(wire)));
  }
  std::unique_ptr<sync::Reader> reader(Schema key = {{"key", Type::text}}, std::string object = "people") {
    return destination_->reader({std::move(object), std::move(key), {{"name", Type::text}}, {}});
  }
  const std::vector<std::string>& urls() const { return urls_; }

 private:
  ManualClock clock_;
  Cancel cancel_;
  std::vector<std::string> urls_;
  std::shared_ptr<const Spec> spec_;
  std::unique_ptr<DeclarativeDestination> destination_;
};

const std::string by_keys =
    "  request: {method: GET, url: /people, query: {keys: '{rows.keys}'}}\n"
    "  items: /people\n  match: {by: echo, pointer: '/{key.field}'}\n  id: /id\n  value: '/{field}'\n"
    "  batch: {max_rows: 4, max_bytes: 25}\n";

std::vector<Row> keys(const std::vector<std::string>& texts) {
  std::vector<Row> out;
  for (const std::string& text : texts) out.push_back({Value::text(text)});
  return out;
}

TEST(LookupReader, IsThereForOneKeyOfAKnownObjectThatALookupFits) {
  AService service("  keys: [key]\n" + by_keys, [](const std::string&) { return json(); });
  EXPECT_NE(service.reader(), nullptr);
  EXPECT_EQ(service.reader({{"key", Type::text}, {"other", Type::text}}), nullptr);
  EXPECT_EQ(service.reader({{"other", Type::text}}), nullptr);
  EXPECT_EQ(service.reader({{"key", Type::text}}, "pets"), nullptr);
  EXPECT_TRUE(service.urls().empty());
}

TEST(LookupReader, AsksForFewerKeysWhereTheyWouldBeTooLong) {
  AService service(by_keys, [](const std::string&) { return json{{"people", json::array()}}; });
  for (const auto& record :
       service.reader()->read(keys({"aaaaaaaa", "b", "c", "dddddddddddddddddddddddd", "e"})))
    EXPECT_EQ(record.matches, 0U);
  EXPECT_EQ(service.urls(),
            (std::vector<std::string>{
                "http://localhost/people?keys=aaaaaaaa%2Cb", "http://localhost/people?keys=c",
                "http://localhost/people?keys=dddddddddddddddddddddddd", "http://localhost/people?keys=e"}));
}

TEST(LookupReader, OneRecordThatIsListedTwiceIsOneMatch) {
  AService service(by_keys, [](const std::string&) {
    const json ann = {{"id", 1}, {"key", "a"}, {"name", "Ann"}};
    return json{{"people", json::array({ann, ann, {{"id", 2}, {"key", "b"}}, {{"id", 3}, {"key", "b"}}})}};
  });
  const auto records = service.reader()->read(keys({"a", "b"}));
  EXPECT_EQ(records[0].matches, 1U);
  EXPECT_EQ(records[0].fields.at(0), Value::text("Ann"));
  EXPECT_EQ(records[1].matches, 2U);
}

TEST(LookupReader, AReplyWithoutItsListIsNoAnswer) {
  AService service(by_keys, [](const std::string&) { return json{{"persons", json::array()}}; });
  try {
    service.reader()->read(keys({"a"}));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "destination.unavailable");
  }
  EXPECT_EQ(service.urls().size(), 3U);
}

TEST(LookupReader, AnErrorThatSaysDoneMeansThatThereIsNoRecord) {
  AService service(by_keys + "  errors: {statuses: {'404': done}}\n",
                   [](const std::string&) { return json(404); });
  EXPECT_EQ(service.reader()->read(keys({"a"})).at(0).matches, 0U);
}

TEST(Inserts, AreRepeatableOnlyWhereTheConnectorSaysSo) {
  const auto repeatable = [](const std::string& mode, const std::string& word) {
    const auto spec = std::make_shared<const Spec>(parse_connector(
        "name: x\ntitle: X\nsummary: x\nsettings: {base_url: {default: 'http://localhost'}}\n"
        "objects: {list: {people: {}}}\noperations:\n  " +
            mode + ": {" + word + "request: {url: /people}, outcome: {rows: [{match: [{by: all}]}]}}\n",
        "connector.yml"));
    ManualClock clock;
    Cancel cancel;
    auto wire = std::make_unique<http::ScriptedExchange>(
        [](const http::Request&) -> http::Result { return http::Response(); });
    DeclarativeDestination destination(spec, std::make_shared<Session>(*spec, Settings(*spec, config::Node()),
                                                                       clock, cancel, std::move(wire)));
    return destination
        .open({.object = "people",
               .mode = mode == "insert" ? sync::Mode::insert : sync::Mode::upsert,
               .key = {{"key", Type::text}},
               .fields = {},
               .options = {},
               .sync = "s"})
        ->inserts_are_repeatable();
  };
  EXPECT_FALSE(repeatable("insert", ""));
  EXPECT_FALSE(repeatable("insert", "idempotency: none, "));
  EXPECT_TRUE(repeatable("insert", "idempotency: natural, "));
  EXPECT_FALSE(repeatable("upsert", ""));
}

TEST(Inserts, CarryAKeyByWhichTheServiceKnowsThem) {
  const auto spec = std::make_shared<const Spec>(parse_connector(
      "name: x\ntitle: X\nsummary: x\nsettings: {base_url: {default: 'http://localhost'}}\n"
      "objects: {list: {people: {}}}\noperations:\n  insert: {idempotency: natural, request: {url: "
      "'/people/{row.idempotency_key}', body: {each: {id: '{row.idempotency_key}'}}}, outcome: {rows: "
      "[{match: [{by: all}]}]}}\n",
      "connector.yml"));
  ManualClock clock;
  Cancel cancel;
  std::string url, body;
  auto wire = std::make_unique<http::ScriptedExchange>([&](const http::Request& request) -> http::Result {
    url = request.url;
    body = request.body;
    http::Response response;
    response.status = 200;
    return response;
  });
  DeclarativeDestination destination(spec, std::make_shared<Session>(*spec, Settings(*spec, config::Node()),
                                                                     clock, cancel, std::move(wire)));
  const sync::Delivery delivery{.object = "people",
                                .mode = sync::Mode::insert,
                                .key = {{"key", Type::text}},
                                .fields = {},
                                .options = {},
                                .sync = "s"};
  const Change change{3, Operation::add, {Value::text("a")}, {}, {}};
  const std::string key = sync::idempotency_key(delivery, change);
  destination.open(delivery)->deliver(std::span(&change, 1));
  EXPECT_EQ(url, "http://localhost/people/" + key);
  EXPECT_EQ(body, R"([{"id":")" + key + R"("}])");
}

TEST(LookupSpec, RowsHaveNoFieldsThere) {
  try {
    AService service("  request: {url: '/{row.fields}'}\n" + by_keys.substr(by_keys.find('\n') + 1),
                     [](const std::string&) { return json(); });
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "connector.placeholder");
  }
}

}  // namespace
}  // namespace eddy::connectors
