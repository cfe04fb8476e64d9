#include "connectors/declarative/job_record.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hashing.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 4> step_names = {"creating", "open", "closing", "closed"};

Digest of_hex(std::string_view text) {
  Digest out;
  for (std::size_t i = 0; i < 2; ++i) {
    const char* start = text.data() + 16 * i;
    std::from_chars(start, start + 16, out.bits[i], 16);
  }
  return out;
}

void append_value(std::string& out, const Value& value) {
  const std::string text = value.to_text();
  out += fmt::format("{}:{}:", static_cast<int>(value.type()), text.size());
  out += text;
}

[[noreturn]] void damaged(const std::string& file, const std::string& why) {
  throw Error("destination.job_record", fmt::format("{} cannot be read: {}; nothing was sent", file, why),
              "restore the folder .eddy from a backup, or delete the file: its rows are then sent again");
}

JobRow read_row(std::string_view line, const std::string& file) {
  const bool whole = line.size() == 65 && (line[0] == '+' || line[0] == '-') &&
                     line.substr(1).find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!whole) damaged(file, "a row is not whole");
  return {of_hex(line.substr(1, 32)), of_hex(line.substr(33, 32)), line[0] == '-'};
}

}  // namespace

std::string Digest::bytes() const { return {reinterpret_cast<const char*>(bits.data()), sizeof bits}; }

std::string Digest::hex() const { return fmt::format("{:016x}{:016x}", bits[0], bits[1]); }

Digest digest_of(std::string_view text) {
  thread_local Sha256Series series;
  const HexDigest digits = series(text);
  return of_hex({digits.data(), 32});
}

Digest content_of(const Change& change, const std::string& delivery) {
  thread_local std::string text;
  text = delivery;
  text += change.operation == Operation::remove ? "|remove|" : "|write|";
  for (const Value& value : change.key) append_value(text, value);
  text += '|';
  for (const Value& value : change.fields) append_value(text, value);
  return digest_of(text);
}

std::string to_text(const JobRecord& record) {
  const json head = {{"eddy_job", 1},
                     {"step", step_names[static_cast<std::size_t>(record.step)]},
                     {"operation", record.operation},
                     {"number", record.number},
                     {"object", record.object},
                     {"key_field", record.key_field},
                     {"id", record.id},
                     {"repeatable", record.repeatable},
                     {"time", record.time},
                     {"rows", record.rows.size()}};
  std::string out = head.dump() + "\n";
  out.reserve(out.size() + 66 * record.rows.size());
  for (const JobRow& row : record.rows) {
    out += row.dropped ? '-' : '+';
    out += row.key.hex();
    out += row.content.hex();
    out += '\n';
  }
  return out;
}

JobRecord parse_job_record(std::string_view text, const std::string& file) {
  const std::size_t end = text.find('\n');
  const json head = json::parse(text.substr(0, end), nullptr, false);
  if (end == std::string_view::npos || !head.is_object()) damaged(file, "its first line is no record");
  try {
    if (head.at("eddy_job") != 1) damaged(file, "it was written by another version of Eddy");
    JobRecord out;
    const auto step = std::find(step_names.begin(), step_names.end(), head.at("step").get<std::string>());
    if (step == step_names.end()) damaged(file, "its step is unknown");
    out.step = static_cast<JobRecord::Step>(step - step_names.begin());
    out.operation = head.at("operation");
    out.number = head.at("number");
    out.object = head.at("object");
    out.key_field = head.at("key_field");
    out.id = head.at("id");
    out.repeatable = head.at("repeatable");
    out.time = head.at("time");
    const std::size_t rows = head.at("rows");
    text.remove_prefix(end + 1);
    if (text.size() != rows * 66) damaged(file, "rows are missing");
    out.rows.reserve(rows);
    for (std::size_t i = 0; i < rows; ++i) out.rows.push_back(read_row(text.substr(i * 66, 65), file));
    return out;
  } catch (const json::exception& e) {
    damaged(file, e.what());
  }
}

}  // namespace eddy::connectors
