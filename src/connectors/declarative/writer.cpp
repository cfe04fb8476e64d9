#include "connectors/declarative/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/object_name.h"
#include "connectors/declarative/row_answers.h"
#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

// What a refused request means for its rows.
Verdict verdict_of(const Refusal& refusal) {
  switch (refusal.error_class) {
    case ErrorClass::done:
      return Verdict::applied();
    case ErrorClass::row:
      return Verdict::rejected(refusal.code, refusal.message);
    default:
      return Verdict::retry(refusal.code, refusal.message);
  }
}

bool names_a_row_alone(const OutcomeSpec& outcome) {
  return std::any_of(outcome.rows.begin(), outcome.rows.end(), [](const RowsSpec& list) {
    return std::any_of(list.match.begin(), list.match.end(),
                       [](const MatchSpec& match) { return match.by == MatchSpec::By::alone; });
  });
}

}  // namespace

DeclarativeWriter::DeclarativeWriter(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session,
                                     sync::Delivery delivery, const OperationSpec& write,
                                     const OperationSpec* remove)
    : spec_(std::move(spec)),
      session_(std::move(session)),
      delivery_(std::move(delivery)),
      write_(write),
      remove_(remove) {
  object_values_ = object_words(*spec_, delivery_.object);
  options_ = Options(*spec_, session_->lookup(), delivery_.object, delivery_.options);
  write_form_ = form_for(write_);
  if (remove_ != nullptr) remove_form_ = form_for(*remove_);
}

// Where nothing but the body speaks of rows, their text is all that is needed of them.
std::optional<BodyForm> DeclarativeWriter::form_for(const OperationSpec& operation) const {
  const RequestSpec& request = operation.request;
  std::vector<std::string> names = request.url.names();
  const auto also = [&](const Template& text) {
    for (std::string& name : text.names()) names.push_back(std::move(name));
  };
  for (const auto& [name, value] : request.query) also(value);
  for (const auto& [name, value] : request.headers) also(value);
  for (const RowsSpec& list : operation.outcome.rows) {
    also(list.items);
    for (const MatchSpec& match : list.match) also(match.pointer);
  }
  if (request.encoding != RequestSpec::Encoding::json ||
      std::any_of(names.begin(), names.end(),
                  [](const std::string& name) { return name.starts_with("row"); }))
    return std::nullopt;
  return BodyForm::compile(
      request.body, [this](std::string_view name) { return constant(name); }, operation.rows_max == 1,
      delivery_.key, delivery_.fields);
}

sync::Limits DeclarativeWriter::limits() const {
  return {write_.rows_max, write_.bytes_max, spec_->limits.concurrency};
}

const OperationSpec& DeclarativeWriter::operation_for(std::span<const Change> changes) const {
  if (changes.front().operation != Operation::remove) return write_;
  if (remove_ == nullptr)
    throw Error("destination.unsupported",
                fmt::format("{}: removals are not delivered by this sync", delivery_.sync),
                "set `removed:` in the sync");
  return *remove_;
}

RenderedBatch DeclarativeWriter::render(std::span<const Change> changes, const RowIds* ids) const {
  RenderedBatch batch;
  batch.verdicts.resize(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    RenderedRow row = render_row(changes[i], delivery_.key, delivery_.fields, spec_->transforms);
    row.idempotency_key = sync::idempotency_key(delivery_, changes[i]);
    if (ids != nullptr)
      if (const auto id = ids->find(changes[i].number); id != ids->end()) row.id = id->second;
    if (row.unusable) {
      batch.verdicts[i] = *row.unusable;
    } else {
      batch.rows.push_back(std::move(row));
      batch.place.push_back(i);
    }
  }
  return batch;
}

std::optional<json> DeclarativeWriter::constant(std::string_view name) const {
  if (name == "object") return json(delivery_.object);
  if (name == "key.field") return json(delivery_.key.front().name);
  if (name.starts_with("object."))
    if (const auto found = object_values_.find(std::string(name.substr(7))); found != object_values_.end())
      return json(found->second);
  if (auto option = options_.get(name)) return option;
  return session_->lookup()(name);
}

Lookup DeclarativeWriter::row_lookup(const std::vector<RenderedRow>& rows, std::size_t index) const {
  return [this, &rows, index](std::string_view name) -> std::optional<json> {
    if (!name.starts_with("row.")) return constant(name);
    const RenderedRow& row = rows[index];
    if (name == "row.key") return row.key;
    if (name == "row.fields") return row.fields;
    if (name == "row.all") return row.all;
    if (name == "row.trace") return json(row.trace);
    if (name == "row.idempotency_key") return json(row.idempotency_key);
    if (name == "row.index") return json(index);
    if (name == "row.id" && !row.id.empty()) return json(row.id);
    if (name.starts_with("row.key.") && row.key.is_object())
      if (const auto part = row.key.find(name.substr(8)); part != row.key.end()) return *part;
    return std::nullopt;
  };
}

Lookup DeclarativeWriter::batch_lookup(const OperationSpec& operation,
                                       const std::vector<RenderedRow>& rows) const {
  const Lookup one = row_lookup(rows, 0);
  const bool single = operation.rows_max == 1;
  return [one, single, &rows](std::string_view name) -> std::optional<json> {
    if (name == "rows.keys") {
      std::vector<std::string> keys;
      for (const RenderedRow& row : rows) keys.push_back(row.key_text);
      return json(join(keys, ","));
    }
    // Outside `each:` a row can only be meant where there is exactly one.
    if (name.starts_with("row.") && (!single || rows.empty())) return std::nullopt;
    return one(name);
  };
}

json DeclarativeWriter::body(const OperationSpec& operation, const std::vector<RenderedRow>& rows) const {
  if (operation.request.body.empty()) return {};
  return operation.request.body.render(batch_lookup(operation, rows), rows.size(),
                                       [&](std::size_t i) { return row_lookup(rows, i); });
}

RenderedBatch DeclarativeWriter::write_body(const OperationSpec& operation, std::span<const Change> changes,
                                            const RowIds* ids, Content& content) const {
  RenderedBatch batch;
  if (const auto& form = &operation == &write_ ? write_form_ : remove_form_; form && ids == nullptr) {
    const auto& lists = operation.outcome.rows;
    const bool named = std::any_of(lists.begin(), lists.end(), [](const RowsSpec& list) {
      return std::any_of(list.match.begin(), list.match.end(),
                         [](const MatchSpec& match) { return match.by == MatchSpec::By::echo; });
    });
    content = json_content(form->write(changes, spec_->transforms, named, batch));
    return batch;
  }
  batch = render(changes, ids);
  if (!batch.rows.empty()) content = encode(operation.request, body(operation, batch.rows));
  return batch;
}

sync::Answer DeclarativeWriter::deliver_one(const OperationSpec& operation, std::span<const Change> changes,
                                            const RowIds* ids) {
  sync::Answer answer;
  Content content;
  RenderedBatch batch = write_body(operation, changes, ids, content);
  answer.verdicts = std::move(batch.verdicts);
  if (batch.rows.empty()) return answer;
  const auto give_all = [&](const Verdict& verdict) {
    for (const std::size_t place : batch.place) answer.verdicts[place] = verdict;
  };
  const Lookup lookup = batch_lookup(operation, batch.rows);
  if (const std::size_t bytes = content.text.size();
      operation.bytes_max != 0 && bytes > operation.bytes_max) {
    give_all(Verdict::rejected("too_large", fmt::format("{} bytes in one request, {} takes {}", bytes,
                                                        spec_->title, operation.bytes_max)));
    answer.refused_whole = true;
    return answer;
  }
  const Called called = session_->call(
      operation.request, content, lookup,
      [&](const Reply& reply) { return processed(reply, operation.outcome); }, operation.errors,
      operation.idempotent);
  if (std::string note = session_->take_note(); !note.empty()) answer.notes.push_back(std::move(note));
  switch (called.kind) {
    case Called::Kind::answered: {
      const Verdict unknown =
          Verdict::in_doubt("no_answer_for_row", "the reply does not say what became of this row");
      bool unnamed = false;
      auto verdicts = read_rows(*called.reply, operation.outcome, operation.errors, batch.rows, lookup,
                                unknown, &unnamed);
      std::vector<std::size_t> unanswered;
      for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (verdicts[i].outcome == Outcome::in_doubt) unanswered.push_back(batch.place[i]);
        answer.verdicts[batch.place[i]] = std::move(verdicts[i]);
      }
      if (unnamed && names_a_row_alone(operation.outcome))
        send_unanswered(operation, changes, ids, unanswered, answer);
      break;
    }
    case Called::Kind::refused:
      give_all(verdict_of(called.refusal));
      answer.refused_whole = called.refusal.error_class == ErrorClass::row;
      // With one row in the request it is clear whose record is in the way.
      if (operation.conflict && answer.refused_whole && batch.rows.size() == 1 && called.reply)
        if (const auto id = id_in_the_way(*operation.conflict, *called.reply))
          answer.verdicts[batch.place.front()].destination_id = *id;
      answer.retry_after = called.refusal.wait;
      break;
    case Called::Kind::lost:
      give_all(Verdict::in_doubt(called.refusal.code, called.refusal.message));
      answer.retry_after = called.refusal.wait;
      break;
    case Called::Kind::held:
      answer.held_back = batch.rows.size() == changes.size();
      [[fallthrough]];
    case Called::Kind::not_sent:
      give_all(Verdict::retry(called.refusal.code, called.refusal.message));
      answer.retry_after = called.refusal.wait;
      break;
  }
  return answer;
}

void DeclarativeWriter::send_unanswered(const OperationSpec& operation, std::span<const Change> changes,
                                        const RowIds* ids, const std::vector<std::size_t>& unanswered,
                                        sync::Answer& answer) {
  if (!operation.idempotent || changes.size() < 2 || unanswered.empty()) return;
  std::vector<Change> again;
  for (const std::size_t place : unanswered) again.push_back(changes[place]);
  const std::span<const Change> all(again);
  sync::Answer parts;
  try {
    if (again.size() < changes.size()) {
      deliver_parts(operation, all, ids, parts);
    } else {
      deliver_parts(operation, all.first(all.size() / 2), ids, parts);
      deliver_parts(operation, all.subspan(all.size() / 2), ids, parts);
    }
  } catch (const Error&) {
    return;  // the others have been applied; the next call meets the cause at its start
  }
  for (std::size_t i = 0; i < unanswered.size(); ++i) {
    Verdict& before = answer.verdicts[unanswered[i]];
    // What was perhaps applied before is not made undone by an answer that was never given.
    if (parts.verdicts[i].outcome == Outcome::retry) continue;
    before = std::move(parts.verdicts[i]);
  }
  answer.retry_after = parts.retry_after;
  answer.notes.insert(answer.notes.end(), parts.notes.begin(), parts.notes.end());
}

void DeclarativeWriter::deliver_parts(const OperationSpec& operation, std::span<const Change> changes,
                                      const RowIds* ids, sync::Answer& answer) {
  const std::size_t end = answer.verdicts.size() + changes.size();
  for (std::size_t start = 0; start < changes.size();) {
    const auto part = changes.subspan(start, std::min(operation.rows_max, changes.size() - start));
    sync::Answer one;
    try {
      one = deliver_one(operation, part, ids);
    } catch (const Error& e) {
      // Parts before this one have been applied: their verdicts must not be lost. The next call meets the
      // cause at its start.
      if (answer.verdicts.empty()) throw;
      answer.verdicts.resize(end, Verdict::retry(e.code(), for_people(e.message())));
      return;
    }
    if (one.refused_whole && part.size() > 1) {
      deliver_parts(operation, part.subspan(0, part.size() / 2), ids, answer);
      deliver_parts(operation, part.subspan(part.size() / 2), ids, answer);
    } else {
      answer.verdicts.insert(answer.verdicts.end(), one.verdicts.begin(), one.verdicts.end());
      if (one.retry_after) answer.retry_after = one.retry_after;
      answer.notes.insert(answer.notes.end(), one.notes.begin(), one.notes.end());
    }
    start += part.size();
    if (answer.retry_after) {
      answer.verdicts.resize(end, Verdict::retry("held_back", "the service asked to wait"));
      return;
    }
  }
}

sync::Answer DeclarativeWriter::deliver(std::span<const Change> changes) {
  if (changes.empty()) return {};
  const OperationSpec& operation = operation_for(changes);
  if (changes.size() <= operation.rows_max) return deliver_one(operation, changes, nullptr);
  sync::Answer answer;
  deliver_parts(operation, changes, nullptr, answer);
  return answer;
}

sync::Answer DeclarativeWriter::deliver_found(std::span<const Change> changes, const RowIds& ids) {
  sync::Answer answer;
  if (!changes.empty()) deliver_parts(operation_for(changes), changes, &ids, answer);
  return answer;
}

std::vector<std::string> DeclarativeWriter::preview(std::span<const Change> changes) {
  return show(changes, nullptr);
}

std::vector<std::string> DeclarativeWriter::preview_found(std::span<const Change> changes,
                                                          const RowIds& ids) {
  return show(changes, &ids);
}

std::vector<std::string> DeclarativeWriter::show(std::span<const Change> changes, const RowIds* ids) const {
  std::vector<std::string> out;
  if (changes.empty()) return out;
  const OperationSpec& operation = operation_for(changes);
  for (std::size_t start = 0; start < changes.size(); start += operation.rows_max) {
    const RenderedBatch batch =
        render(changes.subspan(start, std::min(operation.rows_max, changes.size() - start)), ids);
    if (batch.rows.empty()) continue;
    // Without logging in: a relative URL is shown as it is.
    const http::Request request =
        build_request(operation.request, "", batch_lookup(operation, batch.rows), Content());
    const json document = body(operation, batch.rows);
    std::string text = request.method + " " + request.url;
    if (!document.is_null()) text += "\n" + document.dump(2);
    out.push_back(redact(text));
  }
  return out;
}

}  // namespace eddy::connectors
