// Changes as lines of a CSV file (RFC 4180, LF): the rows of a job. The hot path of uploads: a cell is copied
// once.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/declarative/spec.h"
#include "core/change.h"

namespace eddy::connectors {

// Appends a cell, quoted where it must be.
void append_csv_text(std::string& out, std::string_view text);

// What stands for a change in a file, and for others to find it by.
struct CsvBatch {
  std::string text;                // header and lines
  std::vector<std::size_t> place;  // of each line, in the changes
  // Changes that cannot be sent: their place, and why.
  std::vector<std::pair<std::size_t, Verdict>> refused;
};

// Key columns first, then the mapped fields, each under its own name: a dot in it ("Account.Number__c") is
// the service's affair. Immutable.
class CsvForm {
 public:
  CsvForm(Schema key, Schema fields, CsvSpec csv, TransformSpec transforms);

  CsvBatch write(std::span<const Change> changes) const;

 private:
  std::optional<Verdict> append_line(std::string& out, const Change& change) const;
  std::optional<Verdict> append_cell(std::string& out, const Value& value, const std::string& field) const;
  std::optional<Verdict> append_text(std::string& out, std::string_view text, const std::string& field) const;

  Schema key_, fields_;
  CsvSpec csv_;
  TransformSpec transforms_;
  std::string null_;  // as a cell
  std::string header_;
};

}  // namespace eddy::connectors
