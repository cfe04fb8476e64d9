// One run of one sync against a declarative destination: changes in, requests out, verdicts back.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/body_form.h"
#include "connectors/declarative/cells.h"
#include "connectors/declarative/session.h"
#include "connectors/declarative/spec.h"
#include "sync/destination.h"

namespace eddy::connectors {

// The destination's ids of rows, by Change::number, where a branch has found them ({row.id}).
using RowIds = std::map<std::uint64_t, std::string>;

class DeclarativeWriter final : public sync::Writer {
 public:
  // `write` and `remove` (nullptr: removals are not sent) belong to `spec`.
  DeclarativeWriter(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session,
                    sync::Delivery delivery, const OperationSpec& write, const OperationSpec* remove);

  sync::Limits limits() const override;
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override;
  // The same for a branch: with the ids it has found, and never refused as a whole. A row that is refused
  // because its record is there already has that record's id in its verdict.
  sync::Answer deliver_found(std::span<const Change> changes, const RowIds& ids);
  std::vector<std::string> preview_found(std::span<const Change> changes, const RowIds& ids);
  // The body that carries these changes, for others to send.
  RenderedBatch body_of(std::span<const Change> changes, Content& content) const {
    return write_body(operation_for(changes), changes, nullptr, content);
  }
  bool inserts_are_repeatable() const override {
    return delivery_.mode == sync::Mode::insert && write_.idempotent;
  }

 private:
  const OperationSpec& operation_for(std::span<const Change> changes) const;
  std::optional<BodyForm> form_for(const OperationSpec& operation) const;
  // The rows as documents.
  RenderedBatch render(std::span<const Change> changes, const RowIds* ids) const;
  // The rows and the body that carries them, by the fastest way there is.
  RenderedBatch write_body(const OperationSpec& operation, std::span<const Change> changes, const RowIds* ids,
                           Content& content) const;
  // What is the same for all rows.
  std::optional<nlohmann::json> constant(std::string_view name) const;
  Lookup batch_lookup(const OperationSpec& operation, const std::vector<RenderedRow>& rows) const;
  Lookup row_lookup(const std::vector<RenderedRow>& rows, std::size_t index) const;
  nlohmann::json body(const OperationSpec& operation, const std::vector<RenderedRow>& rows) const;
  // Rows without an answer, because a failure names none of them, are sent again in smaller parts.
  void send_unanswered(const OperationSpec& operation, std::span<const Change> changes, const RowIds* ids,
                       const std::vector<std::size_t>& unanswered, sync::Answer& answer);
  // One request.
  sync::Answer deliver_one(const OperationSpec& operation, std::span<const Change> changes,
                           const RowIds* ids);
  // As many requests as the operation's own batch size needs, one after the other.
  void deliver_parts(const OperationSpec& operation, std::span<const Change> changes, const RowIds* ids,
                     sync::Answer& answer);
  std::vector<std::string> show(std::span<const Change> changes, const RowIds* ids) const;

  std::shared_ptr<const Spec> spec_;
  std::shared_ptr<Session> session_;
  sync::Delivery delivery_;
  const OperationSpec& write_;
  const OperationSpec* remove_;
  std::map<std::string, std::string> object_values_;
  Options options_;
  std::optional<BodyForm> write_form_, remove_form_;  // nullopt: as a document
};

}  // namespace eddy::connectors
