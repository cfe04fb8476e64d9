// What is on disk about a job before its next step: enough for another run to learn what became of its rows,
// and nothing to read them from. Keys and values are there as digests only.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/change.h"
#include "core/clock.h"

namespace eddy::connectors {

// Half of a SHA-256: enough to tell the rows of a sync apart.
struct Digest {
  std::array<std::uint64_t, 2> bits{};
  bool operator==(const Digest&) const = default;
  std::string bytes() const;  // 16 of them
  std::string hex() const;
};
Digest digest_of(std::string_view text);

struct JobRow {
  Digest key;      // of the key's text as the service echoes it
  Digest content;  // of everything the sync wants of that record (content_of())
  // The row is no longer this job's affair: its key has been sent with other content since. It keeps its
  // place.
  bool dropped = false;
};

// What a change wants, whatever the way it is sent: kind, key and all values, also those that did not change.
Digest content_of(const Change& change, const std::string& delivery);

struct JobRecord {
  enum class Step {
    creating,  // the request that carries the rows may have left; there is no id yet
    open,      // the service has the job; nothing is processed before it is closed
    closing,   // the request to close it may have left
    closed,    // the service works on it
  };
  Step step = Step::creating;
  std::string operation;   // "upsert"
  std::size_t number = 0;  // of the operation in the connector's list of them
  std::string object, key_field;
  std::string id;
  bool repeatable = true;  // sending its rows again does no harm
  std::string time;        // when it was begun
  std::vector<JobRow> rows;
};

std::string to_text(const JobRecord& record);
// Throws Error("destination.job_record").
JobRecord parse_job_record(std::string_view text, const std::string& file);

}  // namespace eddy::connectors
