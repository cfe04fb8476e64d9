// Several requests in an envelope that a service counts as one (`batch: {pack: …}`).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/writer.h"

namespace eddy::connectors {

// Packs what is written where a batch needs more than one request; everything else goes through `alone`.
// Every request in the envelope is answered by itself, as if it had come alone.
class PackWriter final : public sync::Writer {
 public:
  PackWriter(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session, sync::Delivery delivery,
             const OperationSpec& write, std::unique_ptr<DeclarativeWriter> alone);

  sync::Limits limits() const override;
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override {
    return alone_->preview(changes);
  }
  bool inserts_are_repeatable() const override { return alone_->inserts_are_repeatable(); }

 private:
  struct Part {
    std::span<const Change> changes;
    Content content;
    RenderedBatch batch;
    std::vector<Verdict> verdicts;
  };
  std::string envelope(const std::vector<Part>& parts) const;
  // One answer in the envelope's reply; nullptr: there is none for this part.
  const nlohmann::json* answer_to(const Reply& reply, std::size_t part) const;
  void read(const nlohmann::json& item, Part& part);
  // Until the row that the service refuses a whole request for stands alone.
  void deliver_halves(std::span<const Change> changes, std::vector<Verdict>& verdicts);
  Lookup lookup() const;

  std::shared_ptr<const Spec> spec_;
  std::shared_ptr<Session> session_;
  sync::Delivery delivery_;
  const OperationSpec& write_;
  std::unique_ptr<DeclarativeWriter> alone_;
};

}  // namespace eddy::connectors
