#include "ingest/quarantine.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "ingest/bytes.h"
#include "lake/layout.h"

namespace eddy::ingest {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t bytes_kept_max = 64 << 10;

std::string from_base64(std::string_view text) {
  std::string out;
  std::uint32_t window = 0;
  int bits = 0;
  for (const char c : text) {
    std::uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z')
      digit = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      digit = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      digit = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '+')
      digit = 62;
    else if (c == '/')
      digit = 63;
    else
      break;
    window = (window << 6) | digit;
    if ((bits += 6) >= 8) out += static_cast<char>((window >> (bits -= 8)) & 0xFF);
  }
  return out;
}

json to_json(const QuarantinedRow& row) {
  json record = {{"file", row.file},     {"line", row.line}, {"offset", row.offset},
                 {"length", row.length}, {"code", row.code}, {"reason", row.reason}};
  std::string_view kept = std::string_view(row.bytes).substr(0, bytes_kept_max);
  const bool truncated = row.truncated || kept.size() < row.bytes.size();
  // A cut may fall into the middle of a character.
  while (truncated && !kept.empty() && !is_utf8(kept) && kept.size() + 4 > bytes_kept_max)
    kept.remove_suffix(1);
  if (is_utf8(kept)) {
    record["bytes"] = kept;
  } else {
    record["bytes"] = base64(std::string_view(row.bytes).substr(0, bytes_kept_max));
    record["encoding"] = "base64";
  }
  if (truncated) record["truncated"] = true;
  if (row.whole_file) record["whole_file"] = true;
  return record;
}

QuarantinedRow from_json(const json& record) {
  QuarantinedRow row;
  row.file = record.at("file");
  row.line = record.at("line");
  row.offset = record.at("offset");
  row.length = record.at("length");
  row.code = record.at("code");
  row.reason = record.at("reason");
  row.bytes = record.at("bytes");
  if (record.value("encoding", "") == "base64") row.bytes = from_base64(row.bytes);
  row.truncated = record.value("truncated", false);
  row.whole_file = record.value("whole_file", false);
  return row;
}

}  // namespace

QuarantineWriter::~QuarantineWriter() {
  if (out_ != nullptr) std::fclose(out_);
}

void QuarantineWriter::add(const QuarantinedRow& row) {
  if (out_ == nullptr) out_ = std::fopen(file_.c_str(), "we");
  const std::string line = to_json(row).dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (out_ == nullptr || std::fwrite(line.data(), 1, line.size(), out_) != line.size())
    throw Error("file.unwritable", fmt::format("cannot write {}: {}", file_.string(), std::strerror(errno)),
                "check free space of the lake folder");
  ++rows_;
  if (!first_bad_value_ && row.code.ends_with(".bad_value")) first_bad_value_ = row;
}

void QuarantineWriter::close() {
  std::FILE* out = std::exchange(out_, nullptr);
  if (out != nullptr && std::fclose(out) != 0)
    throw Error("file.unwritable", fmt::format("cannot write {}: {}", file_.string(), std::strerror(errno)),
                "check free space of the lake folder");
}

std::vector<QuarantinedRow> quarantined_rows(const fs::path& lake, state::Store& store,
                                             const std::string& source, const std::string& stream,
                                             std::size_t limit, const std::optional<std::string>& load_id) {
  std::vector<QuarantinedRow> rows;
  std::vector<state::Load> loads = store.loads(source, stream);
  for (auto load = loads.rbegin(); load != loads.rend(); ++load) {
    if (load_id && load->id != *load_id) continue;
    const fs::path file = lake / lake::load_folder(source, stream, load->id) / "quarantine.jsonl";
    std::ifstream in(file, std::ios::binary);
    std::string line;
    for (std::uint64_t number = 1; std::getline(in, line); ++number) {
      if (limit > 0 && rows.size() >= limit) return rows;
      try {
        rows.push_back(from_json(json::parse(line)));
      } catch (const json::exception&) {
        throw Error("ingest.damaged_quarantine",
                    fmt::format("line {} of {} cannot be read", number, file.string()), "",
                    {file.string(), static_cast<int>(number), 1});
      }
      rows.back().load_id = load->id;
      rows.back().loaded_at = load->loaded_at;
    }
  }
  return rows;
}

}  // namespace eddy::ingest
