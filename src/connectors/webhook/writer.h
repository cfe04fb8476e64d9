// Sends the changes of one sync as webhooks. Thread-safe: all it has is fixed, and the Endpoint is
// thread-safe.
#pragma once

#include <memory>

#include "connectors/webhook/answers.h"
#include "connectors/webhook/endpoint.h"
#include "sync/destination.h"

namespace eddy::connectors {

struct WebhookOptions {
  std::size_t batch = 1;  // rows per request; with 1, `data` is an object, else a list
  std::optional<AnswersSpec> answers;
};

class WebhookWriter final : public sync::Writer {
 public:
  WebhookWriter(std::shared_ptr<Endpoint> endpoint, sync::Delivery delivery, WebhookOptions options);

  sync::Limits limits() const override;
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override;
  // Every message has an id that never changes, by which a receiver knows what it has had.
  bool inserts_are_repeatable() const override { return true; }

 private:
  struct Rendered {
    std::vector<MessageRow> rows;     // those that can be sent
    std::vector<std::size_t> places;  // of them in the batch
    std::vector<Verdict> verdicts;    // one per change; of the others it says why not
  };
  Rendered render(std::span<const Change> changes) const;
  WebhookMessage message(const Rendered& rendered, Operation operation) const;

  std::shared_ptr<Endpoint> endpoint_;
  sync::Delivery delivery_;
  WebhookOptions options_;
  std::string opened_at_;  // the time of the events: retries of the run repeat it
};

}  // namespace eddy::connectors
