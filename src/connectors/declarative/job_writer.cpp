#include "connectors/declarative/job_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/csv_form.h"
#include "connectors/declarative/object_name.h"
#include "core/secrets.h"

namespace eddy::connectors {

using nlohmann::json;

JobWriter::JobWriter(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session,
                     std::shared_ptr<JobDesk> desk, sync::Delivery delivery, const OperationSpec& write,
                     const OperationSpec* remove, std::unique_ptr<sync::Writer> other)
    : spec_(std::move(spec)),
      session_(std::move(session)),
      desk_(std::move(desk)),
      delivery_(std::move(delivery)),
      write_(write),
      remove_(remove),
      bodies_(spec_, session_, delivery_, write, remove),
      other_(std::move(other)),
      options_(*spec_, session_->lookup(), delivery_.object, delivery_.options) {}

sync::Limits JobWriter::limits() const {
  sync::Limits out = other_->limits();
  const auto workers = [&](const OperationSpec& operation) {
    return std::min(operation.job->running_max, spec_->limits.concurrency);
  };
  const std::size_t rows_together = out.batch_rows_max;
  if (write_.job) {
    out = {write_.rows_max, write_.bytes_max, workers(write_), out.removes_max};
    if (remove_ != nullptr && out.removes_max == 0) out.removes_max = rows_together;
  }
  if (remove_ != nullptr && remove_->job) {
    out.removes_max = remove_->rows_max;
    out.workers_max = std::min(out.workers_max, workers(*remove_));
  }
  return out;
}

bool JobWriter::inserts_are_repeatable() const {
  if (write_.job) return delivery_.mode == sync::Mode::insert;
  return other_->inserts_are_repeatable();
}

const OperationSpec* JobWriter::job_for(std::span<const Change> changes) const {
  if (changes.front().operation != Operation::remove) return write_.job ? &write_ : nullptr;
  return remove_ != nullptr && remove_->job ? remove_ : nullptr;
}

std::optional<json> JobWriter::constant(std::string_view name) const {
  if (name == "object") return json(delivery_.object);
  if (name == "key.field") return json(delivery_.key.front().name);
  if (name.starts_with("object.")) {
    const auto words = object_words(*spec_, delivery_.object);
    if (const auto word = words.find(std::string(name.substr(7))); word != words.end())
      return json(word->second);
  }
  if (auto option = options_.get(name)) return option;
  return session_->lookup()(name);
}

JobWriter::Load JobWriter::load(const OperationSpec& operation, std::span<const Change> changes) const {
  Load out;
  const Lookup lookup = [this](std::string_view name) { return constant(name); };
  const RequestSpec& create = operation.request;
  const auto without_rows = [&](const RequestSpec& request) {
    return request.body.empty() ? Content() : encode(request, request.body.render(lookup, 0, {}));
  };
  if (!operation.csv) {
    Content body;
    RenderedBatch batch = bodies_.body_of(changes, body);
    out.place = std::move(batch.place);
    out.verdicts = std::move(batch.verdicts);
    out.bytes = body.text.size();
    out.create = operation.job->upload ? without_rows(create) : body;
    if (operation.job->upload) out.upload = std::move(body);
    return out;
  }
  const Schema none;
  const bool removes = changes.front().operation == Operation::remove;
  CsvBatch batch =
      CsvForm(delivery_.key, removes ? none : delivery_.fields, *operation.csv, spec_->transforms)
          .write(changes);
  out.place = std::move(batch.place);
  out.verdicts.resize(changes.size());
  for (auto& [place, verdict] : batch.refused) out.verdicts[place] = std::move(verdict);
  out.bytes = batch.text.size();
  const RequestSpec& carrier = operation.job->upload ? *operation.job->upload : create;
  Content rows = carrier.encoding == RequestSpec::Encoding::multipart
                     ? encode_multipart(carrier.body, lookup, batch.text)
                     : Content{"text/csv", std::move(batch.text)};
  if (operation.job->upload) {
    out.create = without_rows(create);
    out.upload = std::move(rows);
  } else {
    out.create = std::move(rows);
  }
  return out;
}

sync::Answer JobWriter::send(const OperationSpec& operation, std::span<const Change> changes) {
  sync::Answer answer;
  Load load = this->load(operation, changes);
  answer.verdicts = std::move(load.verdicts);
  if (load.place.empty()) return answer;
  const auto give_all = [&](const Verdict& verdict) {
    for (const std::size_t place : load.place) answer.verdicts[place] = verdict;
  };
  if (operation.bytes_max != 0 && load.bytes > operation.bytes_max) {
    give_all(Verdict::rejected("too_large", fmt::format("{} bytes in one job, {} takes {}", load.bytes,
                                                        spec_->title, operation.bytes_max)));
    answer.refused_whole = true;
    return answer;
  }
  JobRecord record;
  for (const auto& [name, operations] : spec_->operations)
    for (std::size_t i = 0; i < operations.size(); ++i)
      if (&operations[i] == &operation) {
        record.operation = name;
        record.number = i;
      }
  record.object = delivery_.object;
  record.key_field = delivery_.key.front().name;
  record.repeatable = operation.idempotent;
  record.rows = job_rows(changes, load.place, delivery_, spec_->transforms, *operation.job);
  JobDesk::Done outcome = desk_->carry_out(std::move(record), load.create, load.upload);
  for (std::size_t i = 0; i < load.place.size(); ++i)
    answer.verdicts[load.place[i]] = std::move(outcome.verdicts[i]);
  answer.refused_whole = outcome.refused_whole;
  answer.retry_after = outcome.retry_after;
  answer.held_back = outcome.held_back && load.place.size() == changes.size();
  if (std::string note = session_->take_note(); !note.empty()) answer.notes.push_back(std::move(note));
  return answer;
}

sync::Answer JobWriter::deliver(std::span<const Change> changes) {
  if (changes.empty()) return {};
  return desk_->deliver(changes, delivery_, [this](std::span<const Change> rest) {
    const OperationSpec* operation = job_for(rest);
    return operation == nullptr ? other_->deliver(rest) : send(*operation, rest);
  });
}

std::vector<std::string> JobWriter::preview(std::span<const Change> changes) {
  if (changes.empty()) return {};
  const OperationSpec* operation = job_for(changes);
  if (operation == nullptr) return other_->preview(changes);
  const Load load = this->load(*operation, changes);
  std::vector<std::string> out;
  const auto show = [&](const RequestSpec& request, const Content& content) {
    const http::Request built = build_request(
        request, "",
        [this](std::string_view name) {
          return name == "job.id" ? std::optional<json>("JOB") : constant(name);
        },
        Content());
    out.push_back(redact(built.method + " " + built.url + (content.text.empty() ? "" : "\n" + content.text)));
  };
  if (load.place.empty()) return out;
  show(operation->request, load.create);
  if (operation->job->upload) show(*operation->job->upload, load.upload);
  return out;
}

void JobWriter::finish() {
  other_->finish();
  desk_->finish();
}

}  // namespace eddy::connectors
