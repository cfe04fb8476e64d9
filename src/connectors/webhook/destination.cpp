#include "connectors/webhook/destination.h"

#include <fmt/format.h>

#include "connectors/webhook/writer.h"
#include "core/error.h"
#include "core/text.h"
#include "transport/http/client.h"

namespace eddy::connectors {
namespace {

using config::Shape;

// The standard's recommendation: [a-zA-Z0-9_] in parts with full stops between them.
bool is_event_type(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; });
}

class WebhookDestination final : public sync::Destination {
 public:
  explicit WebhookDestination(std::shared_ptr<Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}

  std::string check() override { return endpoint_->reach(); }
  std::vector<std::string> objects() override { return {}; }
  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    if (!is_event_type(object)) return std::nullopt;
    return sync::ObjectSchema{.name = object, .fields = {}, .open = true};
  }

  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    if (!is_event_type(delivery.object))
      throw Error("destination.no_such_object",
                  fmt::format("`{}` cannot be the type of an event", delivery.object),
                  "use letters, digits, _ and full stops, like crm.contact");
    check_names(delivery);
    WebhookOptions options;
    if (const config::Node batch = delivery.options["batch"]; batch.exists()) {
      if (batch.as_integer() < 1 || batch.as_integer() > 10'000)
        batch.fail("destination.options", "webhook: `batch` is between 1 and 10,000");
      options.batch = static_cast<std::size_t>(batch.as_integer());
    }
    if (delivery.options["answers"].exists())
      options.answers = AnswersSpec::parse(delivery.options["answers"]);
    return std::make_unique<WebhookWriter>(endpoint_, delivery, std::move(options));
  }

 private:
  // `address` cannot be a value and an object at once.
  static void check_names(const sync::Delivery& delivery) {
    for (const Schema* columns : {&delivery.key, &delivery.fields})
      for (const Column& outer : *columns)
        for (const Column& inner : *columns)
          if (inner.name.starts_with(outer.name + "."))
            throw Error("destination.unsupported",
                        fmt::format("`{}` and `{}` cannot both be sent: one lies within the other",
                                    outer.name, inner.name),
                        "rename one of them in the sync");
  }

  std::shared_ptr<Endpoint> endpoint_;
};

// The name is the one that declarative connectors use: whoever speaks to a connection shares its budget.
std::filesystem::path pace_file(const sync::Surroundings& surroundings) {
  if (surroundings.pace_folder.empty() || surroundings.connection.empty()) return {};
  return surroundings.pace_folder / (percent_encode(surroundings.connection) + ".pace");
}

config::Field with_default(config::Field field, std::string text) {
  field.default_text = std::move(text);
  return field;
}

Shape settings_shape() {
  using config::field;
  return Shape::object(
      {config::required("url", Shape::string(), "where the messages go"),
       config::secret(
           "secret",
           "whsec_… (base64): signs every message as Standard Webhooks has it; several with commas between "
           "them while one replaces another",
           false),
       field("headers", Shape::map(Shape::string()),
             "further headers of every request, for example Authorization"),
       with_default(field("method", Shape::enumeration({"POST", "PUT", "PATCH"}), "HTTP method"), "POST"),
       with_default(field("timeout", Shape::duration(), "longest time for one request"), "30s"),
       field("rate", Shape::list(Shape::string()),
             "most requests in a time: 50/s, 1000/m; or a list of such"),
       with_default(field("concurrency", Shape::integer(), "requests at a time"), "4"),
       with_default(field("allow_http", Shape::boolean(), "permit unencrypted http:// to another machine"),
                    "false")});
}

}  // namespace

std::unique_ptr<sync::Destination> webhook_over(EndpointSettings settings, Clock& clock, const Cancel& cancel,
                                                std::unique_ptr<http::Exchange> exchange,
                                                std::filesystem::path pace_file) {
  return std::make_unique<WebhookDestination>(std::make_shared<Endpoint>(
      std::move(settings), clock, cancel, std::move(exchange), std::move(pace_file)));
}

sync::DestinationType webhook_destination() {
  return {.type = "webhook",
          .summary = "Any HTTP endpoint, signed as Standard Webhooks has it",
          .settings = settings_shape(),
          .options = Shape::object(
              {with_default(config::field("batch", Shape::integer(), "rows in one request"), "1"),
               config::field("answers", AnswersSpec::shape(),
                             "how the reply tells what became of each row (default: 2xx applies all)")}),
          .make = [](const config::Node& settings, const sync::Surroundings& surroundings) {
            http::ClientOptions options;
            options.allow_http = settings["allow_http"].exists() && settings["allow_http"].as_boolean();
            return webhook_over(EndpointSettings::read(settings), surroundings.clock, surroundings.cancel,
                                std::make_unique<http::Client>(options), pace_file(surroundings));
          }};
}

}  // namespace eddy::connectors
