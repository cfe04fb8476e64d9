// The first sync of many rows into a database: the model, the way through Eddy, and the connector alone.
#pragma once

#include <filesystem>
#include <string>

#include "config/document.h"
#include "sync/destination.h"

namespace eddy::bench {

// id and seven fields of the usual types, about 75 bytes as CSV.
struct FirstSync {
  std::uint64_t rows = 0;
  std::string columns_sql;                                // names, for INSERT … SELECT
  std::string updates(const std::string& pattern) const;  // each field through `pattern`, {0} is its name

  explicit FirstSync(std::uint64_t row_count);
  void write_csv(const std::filesystem::path& file) const;  // with a header
  // Plan, delivery, a durable verdict for every row, fold: as `eddy run` does it. Throws when a row was not
  // applied.
  void run(sync::Destination& destination, const std::string& object,
           const std::filesystem::path& folder) const;
  // The connector alone: rows that are in memory, as many workers as it takes. Seconds.
  double deliver_only(sync::Destination& destination, const std::string& object) const;
};

config::Node settings_of(const std::string& yaml);

}  // namespace eddy::bench
