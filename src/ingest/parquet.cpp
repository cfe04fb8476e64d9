#include "ingest/parquet.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "ingest/bytes.h"

namespace eddy::ingest {
using engine::quote_identifier;
using engine::quote_literal;

namespace {

struct Selection {
  std::string list, refused, which;
};

Selection select_of(const StreamSchema& schema, const std::vector<StreamColumn>& found) {
  std::vector<std::string> selected, refusals;
  std::string which = "case ";
  for (const StreamColumn& column : schema.columns()) {
    const std::string quoted = quote_identifier(column.name);
    const auto here = std::find_if(found.begin(), found.end(), [&](const StreamColumn& c) {
      return lower(c.name) == lower(column.name);
    });
    const Cast cast =
        here == found.end() ? Cast{"null::" + column.type, ""} : exact_cast(quoted, here->type, column.type);
    selected.push_back(fmt::format("{} as {}", cast.value, quoted));
    if (cast.bad.empty()) continue;
    refusals.push_back(cast.bad);
    which += fmt::format("when {} then {} || left({}::varchar, 100) || {} ", cast.bad,
                         quote_literal(fmt::format("column `{}`: `", column.name)), quoted,
                         quote_literal(fmt::format("` is no {}", column.type)));
  }
  return {join(selected, ", "), join(refusals, " or "), which + "end"};
}

void quarantine_file(const Rendering& job, const std::string& reason, QuarantineWriter& quarantine) {
  QuarantinedRow row;
  row.file = job.origin;
  row.code = "parquet.unreadable";
  row.reason = "the whole file: " + reason;
  const MappedFile file(job.plain);
  row.length = file.bytes().size();
  row.bytes = file.bytes().substr(0, 256);  // binary: enough to recognise it; the whole is in the raw file
  row.truncated = row.length > row.bytes.size();
  row.whole_file = true;
  quarantine.add(row);
}

}  // namespace

Rendered render_parquet(const Rendering& job, StreamSchema& schema, QuarantineWriter& quarantine) {
  Rendered result;
  const std::string from =
      fmt::format("read_parquet({}, file_row_number=true)", quote_literal(job.plain.string()));
  StreamSchema before = schema;
  std::vector<StreamColumn> found;
  Selection selection;
  std::uint64_t records = 0;
  try {
    for (const Row& row :
         job.connection
             .query(fmt::format("describe select * from read_parquet({})", quote_literal(job.plain.string())))
             .rows())
      found.push_back({row[0].as_string(), row[1].as_string()});
    result.changes = schema.take_over(found, job.spec, job.origin);
    selection = select_of(schema, found);
    records = static_cast<std::uint64_t>(
        job.connection.query("select count(*) from " + from).scalar().as_integer());
    result.rows = write_parquet(
        job, selection.list,
        selection.refused.empty() ? from
                                  : fmt::format("{} where not coalesce({}, false)", from, selection.refused));
  } catch (const Error& e) {
    if (e.code() != "engine.query_failed") throw;
    quarantine_file(job, engine_reason(e.message()), quarantine);
    schema = std::move(before);
    result = Rendered();
    result.quarantined = 1;
    result.written = !schema.columns().empty();
    if (result.written) write_empty_parquet(job, schema);
    return result;
  }
  result.written = true;
  if (result.rows < records) {
    auto bad =
        job.connection.stream(fmt::format("select file_row_number::bigint, {}, to_json(t)::varchar from {} t "
                                          "where coalesce({}, false) order by 1",
                                          selection.which, from, selection.refused));
    while (auto chunk = bad.next())
      for (std::size_t i = 0; i < chunk->rows(); ++i) {
        QuarantinedRow row;
        row.file = job.origin;
        row.line = static_cast<std::uint64_t>(chunk->bigint(0, i)) + 1;
        row.code = "parquet.bad_value";
        row.reason = chunk->varchar(1, i);
        row.bytes = chunk->varchar(2, i);
        row.length = row.bytes.size();
        quarantine.add(row);
        ++result.quarantined;
      }
  }
  if (result.rows + result.quarantined != records)
    throw Error(
        "ingest.unaccounted_rows",
        fmt::format("{}: {} has {} rows, but {} were read and {} refused", job.spec.relation(), job.origin,
                    with_commas(records), with_commas(result.rows), with_commas(result.quarantined)),
        "nothing of this load was kept; please report it with the file", job.spec.position);
  return result;
}

}  // namespace eddy::ingest
