// Parquet, read whole: that proves the file. A file that cannot be read is quarantined whole.
#pragma once

#include "ingest/rendering.h"

namespace eddy::ingest {

// Codes in the quarantine: parquet.unreadable (whole_file), parquet.bad_value.
Rendered render_parquet(const Rendering& job, StreamSchema& schema, QuarantineWriter& quarantine);

}  // namespace eddy::ingest
