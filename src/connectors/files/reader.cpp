#include "connectors/files/reader.h"

#include <fmt/format.h>

#include "connectors/files/cells.h"
#include "connectors/files/merge.h"
#include "connectors/files/stored.h"
#include "connectors/tables/wanted.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

struct FileReader::Session {
  engine::Database database =
      engine::Database::in_memory({.memory_limit = "512MB", .spill_folder = {}, .threads = 0});
  engine::Connection connection = database.connect();
};

namespace {

// SQL: a cell as something that as_wanted() can make the wanted type of.
std::string readable(const std::string& cell, FileFormat format, Type type) {
  if (format == FileFormat::parquet || cell == "null") return cell;
  std::string text = cell;
  // In JSON lines the JSON null is no value.
  if (format == FileFormat::jsonl)
    text = type == Type::json ? fmt::format("nullif({}, 'null')", cell)
                              : fmt::format("json_extract_string({}, '$')", cell);
  return type == Type::blob ? fmt::format("try(from_base64({}))", text) : text;
}

// The engine writes six digits of a second wherever there is one.
Value without_end_zeros(Value value) {
  if (value.type() != Type::timestamp) return value;
  std::string text = value.as_string();
  const auto point = text.find('.');
  if (point == std::string::npos) return value;
  const auto zone = std::min(text.find('Z', point), text.size());
  auto end = zone;
  while (text[end - 1] == '0') --end;
  text.erase(text[end - 1] == '.' ? end - 1 : end, zone - (text[end - 1] == '.' ? end - 1 : end));
  return Value::timestamp(std::move(text));
}

std::optional<std::size_t> place_of(const Schema& columns, const std::string& name) {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  return found == columns.end() ? std::nullopt : std::optional<std::size_t>(found - columns.begin());
}

}  // namespace

FileReader::FileReader(std::filesystem::path root, const FileTarget& target, Schema key, Schema fields)
    : root_(std::move(root)),
      run_{"", target, std::move(key), {}},
      fields_(std::move(fields)),
      session_(std::make_unique<Session>()) {
  std::string columns = "n integer";
  for (std::size_t i = 0; i < run_.key.size(); ++i) columns += fmt::format(", k{} varchar", i);
  session_->connection.execute(fmt::format("create table wanted ({})", columns));
}

FileReader::~FileReader() = default;

std::vector<sync::Record> FileReader::read(std::span<const Row> keys) {
  std::vector<sync::Record> records(keys.size());
  if (keys.empty()) return records;
  // Without its folder a file is not absent, but out of reach.
  if (!std::filesystem::is_directory(root_))
    throw Error("destination.unavailable", fmt::format("the folder {} is not there", root_.string()),
                "bring it back, or correct `path` of the connection");
  ask_for(keys);
  try {
    read_file(records);
    for (const JournalRun& run : journal_runs(run_.target)) read_journal(run, records);
  } catch (const Error& error) {
    if (error.code() != "engine.query_failed") throw;
    throw Error("destination.unreadable",
                fmt::format("{} cannot be read: {}", run_.target.file.string(),
                            error.message().substr(0, error.message().find('\n'))),
                "repair the file, or move it away and send all rows again");
  }
  return records;
}

void FileReader::ask_for(std::span<const Row> keys) {
  session_->connection.execute("delete from wanted");
  auto wanted = session_->connection.appender("memory", "main", "wanted");
  for (std::size_t n = 0; n < keys.size(); ++n) {
    wanted.append_integer(static_cast<std::int64_t>(n));
    for (std::size_t i = 0; i < run_.key.size(); ++i) {
      const FileCell cell = i < keys[n].size() ? file_cell(keys[n][i], run_.target.format) : FileCell{};
      cell.text ? wanted.append_text(*cell.text) : wanted.append_null();
    }
    wanted.end_row();
  }
  wanted.close();
}

void FileReader::read_file(std::vector<sync::Record>& records) {
  const StoredFile stored(session_->connection, run_.target);
  if (!stored.has_rows()) return;
  const FileTypes types = file_types(stored, run_, decimal_rooms(session_->connection, stored, run_, {}));
  std::vector<std::string> equal;
  for (std::size_t i = 0; i < run_.key.size(); ++i)
    equal.push_back(
        fmt::format("{} = {}", key_in_file(stored, run_, types, i), key_in_table(run_, types, i, "wanted")));
  std::string cells;
  for (const Column& column : fields_)
    cells += ", " + readable(stored.cell(column.name), run_.target.format, column.type);
  auto rows = session_->connection.stream(fmt::format("select wanted.n{} from {} o join wanted on {}", cells,
                                                      stored.relation(), join(equal, " and ")));
  while (auto chunk = rows.next())
    for (std::size_t r = 0; r < chunk->rows(); ++r) {
      sync::Record& record = records[static_cast<std::size_t>(chunk->value(0, r).as_integer())];
      if (++record.matches > 1) continue;
      for (std::size_t i = 0; i < fields_.size(); ++i)
        record.fields.push_back(without_end_zeros(as_wanted(chunk->value(i + 1, r), fields_[i].type)));
    }
}

void FileReader::read_journal(const JournalRun& run, std::vector<sync::Record>& records) {
  // Rows of a run that knew them by another key cannot be found by this one.
  if (run.target.content == FileContent::changes || run.target.format != run_.target.format) return;
  std::vector<std::string> equal, files;
  for (std::size_t i = 0; i < run_.key.size(); ++i) {
    const auto place = place_of(run.key, run_.key[i].name);
    if (!place || run.key.size() != run_.key.size()) return;
    equal.push_back(fmt::format("j.k{} = wanted.k{}", *place, i));
  }
  for (const auto& segment : run.segments()) files.push_back(path_literal(segment));
  std::vector<std::optional<std::size_t>> places;
  for (const Column& column : fields_) places.push_back(place_of(run.fields, column.name));
  std::string cells;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const std::string cell = places[i] ? fmt::format("j.f{}", *places[i]) : "null::varchar";
    const bool packed = run.target.format == FileFormat::parquet && fields_[i].type == Type::blob;
    cells += ", " + (packed ? fmt::format("try(from_base64({}))", cell)
                            : readable(cell, run.target.format, fields_[i].type));
  }
  for (const Row& row :
       session_->connection
           .query(fmt::format("select wanted.n, j._op, j._kept{} from read_parquet([{}]) j join wanted on "
                              "{} order by _seq, _row",
                              cells, join(files, ", "), join(equal, " and ")))
           .rows()) {
    sync::Record& record = records[static_cast<std::size_t>(row[0].as_integer())];
    if (row[1].as_string() == "remove") {
      record = {};
      continue;
    }
    record.matches = std::max<std::size_t>(record.matches, 1);
    record.fields.resize(fields_.size());
    for (std::size_t i = 0; i < fields_.size(); ++i)
      if (places[i] && (row[2].is_null() || row[2].as_string().at(*places[i]) == '0'))
        record.fields[i] = as_wanted(row[3 + i], fields_[i].type);
  }
}

}  // namespace eddy::connectors
