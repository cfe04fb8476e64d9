#include "connectors/webhook/writer.h"

#include "core/error.h"

namespace eddy::connectors {

namespace {
constexpr std::size_t batch_bytes_max =
    1U << 20;  // what ordinary receivers take; a larger one answers 413 and is halved
}

WebhookWriter::WebhookWriter(std::shared_ptr<Endpoint> endpoint, sync::Delivery delivery,
                             WebhookOptions options)
    : endpoint_(std::move(endpoint)),
      delivery_(std::move(delivery)),
      options_(std::move(options)),
      opened_at_(format_utc(std::chrono::floor<std::chrono::milliseconds>(endpoint_->clock().now()))) {}

sync::Limits WebhookWriter::limits() const {
  return {options_.batch, batch_bytes_max, endpoint_->settings().concurrency};
}

WebhookWriter::Rendered WebhookWriter::render(std::span<const Change> changes) const {
  Rendered out;
  out.verdicts.resize(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    MessageRow row = render_row(delivery_, changes[i]);
    if (row.unusable) {
      out.verdicts[i] = *row.unusable;
      continue;
    }
    out.rows.push_back(std::move(row));
    out.places.push_back(i);
  }
  return out;
}

WebhookMessage WebhookWriter::message(const Rendered& rendered, Operation operation) const {
  return render_message(delivery_, opened_at_, rendered.rows, options_.batch == 1,
                        event_of(delivery_, operation));
}

sync::Answer WebhookWriter::deliver(std::span<const Change> changes) {
  sync::Answer answer;
  if (changes.empty()) return answer;
  if (changes.front().operation == Operation::remove && delivery_.removed == sync::Removal::ignore)
    throw Error("destination.unsupported", "removals were sent, but the sync ignores them");
  Rendered rendered = render(changes);
  answer.verdicts = std::move(rendered.verdicts);
  if (rendered.rows.empty()) return answer;
  const auto give_all = [&](const Verdict& verdict) {
    for (const std::size_t place : rendered.places) answer.verdicts[place] = verdict;
  };
  const Reception reception = endpoint_->send(message(rendered, changes[rendered.places.front()].operation));
  switch (reception.kind) {
    case Reception::Kind::accepted: {
      if (!options_.answers) {
        give_all(Verdict::applied());
        break;
      }
      auto verdicts = read_answers(*reception.reply, *options_.answers, rendered.rows);
      for (std::size_t i = 0; i < verdicts.size(); ++i)
        answer.verdicts[rendered.places[i]] = std::move(verdicts[i]);
      break;
    }
    case Reception::Kind::refused:
      give_all(Verdict::rejected(reception.code, reception.message));
      answer.refused_whole = true;
      break;
    case Reception::Kind::later:
      give_all(Verdict::retry(reception.code, reception.message));
      answer.retry_after = reception.wait;
      answer.held_back = reception.held_back && rendered.rows.size() == changes.size();
      break;
    case Reception::Kind::lost:
      give_all(Verdict::in_doubt(reception.code, reception.message));
      answer.retry_after = reception.wait;
      break;
  }
  return answer;
}

std::vector<std::string> WebhookWriter::preview(std::span<const Change> changes) {
  std::vector<std::string> out;
  for (std::size_t start = 0; start < changes.size(); start += options_.batch) {
    const Rendered rendered =
        render(changes.subspan(start, std::min(options_.batch, changes.size() - start)));
    if (!rendered.rows.empty())
      out.push_back(endpoint_->show(message(rendered, changes[start + rendered.places.front()].operation)));
  }
  return out;
}

}  // namespace eddy::connectors
