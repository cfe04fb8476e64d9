#include "connectors/files/writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::connectors {
namespace fs = std::filesystem;
using engine::quote_literal;

namespace {

constexpr const char* memory_limit = "512MB";

// "20261123T105342Z-01JD…": sorts by time, and no two runs share it.
std::string run_name(Clock& clock) {
  const std::string now = format_utc(std::chrono::floor<std::chrono::seconds>(clock.now()));
  return replace_all(replace_all(now, "-", ""), ":", "") + "-" + new_id();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

struct FileWriter::Session {
  explicit Session(const fs::path& spill)
      : database(
            engine::Database::in_memory({.memory_limit = memory_limit, .spill_folder = spill, .threads = 0})),
        connection(database.connect()) {}
  engine::Database database;
  engine::Connection connection;
};

bool unfinished(const FileTarget& target) { return !journal_runs(target).empty(); }

FileWriter::FileWriter(const FileTarget& target, const sync::Delivery& delivery, Clock& clock,
                       FileCheckpoint before)
    : mode_(delivery.mode),
      removed_(delivery.removed),
      clock_(clock),
      before_(std::move(before)),
      journal_(WorkFolder::of(target), {run_name(clock), target, delivery.key, delivery.fields}),
      session_(std::make_unique<Session>(journal_.spill())) {
  {
    const std::lock_guard turn(journal_.work().turn());
    finish_what_was_left();
    look_at_file();
  }
  std::string columns = segment_columns;
  for (std::size_t i = 0; i < run().key.size(); ++i) columns += fmt::format(", k{} varchar", i);
  for (std::size_t i = 0; i < run().fields.size(); ++i) columns += fmt::format(", f{} varchar", i);
  session_->connection.execute(fmt::format("create table batch ({})", columns));
}

FileWriter::~FileWriter() {
  try {
    finish();
  } catch (const std::exception&) {
    // The journal keeps it for the next run.
  }
}

void FileWriter::finish_what_was_left() {
  if (journal_.work().settled) return;
  for (const JournalRun& left : journal_runs(target()))
    publish(session_->connection, journal_.work(), left, before_);
  // Folders of runs that died with an empty journal.
  for (const auto& entry : fs::directory_iterator(target().work_folder()))
    if (entry.path() != run().folder() && entry.path() != journal_.spill()) fs::remove_all(entry.path());
  journal_.work().settled = true;
}

// What would make the merge fail later is found out before the first row is acknowledged.
void FileWriter::look_at_file() {
  const bool whole = target().content == FileContent::whole;
  FileTarget basis = target();
  if (!whole) basis.file = run().next_file();  // a file of changes begins with nothing
  const StoredFile stored(session_->connection, basis);
  if (stored.has_rows() && target().format != FileFormat::jsonl)
    for (const Column& column : run().key)
      if (stored.find(column.name) == nullptr)
        throw Error("destination.unknown_field",
                    fmt::format("{} has no column `{}`, by which its rows could be told apart",
                                target().file.string(), column.name),
                    "correct `key:`, or move the file away and send all rows again");
  if (target().format == FileFormat::parquet)
    for (const Schema* columns : {&run().key, &run().fields})
      for (const Column& column : *columns)
        if (const StoredColumn* there = stored.find(column.name);
            there != nullptr && !fits_parquet(column.type, there->engine_type))
          throw Error("destination.wrong_type",
                      fmt::format("column `{}` of {} is {}, the sync gives {}", column.name,
                                  target().file.string(), there->engine_type, name_of(column.type)),
                      "cast it in the sync, or move the file away and send all rows again");
  rooms_ = decimal_rooms(session_->connection, stored, run(), {});
  types_ = file_types(stored, run(), rooms_);
  try {
    if (stored.has_rows()) look_for_repeated_keys(stored);
    if (whole && mode_ != sync::Mode::upsert) known_.emplace(session_->connection, stored, run(), types_);
  } catch (const Error& error) {
    if (error.code() != "engine.query_failed") throw;
    throw Error(
        "destination.unreadable",
        fmt::format("{} is not read as {}: {}", target().file.string(), name_of(target().format),
                    first_line(error.message())),
        "its rows would be lost if it were written anew: repair it, or move it away and send all rows again");
  }
}

void FileWriter::look_for_repeated_keys(const StoredFile& stored) {
  std::vector<std::string> keys, present;
  for (const Column& column : run().key) {
    keys.push_back(stored.key(column.name) + "::varchar");
    present.push_back(stored.key(column.name) + " is not null");
  }
  const auto repeated =
      session_->connection
          .query(fmt::format("select {} from {} o where {} group by all having count(*) > 1 limit 1",
                             join(keys, ", "), stored.relation(), join(present, " and ")))
          .rows();
  if (repeated.empty()) return;
  std::vector<std::string> texts;
  for (const Value& value : repeated.front()) texts.push_back(value.to_text());
  throw Error(
      "destination.key_not_unique",
      fmt::format("{} has more than one row with the key {}", target().file.string(), join(texts, ", ")),
      "correct `key:`, or the file");
}

sync::Answer FileWriter::deliver(std::span<const Change> changes) {
  sync::Answer answer;
  if (changes.empty()) return answer;
  const bool removing = changes.front().operation == Operation::remove;
  if (removing && removed_ == sync::Removal::ignore)
    throw Error("destination.unsupported", "removals were sent, but the sync ignores them");
  answer.verdicts.assign(changes.size(), Verdict::applied());
  try {
    session_->connection.execute("delete from batch");
    load(changes, answer.verdicts);
    refuse_what_does_not_fit(answer.verdicts);
    if (!removing) refuse_by_mode(answer.verdicts);
    write_segment();
    if (known_ && removing) known_->remove_batch();
    if (known_ && mode_ == sync::Mode::insert && !removing) known_->add_batch();
  } catch (const Error& error) {
    journal_.discard();
    rethrow_as_unwritable(error, target().file);
  }
  return answer;
}

std::optional<Verdict> FileWriter::cells_of(const Change& change,
                                            std::vector<std::optional<std::string>>& cells) {
  std::size_t bytes = 0;
  const auto add = [&](const Value& value, const Column& column,
                       std::size_t place) -> std::optional<Verdict> {
    FileCell cell = file_cell(value, target().format);
    if (!cell.problem.empty())
      return Verdict::rejected("value_not_kept",
                               fmt::format("the value of `{}` {}", column.name, cell.problem));
    if (column.type == Type::decimal && target().format == FileFormat::parquet && cell.text)
      if (const auto digits = decimal_digits(*cell.text); !digits || !rooms_[place].take(*digits))
        return Verdict::rejected(
            "value_not_kept",
            fmt::format("the value of `{}` and those before it need more than {} digits together",
                        column.name, DecimalRoom::digits_max));
    bytes += cell.text ? cell.text->size() : 0;
    cells.push_back(std::move(cell.text));
    return std::nullopt;
  };
  for (std::size_t i = 0; i < run().key.size(); ++i) {
    if (i >= change.key.size() || change.key[i].is_null())
      return Verdict::rejected("null_key", fmt::format("the key field `{}` is null", run().key[i].name));
    if (auto refused = add(change.key[i], run().key[i], i)) return refused;
  }
  for (std::size_t i = 0; i < run().fields.size(); ++i) {
    const bool given = i < change.fields.size() && !change.keeps(i);
    if (auto refused = add(given ? change.fields[i] : Value(), run().fields[i], run().key.size() + i))
      return refused;
  }
  if (bytes > row_bytes_max)
    return Verdict::rejected("too_large", fmt::format("the row has {}, a row of a file at most {}",
                                                      human_bytes(bytes), human_bytes(row_bytes_max)));
  return std::nullopt;
}

void FileWriter::append_kept(engine::Appender& batch, const Change& change) const {
  if (std::find(change.kept.begin(), change.kept.end(), true) == change.kept.end())
    return batch.append_null();
  std::string kept;
  for (std::size_t i = 0; i < run().fields.size(); ++i) kept += change.keeps(i) ? '1' : '0';
  batch.append_text(kept);
}

void FileWriter::append_changed(engine::Appender& batch, const Change& change) const {
  if (target().content == FileContent::whole) return batch.append_null();
  nlohmann::json changed = nlohmann::json::array();
  for (std::size_t i = 0; i < run().fields.size(); ++i)
    if (i < change.changed.size() && change.changed[i]) changed.push_back(run().fields[i].name);
  batch.append_text(changed.dump());
}

void FileWriter::load(std::span<const Change> changes, std::vector<Verdict>& verdicts) {
  auto batch = session_->connection.appender("memory", "main", "batch");
  std::vector<std::optional<std::string>> cells;
  for (std::size_t row = 0; row < changes.size(); ++row) {
    const Change& change = changes[row];
    cells.clear();
    if (auto refused = cells_of(change, cells)) {
      verdicts[row] = std::move(*refused);
      continue;
    }
    batch.append_integer(static_cast<std::int64_t>(row));
    batch.append_text(name_of(change.operation));
    append_kept(batch, change);
    append_changed(batch, change);
    for (const auto& cell : cells) cell ? batch.append_text(*cell) : batch.append_null();
    batch.end_row();
  }
  batch.close();
}

void FileWriter::refuse(const std::string& condition, const Verdict& verdict,
                        std::vector<Verdict>& verdicts) {
  const auto rows =
      session_->connection.query(fmt::format("select _row from batch where {}", condition)).rows();
  if (rows.empty()) return;
  for (const Row& row : rows) verdicts[static_cast<std::size_t>(row.front().as_integer())] = verdict;
  session_->connection.execute(fmt::format("delete from batch where {}", condition));
}

void FileWriter::refuse_what_does_not_fit(std::vector<Verdict>& verdicts) {
  if (target().format != FileFormat::parquet) return;
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    const bool is_key = i < run().key.size();
    const Column& column = is_key ? run().key[i] : run().fields[i - run().key.size()];
    const std::string& type = is_key ? types_.key[i] : types_.fields[i - run().key.size()];
    const std::string cell = fmt::format("{}{}", is_key ? "k" : "f", is_key ? i : i - run().key.size());
    if (type == "VARCHAR" || type == "JSON" || type == "BLOB" || column.type == Type::decimal) continue;
    refuse(fmt::format("{0} is not null and try_cast({0} as {1}) is null", cell, type),
           Verdict::rejected("value_not_kept", fmt::format("the value of `{}` is no {}", column.name, type)),
           verdicts);
  }
}

void FileWriter::refuse_by_mode(std::vector<Verdict>& verdicts) {
  if (!known_) return;
  if (mode_ == sync::Mode::update)
    refuse("not " + known_->is_known(),
           Verdict::rejected("not_found", "there is no row with this key, and mode update never creates one"),
           verdicts);
  else
    refuse(known_->is_known(), Verdict::rejected("already_exists", "there is a row with this key already"),
           verdicts);
}

void FileWriter::write_segment() {
  if (session_->connection.query("select count(*) from batch").scalar().as_integer() == 0) return;
  session_->connection.execute(
      fmt::format("copy (select {}::bigint as _seq, * from batch order by _row) to {} (format "
                  "parquet, use_tmp_file false)",
                  journal_.next_number(), quote_literal(journal_.staging().string())));
  journal_.commit();
}

void FileWriter::finish() {
  if (journal_.committed() == 0) return;
  const std::lock_guard turn(journal_.work().turn());
  journal_.work().require();
  if (run().segments().size() != journal_.committed())
    throw Error("destination.journal_damaged",
                fmt::format("{} has {} segments of {}", run().folder().string(), run().segments().size(),
                            journal_.committed()),
                "somebody has taken acknowledged rows away: send all rows again");
  publish(session_->connection, journal_.work(), run(), before_);
  journal_.start_anew(run_name(clock_));
}

std::vector<std::string> FileWriter::preview(std::span<const Change> changes) {
  std::string text = fmt::format("{} ({})\n", target().object, name_of(target().format));
  for (const Change& change : changes) {
    nlohmann::ordered_json row = {{"operation", name_of(change.operation)}};
    for (std::size_t i = 0; i < std::min(run().key.size(), change.key.size()); ++i)
      row[run().key[i].name] = change.key[i].to_json();
    for (std::size_t i = 0; i < std::min(run().fields.size(), change.fields.size()); ++i)
      if (!change.keeps(i)) row[run().fields[i].name] = change.fields[i].to_json();
    text += row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return {redact(text)};
}

}  // namespace eddy::connectors
