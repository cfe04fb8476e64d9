#include <fmt/format.h>

#include "bench.h"
#include "connectors/files/files.h"
#include "core/text.h"
#include "ingest/loader.h"
#include "support/scratch.h"

namespace eddy::bench {
namespace {

// About 113 bytes a row: 8.9 M rows are 1 GB.
std::filesystem::path make_csv(std::uint64_t rows) {
  const auto file = data_folder() / fmt::format("customers-{}.csv", rows);
  if (std::filesystem::exists(file)) return file;
  auto db = engine::Database::in_memory(
      {.memory_limit = "2GB", .spill_folder = data_folder() / "spill", .threads = 0});
  auto c = db.connect();
  const auto staged = file.string() + ".part";
  c.execute(
      fmt::format("copy (select i as id, 'customer' || (i * 7919 % {0}) || '@example.com' as email, 'Name ' "
                  "|| md5(i::varchar)[1:12] as name, "
                  "['Prague','Paris','Lagos','Lima','Osaka'][1 + i % 5] as city, (i * 31 % 100000) / 100.0 "
                  "as ltv, i % 50 as orders, i % 3 = 0 as active, "
                  "date '2020-01-01' + (i % 2000)::int as signup, timestamp '2024-01-01' + to_seconds(i % "
                  "30000000) as updated_at from range({0}) t(i)) to {1} (header)",
                  rows, engine::quote_literal(staged)));
  std::filesystem::rename(staged, file);
  return file;
}

}  // namespace

std::vector<Line> ingest(double scale) {
  const auto csv = make_csv(static_cast<std::uint64_t>(8'900'000 * scale));
  const engine::Options options{.memory_limit = "1GB", .spill_folder = data_folder() / "spill", .threads = 0};
  const auto ours = [&] {
    const testing::Scratch scratch;
    const warehouse::Places places{scratch.path(), scratch / ".eddy", data_folder() / ("lake-" + new_id()),
                                   scratch / "warehouse.duckdb"};
    {
      const auto store = state::Store::open(scratch / ".eddy/state.db");
      store->begin_run({"bench", "run", "", "running", "", "", ""});
      warehouse::Session session(places, *store, options, warehouse::Access::read);
      Diagnostics diagnostics;
      const auto settings = config::parse(fmt::format("path: {}", csv.parent_path().string()), "bench",
                                          config::no_variables(), diagnostics);
      const auto spec = ingest::parse_source(
          "shop",
          config::parse(fmt::format("connection: files\nstreams:\n  customers: {{path: {}}}\n",
                                    csv.filename().string()),
                        "bench", config::no_variables(), diagnostics),
          diagnostics);
      diagnostics.throw_if_any();
      const Cancel cancel;
      const auto source = connectors::files_source().make(settings, {system_clock(), cancel, scratch.path()});
      ingest::load_stream(session, spec->streams.front(), *source, "bench", system_clock(), silent_progress(),
                          cancel);
    }
    std::filesystem::remove_all(places.lake);
  };
  const auto bare = [&] {
    auto db = engine::Database::in_memory(options);
    auto c = db.connect();
    const auto out = data_folder() / "bare.parquet";
    c.execute(fmt::format("copy (from read_csv({})) to {} (format parquet, compression zstd)",
                          engine::quote_literal(csv.string()), engine::quote_literal(out.string())));
    std::filesystem::remove(out);
  };
  const auto size = static_cast<double>(std::filesystem::file_size(csv));
  return {ratio_line(fmt::format("CSV → raw + Parquet, {:.2f} GB", size / 1e9), alternate(3, ours, bare),
                     "DuckDB COPY", 1.3, true)};
}

}  // namespace eddy::bench
