// The services behind the declarative runtime, each before a sandbox of its own.
#include <fmt/format.h>

#include <algorithm>

#include "conformance/subject.h"
#include "connectors/declarative/library.h"
#include "core/text.h"
#include "support/process.h"
#include "support/scratch.h"
#include "transport/http/client.h"

namespace eddy::conformance {
namespace {
using nlohmann::json;

struct Service {
  std::string type;         // of the connection, and the sandbox's word for the service
  std::string credentials;  // settings as YAML
  Target target;
  bool erases = false;  // by the key of the target
  bool archives = false;
  std::size_t spoilt_field;  // of the target
  std::string spoilt_value;  // what the service refuses there
  bool key_is_email = false;
};

class SaasSubject final : public Subject {
 public:
  explicit SaasSubject(Service service) : service_(std::move(service)) {
    std::vector<std::string> argv = {testing::program("eddy-sandbox").string(), "--port-base", "0"};
    sandbox_ = std::make_unique<testing::Background>(
        testing::Command{.argv = argv, .directory = scratch_.path()}, scratch_ / "sandbox.log");
    sandbox_->wait_for("ready\n");
    for (const std::string& line : split(sandbox_->log(), '\n'))
      if (line.starts_with(service_.type + " ")) url_ = line.substr(service_.type.size() + 1);
  }

  std::unique_ptr<sync::Destination> destination() override {
    const auto types = connectors::declarative_destinations(scratch_ / "connectors");
    const auto type =
        std::find_if(types.begin(), types.end(), [&](const auto& t) { return t.type == service_.type; });
    return make_destination(*type, fmt::format("{{base_url: '{}', {}}}", url_, service_.credentials),
                            scratch_.path());
  }

  Target make_object(std::size_t) override {
    ask("POST", "reset");
    return service_.target;
  }

  Value key_value(const Column&, int n) const override {
    return Value::text(fmt::format("key-{:05}{}", n, service_.key_is_email ? "@example.com" : ""));
  }

  void spoil(const Target&, Change& change) const override {
    change.fields[service_.spoilt_field] = Value::text(service_.spoilt_value);
  }

  json rows(const Target& target) override {
    const json answer = ask("GET", fmt::format("{}/{}?limit=10000", service_.type, target.object));
    json rows = json::array();
    for (const json& record : answer.at("records")) {
      json row;
      // What the test did not map stays to be compared; names with _ are the sandbox's own.
      for (const auto& [name, value] : record.items())
        if (!name.starts_with("_")) row[name] = text(value);
      for (const Schema* columns : {&target.key, &target.fields})
        for (const Column& column : *columns) row[column.name] = text(find(record, column.name));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  void take_down() override { sandbox_.reset(); }

  void lose_the_next_answer() override {
    ask("POST", "faults", {{service_.type + ".drop_after_apply", {{"rate", 1}, {"times", 1}}}});
  }

  bool supports(sync::Removal removal) const override {
    return removal == sync::Removal::erase     ? service_.erases
           : removal == sync::Removal::archive ? service_.archives
                                               : true;
  }

 private:
  json ask(const std::string& method, const std::string& path, const json& body = {}) {
    http::Request request;
    request.method = method;
    request.url = url_ + "/_sandbox/" + path;
    if (!body.is_null()) request.body = body.dump();
    const http::Result result = client_.send(request);
    if (!result) throw std::runtime_error(result.error().message);
    if (result->status != 200) throw std::runtime_error(path + ": " + result->body);
    return json::parse(result->body);
  }
  static json find(const json& record, const std::string& dotted_name) {
    const json* at = &record;
    for (const std::string& part : split(dotted_name, '.')) {
      if (!at->is_object() || !at->contains(part)) return nullptr;
      at = &(*at)[part];
    }
    return *at;
  }
  static json text(const json& value) {
    if (value.is_null() || value.is_string()) return value;
    return value.is_number_float() ? fmt::format("{}", value.get<double>()) : value.dump();
  }

  testing::Scratch scratch_;
  Service service_;
  std::string url_;
  http::Client client_;
  std::unique_ptr<testing::Background> sandbox_;
};

Service hubspot() {
  return {.type = "hubspot",
          .credentials = "token: pat-sandbox-token",
          .target = {.object = "contacts",
                     .key = {{"email", Type::text}},
                     .fields = {{"jobtitle", Type::text},
                                {"customer_health", Type::text},
                                {"ltv", Type::decimal},
                                {"at_risk", Type::boolean}}},
          .archives = true,
          .spoilt_field = 1,
          .spoilt_value = "splendid",  // no option of the property
          .key_is_email = true};
}

Service salesforce() {
  return {.type = "salesforce",
          .credentials = "client_id: sandbox-client, client_secret: sandbox-secret",
          .target = {.object = "Contact",
                     .key = {{"External_Id__c", Type::text}},
                     .fields = {{"Description", Type::text},
                                {"LastName", Type::text},
                                {"Email", Type::text},
                                {"Lifetime_Value__c", Type::decimal},
                                {"Birthdate", Type::date}},
                     .required = {"LastName"},
                     .other_keys = {"Email"}},
          .erases = true,
          .spoilt_field = 2,
          .spoilt_value = "nobody at example"};
}

Service marketo() {
  return {.type = "marketo",
          .credentials = "client_id: sandbox-client, client_secret: sandbox-secret",
          .target = {.object = "leads",
                     .key = {{"externalId", Type::text}},
                     .fields = {{"notes", Type::text},
                                {"email", Type::text},
                                {"leadScore", Type::integer},
                                {"lifetimeValue", Type::decimal},
                                {"atRisk", Type::boolean}},
                     .other_keys = {"email"}},
          .erases = true,
          .spoilt_field = 1,
          .spoilt_value = "nobody at example"};
}

Service zendesk() {
  return {.type = "zendesk",
          .credentials = "email: agent@example.com, api_token: sandbox-api-token, requests_per_minute: 2500",
          .target = {.object = "users",
                     .key = {{"external_id", Type::text}},
                     .fields = {{"details", Type::text},
                                {"name", Type::text},
                                {"email", Type::text},
                                {"user_fields.ltv", Type::decimal},
                                {"user_fields.lead_score", Type::integer},
                                {"user_fields.at_risk", Type::boolean}},
                     .required = {"name"},
                     .other_keys = {"email"}},
          .archives = true,
          .spoilt_field = 2,
          .spoilt_value = "nobody at example"};
}

using Waivers = std::map<std::string, std::string>;

Waivers of_every_service() {
  return {
      {"EveryPartOfACompositeKeyCounts", "the service matches a record by exactly one field"},
      {"ReadsByEveryPartOfACompositeKey", "the service matches a record by exactly one field"},
      {"OpenRefusesUnknownObjectsFieldsAndKeys",
       "asking the service is describe()'s work, and sync checks object and fields with it before it opens; "
       "open() "
       "knows what the connector lists, and a key that identifies nothing is refused by the service"},
      {"RealsAreKeptOrRejected", "the service has no type that promises every bit of a double"},
      {"OrdinaryTimesAreKept", "the service keeps times to the millisecond, the second or the day"},
      {"FarTimesAreKeptOrRejected", "the service keeps times to the millisecond, the second or the day"},
      {"JsonIsKept", "the service has no field that holds any JSON"},
      {"BytesAreKept", "the service has no field that holds bytes"},
  };
}

constexpr auto blank_text = "an empty or blank text is no value there, and blanks around a text are cut off";
constexpr auto no_dates = "the target has no field that keeps a day without a time";

NamedSubject subject(const std::string& name, Service (*service)(), Waivers waivers) {
  waivers.merge(of_every_service());
  return {.name = name,
          .available = [] { return true; },
          .missing = "",
          .make = [service] { return std::make_unique<SaasSubject>(service()); },
          .waivers = std::move(waivers)};
}

}  // namespace

std::vector<NamedSubject> saas_subjects() {
  return {
      subject("HubSpot", hubspot,
              {{"TextIsKeptWhateverItLooksLike", blank_text},
               {"EmptyTextIsNotNull", blank_text},
               {"OrdinaryIntegersAreKept", "a number property is described as a decimal"},
               {"IntegersOf64BitsAreKept", "a number property is described as a decimal"},
               {"OrdinaryDatesAreKept", no_dates},
               {"FarDatesAreKeptOrRejected", no_dates}}),
      subject("Salesforce", salesforce,
              {{"TextIsKeptWhateverItLooksLike", blank_text},
               {"EmptyTextIsNotNull", blank_text},
               {"OrdinaryIntegersAreKept", "a whole number is a double without decimals there"},
               {"IntegersOf64BitsAreKept", "a whole number is a double without decimals there"},
               {"DecimalsKeepTheirDigitsOrAreRejected", "a number is rounded to the scale of its field"},
               {"BooleansAreKept", "a checkbox is never null, and the suite leaves fields empty"},
               {"InsertOfAnExistingKeyIsRejected",
                "an external id is unique only where the field is declared so; else insert adds another "
                "record"}}),
      subject("Marketo", marketo,
              {{"TextIsKeptWhateverItLooksLike", blank_text},
               {"EmptyTextIsNotNull", blank_text},
               {"IntegersOf64BitsAreKept", "a whole number has 32 bits there"},
               {"DecimalsKeepTheirDigitsOrAreRejected", "a number is kept as a double"},
               {"OrdinaryDatesAreKept", no_dates},
               {"FarDatesAreKeptOrRejected", no_dates}}),
      subject("Zendesk", zendesk,
              {{"IntegersOf64BitsAreKept", "a whole number is kept as a double"},
               {"DecimalsKeepTheirDigitsOrAreRejected", "a number is kept as a double"},
               {"OrdinaryDatesAreKept", no_dates},
               {"FarDatesAreKeptOrRejected", no_dates}}),
  };
}

}  // namespace eddy::conformance
