#include "connectors/declarative/pack_writer.h"

#include <fmt/format.h>

#include "connectors/declarative/discovery.h"
#include "connectors/declarative/outcome.h"
#include "connectors/declarative/row_answers.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

void give_all(std::vector<Verdict>& verdicts, const std::vector<std::size_t>& places,
              const Verdict& verdict) {
  for (const std::size_t place : places) verdicts[place] = verdict;
}

std::string name_of_part(std::size_t part) { return fmt::format("part{}", part); }

}  // namespace

PackWriter::PackWriter(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session,
                       sync::Delivery delivery, const OperationSpec& write,
                       std::unique_ptr<DeclarativeWriter> alone)
    : spec_(std::move(spec)),
      session_(std::move(session)),
      delivery_(std::move(delivery)),
      write_(write),
      alone_(std::move(alone)) {}

sync::Limits PackWriter::limits() const {
  sync::Limits out = alone_->limits();
  out.removes_max = out.batch_rows_max;
  out.batch_rows_max = write_.rows_max * write_.pack->most;
  return out;
}

Lookup PackWriter::lookup() const {
  return [this, outer = object_lookup(*spec_, *session_, delivery_.object)](
             std::string_view name) -> std::optional<json> {
    if (name == "key.field") return json(delivery_.key.front().name);
    return outer(name);
  };
}

std::string PackWriter::envelope(const std::vector<Part>& parts) const {
  const Lookup outer = lookup();
  // The bodies are text already; a mark stands for each until the rest is written.
  const auto mark = [](std::size_t part) { return fmt::format("\x01{}", part); };
  const auto of_part = [&](std::size_t part) -> Lookup {
    return [&, part](std::string_view name) -> std::optional<json> {
      if (name == "part.method") return json(write_.request.method);
      if (name == "part.id") return json(name_of_part(part));
      if (name == "part.body") return json(mark(part));
      if (name == "part.url") return json(build_request(write_.request, "", outer, Content()).url);
      return outer(name);
    };
  };
  std::string text = write_.pack->request.body.render(outer, parts.size(), of_part).dump();
  std::string out;
  std::size_t at = 0;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const std::string written = json(mark(part)).dump();
    const std::size_t place = text.find(written, at);
    if (place == std::string::npos) continue;
    out += text.substr(at, place - at);
    out += parts[part].content.text;
    at = place + written.size();
  }
  return out + text.substr(at);
}

const json* PackWriter::answer_to(const Reply& reply, std::size_t part) const {
  const json* items = reply.json ? at(*reply.json, write_.pack->items) : nullptr;
  if (items == nullptr || !items->is_array()) return nullptr;
  const json* found = nullptr;
  for (const json& item : *items) {
    const json* id = at(item, write_.pack->id);
    if (id == nullptr || !id->is_string() || id->get_ref<const std::string&>() != name_of_part(part))
      continue;
    if (found != nullptr) return nullptr;  // twice: nobody knows which one holds
    found = &item;
  }
  return found;
}

void PackWriter::deliver_halves(std::span<const Change> changes, std::vector<Verdict>& verdicts) {
  const sync::Answer answer = alone_->deliver(changes);
  if (!answer.refused_whole || changes.size() == 1) {
    verdicts.insert(verdicts.end(), answer.verdicts.begin(), answer.verdicts.end());
    return;
  }
  deliver_halves(changes.subspan(0, changes.size() / 2), verdicts);
  deliver_halves(changes.subspan(changes.size() / 2), verdicts);
}

void PackWriter::read(const json& item, Part& part) {
  const json* status = at(item, write_.pack->status);
  const json* body = at(item, write_.pack->body);
  http::Response response;
  response.status = status != nullptr && status->is_number_integer() ? status->get<int>() : 0;
  if (body != nullptr && !body->is_null()) response.body = body->dump();
  const Reply reply(std::move(response));
  if (processed(reply, write_.outcome)) {
    auto verdicts =
        read_rows(reply, write_.outcome, write_.errors, part.batch.rows, lookup(),
                  Verdict::in_doubt("no_answer_for_row", "the reply does not say what became of this row"));
    for (std::size_t i = 0; i < verdicts.size(); ++i)
      part.verdicts[part.batch.place[i]] = std::move(verdicts[i]);
    return;
  }
  const Refusal refusal = classify(reply, write_.errors, session_->clock().now());
  switch (refusal.error_class) {
    case ErrorClass::unsure:
      return give_all(part.verdicts, part.batch.place, Verdict::in_doubt(refusal.code, refusal.message));
    case ErrorClass::done:
      return give_all(part.verdicts, part.batch.place, Verdict::applied());
    case ErrorClass::row:
      part.verdicts.clear();
      try {
        return deliver_halves(part.changes, part.verdicts);
      } catch (const Error& e) {
        // Other parts have been applied: their verdicts must not be lost.
        part.verdicts.resize(part.changes.size(), Verdict::retry(e.code(), for_people(e.message())));
        return;
      }
    default:
      // Alone it will be met again, with everything that follows from it.
      return give_all(part.verdicts, part.batch.place, Verdict::retry(refusal.code, refusal.message));
  }
}

sync::Answer PackWriter::deliver(std::span<const Change> changes) {
  if (changes.size() <= write_.rows_max || changes.front().operation == Operation::remove)
    return alone_->deliver(changes);
  std::vector<Part> parts;
  for (std::size_t start = 0; start < changes.size(); start += write_.rows_max) {
    Part& part = parts.emplace_back();
    part.changes = changes.subspan(start, std::min(write_.rows_max, changes.size() - start));
    part.batch = alone_->body_of(part.changes, part.content);
    part.verdicts = std::move(part.batch.verdicts);
    // One in which nothing can be sent has no request.
    if (part.batch.rows.empty()) return alone_->deliver(changes);
  }
  sync::Answer answer;
  const auto give = [&](const Verdict& verdict) {
    for (Part& part : parts) give_all(part.verdicts, part.batch.place, verdict);
  };
  const Called called = session_->call(
      write_.pack->request, json_content(envelope(parts)), lookup(),
      [](const Reply& reply) { return reply.success_status(); }, write_.errors, write_.idempotent);
  switch (called.kind) {
    case Called::Kind::answered:
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (const json* item = answer_to(*called.reply, i); item != nullptr)
          read(*item, parts[i]);
        else
          give_all(parts[i].verdicts, parts[i].batch.place,
                   Verdict::in_doubt("no_answer_for_row", "the reply does not answer this row's request"));
      }
      break;
    case Called::Kind::lost:
      give(Verdict::in_doubt(called.refusal.code, called.refusal.message));
      answer.retry_after = called.refusal.wait;
      break;
    case Called::Kind::refused:
      give(called.refusal.error_class == ErrorClass::row
               ? Verdict::rejected(called.refusal.code, called.refusal.message)
               : Verdict::retry(called.refusal.code, called.refusal.message));
      answer.refused_whole = called.refusal.error_class == ErrorClass::row;
      answer.retry_after = called.refusal.wait;
      break;
    case Called::Kind::held:
    case Called::Kind::not_sent:
      give(Verdict::retry(called.refusal.code, called.refusal.message));
      answer.held_back = called.kind == Called::Kind::held;
      answer.retry_after = called.refusal.wait;
      break;
  }
  if (std::string note = session_->take_note(); !note.empty()) answer.notes.push_back(std::move(note));
  for (Part& part : parts)
    for (Verdict& verdict : part.verdicts) answer.verdicts.push_back(std::move(verdict));
  return answer;
}

}  // namespace eddy::connectors
