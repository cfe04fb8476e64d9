#include <fmt/format.h>

#include "conformance/subject.h"
#include "connectors/webhook/destination.h"
#include "connectors/webhook/testing_receiver.h"
#include "support/scratch.h"

namespace eddy::conformance {
namespace {

using json = testing::WebhookReceiver::json;

constexpr const char* secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

// A receiver that keeps records, and refuses a negative score. One row per request, or many with answers row
// by row.
class WebhookSubject final : public Subject {
 public:
  explicit WebhookSubject(std::string options)
      : options_(std::move(options)), receiver_(std::make_unique<testing::WebhookReceiver>(secret)) {}

  std::unique_ptr<sync::Destination> destination() override {
    return make_destination(connectors::webhook_destination(),
                            fmt::format("{{url: '{}', secret: {}}}", receiver_->url(), secret),
                            scratch_.path());
  }
  config::Node options() const override {
    Diagnostics diagnostics;
    return config::parse(options_, "syncs/test.yml", config::no_variables(), diagnostics);
  }

  Target make_object(std::size_t key_columns) override {
    receiver_->clear();
    Target target{.object = "crm.target",
                  .key = {{"k1", Type::text}},
                  .fields = {{"words", Type::text},
                             {"number", Type::integer},
                             {"amount", Type::decimal},
                             {"share", Type::real},
                             {"flag", Type::boolean},
                             {"day", Type::date},
                             {"at", Type::timestamp},
                             {"doc", Type::json},
                             {"bytes", Type::blob},
                             {"score", Type::integer}}};
    if (key_columns > 1) target.key.push_back({"k2", Type::integer});
    return target;
  }

  void spoil(const Target&, Change& change) const override { change.fields.back() = Value::integer(-1); }

  nlohmann::json rows(const Target& target) override {
    nlohmann::json rows = nlohmann::json::array();
    for (const auto& [key, fields] : receiver_->records()) {
      nlohmann::json row;
      const json parts = json::parse(key);
      for (const Column& column : target.key) row[column.name] = text(parts.at(column.name), column.type);
      for (const Column& column : target.fields)
        row[column.name] = fields.contains(column.name) ? text(fields.at(column.name), column.type) : nullptr;
      rows.push_back(std::move(row));
    }
    return rows;
  }

  void take_down() override { receiver_->stop(); }
  void lose_the_next_answer() override { receiver_->lose_the_next_answer(); }
  bool supports(sync::Removal) const override { return true; }

 private:
  static nlohmann::json text(const json& value, Type type) {
    // In a JSON body the JSON null and no value at all are the same word.
    if (type == Type::json) return value.dump();
    if (value.is_null()) return nullptr;
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  testing::Scratch scratch_;
  std::string options_;
  std::unique_ptr<testing::WebhookReceiver> receiver_;
};

NamedSubject subject(const std::string& name, const std::string& options) {
  return {.name = name,
          .available = [] { return true; },
          .missing = "",
          .make = [options] { return std::make_unique<WebhookSubject>(options); },
          .waivers =
              {{"ListsAndDescribesItsObjects",
                "an endpoint cannot be asked what it knows; any fields may be sent"},
               {"OpenRefusesUnknownObjectsFieldsAndKeys",
                "an endpoint cannot be asked what it knows; any fields may be sent. What is no event type is "
                "refused: "
                "HasNoWordForAnUnknownObject"},
               {"AnInsertWhoseAnswerIsLostIsInDoubt",
                "every message carries an id by which the receiver knows it, so an insert may be repeated: "
                "Webhook.ALostAnswerIsSentAgainUnderTheSameIdAndCountsOnce"}}};
}

}  // namespace

std::vector<NamedSubject> webhook_subjects() {
  return {
      subject("Webhook", "{}"),
      subject(
          "WebhookBatch",
          "{batch: 40, answers: {rows: /results, status: /status, applied: updated, created: created, code: "
          "/error/code, message: /error/message, id: /record/id, echo: /ref}}")};
}

}  // namespace eddy::conformance
