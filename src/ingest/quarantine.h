// Rows that did not fit: set aside with the reason and their original bytes, never dropped.
//
// quarantine.jsonl of a load has one JSON object per row: file (origin), line and offset (from 1 and 0, in
// the unpacked file; 0 and absent when not known), length, code, reason, bytes (as text, or base64 with
// "encoding":"base64" when they are not UTF-8; the first 64 KiB with "truncated":true of longer ones, whose
// whole is in the raw file), whole_file when nothing of the file could be read.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/store.h"

namespace eddy::ingest {

struct QuarantinedRow {
  std::string load_id;    // set when read back
  std::string loaded_at;  // set when read back
  std::string file;       // origin
  std::uint64_t line =
      0;  // from 1; for Parquet the row number, for JSON arrays the line where the element begins
  std::uint64_t offset = 0;  // of the first byte in the unpacked file
  std::uint64_t length = 0;  // of the original bytes
  std::string code;          // "csv.too_few_columns", "json.syntax", … stable
  std::string reason;        // for people
  std::string bytes;         // the original bytes, perhaps cut
  bool whole_file = false;
  bool truncated = false;
};

// Appends to one quarantine.jsonl; the file is made with the first row. Throws Error("file.unwritable").
class QuarantineWriter {
 public:
  explicit QuarantineWriter(std::filesystem::path file) : file_(std::move(file)) {}
  ~QuarantineWriter();
  QuarantineWriter(const QuarantineWriter&) = delete;
  QuarantineWriter& operator=(const QuarantineWriter&) = delete;
  void add(const QuarantinedRow& row);
  void close();  // flushes
  std::uint64_t rows() const { return rows_; }
  const std::optional<QuarantinedRow>& first_bad_value() const {
    return first_bad_value_;
  }  // the first row with a code *.bad_value

 private:
  std::filesystem::path file_;
  std::FILE* out_ = nullptr;
  std::uint64_t rows_ = 0;
  std::optional<QuarantinedRow> first_bad_value_;
};

// The quarantined rows of a stream's loads, newest load first, in file order within a load; at most `limit`
// (0: all). `load_id` narrows to one load. Throws Error("ingest.damaged_quarantine") for a line that is not
// what QuarantineWriter writes.
std::vector<QuarantinedRow> quarantined_rows(const std::filesystem::path& lake, state::Store& store,
                                             const std::string& source, const std::string& stream,
                                             std::size_t limit = 0,
                                             const std::optional<std::string>& load_id = std::nullopt);

}  // namespace eddy::ingest
