#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bench.h"
#include "core/text.h"
#include "support/scratch.h"
#include "sync/apply.h"
#include "sync/reset.h"
#include "sync/snapshot.h"

namespace eddy::bench {
namespace {

constexpr const char* fields = "email, name, city, ltv, orders, active, signup, updated_at";

// 1 % of the rows changed, 0.1 % gone, 0.1 % new against the rows delivered before.
std::string rows_sql(std::uint64_t rows, bool changed) {
  const std::string ltv = changed ? "case when i % 100 = 7 then i + 0.5 else i * 0.25 end" : "i * 0.25";
  const std::string from = changed ? fmt::format("range({}, {}) t(i)", rows / 1000, rows + rows / 1000)
                                   : fmt::format("range({}) t(i)", rows);
  return fmt::format(
      "select i as id, 'customer' || i || '@example.com' as email, 'Name ' || md5(i::varchar)[1:12] as name, "
      "['Prague','Paris','Lagos','Lima','Osaka'][1 + i % 5] as city, "
      "({})::double as ltv, (i % 50)::integer as orders, i % 3 = 0 as active, (date '2020-01-01' + (i % "
      "2000)::int)::date as signup, "
      "timestamp '2024-01-01' + to_seconds(i % 30000000) as updated_at from {}",
      ltv, from);
}

struct Inputs {
  std::filesystem::path before, after;
};

Inputs make_inputs(std::uint64_t rows) {
  const Inputs inputs{data_folder() / fmt::format("plan-before-{}.parquet", rows),
                      data_folder() / fmt::format("plan-after-{}.parquet", rows)};
  auto db = engine::Database::in_memory(
      {.memory_limit = "2GB", .spill_folder = data_folder() / "spill", .threads = 0});
  auto c = db.connect();
  for (const auto& [file, changed] : {std::pair(inputs.before, false), std::pair(inputs.after, true)}) {
    if (std::filesystem::exists(file)) continue;
    c.execute(fmt::format("copy ({}) to {} (format parquet)", rows_sql(rows, changed),
                          engine::quote_literal(file.string() + ".part")));
    std::filesystem::rename(file.string() + ".part", file);
  }
  return inputs;
}

// Says yes to everything: what is measured is the plan, not a wire.
class Acknowledge final : public sync::Destination {
  class AcknowledgeWriter final : public sync::Writer {
   public:
    sync::Limits limits() const override { return {100'000, 0, 1}; }
    sync::Answer deliver(std::span<const Change> changes) override {
      return {std::vector<Verdict>(changes.size(), Verdict::applied()), false, {}};
    }
    std::vector<std::string> preview(std::span<const Change>) override { return {}; }
  };

 public:
  std::string check() override { return "ok"; }
  std::vector<std::string> objects() override { return {"rows"}; }
  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    return sync::ObjectSchema{object, {}, true};
  }
  std::unique_ptr<sync::Writer> open(const sync::Delivery&) override {
    return std::make_unique<AcknowledgeWriter>();
  }
};

sync::SyncSpec rows_sync() {
  Diagnostics diagnostics;
  auto spec = sync::parse_sync(
      "rows",
      config::parse("model: presentation.rows\ndestination: d\nobject: rows\nkey: {id: id}\nremoved: "
                    "delete\nguards: {first_run: 0}\nfields: {email: email, name: name, city: city, ltv: "
                    "ltv, orders: orders, "
                    "active: active, signup: signup, updated_at: updated_at}\n",
                    "bench", config::no_variables(), diagnostics),
      diagnostics);
  diagnostics.throw_if_any();
  return *spec;
}

struct Project {
  Project(const std::filesystem::path& folder, const std::string& memory_limit)
      : places{folder, folder / ".eddy", folder / "lake", folder / "warehouse.duckdb"},
        store(state::Store::open(places.dot_eddy / "state.db")),
        options{.memory_limit = memory_limit, .spill_folder = places.dot_eddy / "spill", .threads = 0} {}
  void point_to(const std::filesystem::path& file, const std::string& version) {
    store->commit_model({"presentation.rows", version, file.string(), 0, "", "", ""});
  }
  warehouse::Places places;
  std::unique_ptr<state::Store> store;
  engine::Options options;
};

// The bare tool's way, as published beside DuckDB's own figures: keys and one 64-bit hash joined fully,
// differences counted; from the same Parquet, against (id, hash) in a table.
std::string bare_diff(const Inputs& inputs) {
  return fmt::format(
      "select op, count(*) from (select coalesce(c.id, p.id) id, case when p.id is null then 1 when c.id is "
      "null then 3 else 2 end op "
      "from (select id, hash({}) as h from read_parquet({})) c full outer join prev p on c.id = p.id where "
      "p.id is null or c.id is null or c.h <> p.h) group by op",
      fields, engine::quote_literal(inputs.after.string()));
}

}  // namespace

// --plan-child FOLDER ROWS MEMORY first|believe|plan|bare: one process, one measurement, printed as JSON.
int plan_child(const std::vector<std::string>& a) {
  const std::filesystem::path folder = a.at(1);
  const std::uint64_t rows = std::stoull(a.at(2));
  const Inputs inputs = make_inputs(rows);
  const Cancel cancel;
  double seconds = 0;
  const auto timed = [&](const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::uint64_t planned = 0;
  if (a.at(4) == "bare") {
    const auto file = folder / "bare.duckdb";
    const bool fresh = !std::filesystem::exists(file);
    auto db = engine::Database::open(
        file, {.memory_limit = a.at(3), .spill_folder = folder / "spill", .threads = 0});
    auto c = db.connect();
    if (fresh)
      c.execute(fmt::format("create table prev as select id, hash({}) as h from read_parquet({}); checkpoint",
                            fields, engine::quote_literal(inputs.before.string())));
    timed([&] { c.query(bare_diff(inputs)); });
  } else {
    Project project(folder, a.at(3));
    project.store->begin_run({new_id(), "run", "", "running", "", "", ""});
    project.point_to(a.at(4) == "plan" ? inputs.after : inputs.before, new_id());
    warehouse::Session session(project.places, *project.store, project.options, warehouse::Access::read);
    const auto spec = rows_sync();
    if (a.at(4) == "believe") {
      planned = sync::baseline(session, spec, new_id(), system_clock()).plan.counts.planned();
    } else if (a.at(4) == "first") {
      Acknowledge destination;
      const auto result =
          sync::run_sync(session, spec, destination, new_id(), system_clock(), silent_progress(), cancel);
      planned = result.tally.applied;
    } else {
      timed([&] { planned = sync::plan_sync(session, spec, system_clock()).counts.planned(); });
    }
  }
  fmt::print("{}\n",
             nlohmann::json{{"seconds", seconds}, {"rss_mb", peak_rss_mb()}, {"planned", planned}}.dump());
  return 0;
}

std::vector<Line> plan(double scale) {
  const auto large = static_cast<std::uint64_t>(10'000'000 * scale);
  const testing::Scratch scratch;
  std::vector<Line> lines;
  const auto measure = [&](std::uint64_t rows, const std::string& memory, const std::string& what,
                           const std::string& of = "") {
    const auto folder = scratch / fmt::format("{}-{}", rows, of.empty() ? memory : of);
    std::filesystem::create_directories(folder);
    return nlohmann::json::parse(
        child({"--plan-child", folder.string(), std::to_string(rows), memory, what}));
  };
  const auto median_of = [&](std::uint64_t rows, const std::string& memory, const std::string& what) {
    std::vector<double> seconds;
    for (int i = 0; i < 3; ++i) seconds.push_back(measure(rows, memory, what)["seconds"]);
    std::sort(seconds.begin(), seconds.end());
    return seconds[1];
  };
  const std::string memory = "1GB";
  measure(large, memory, "first");
  measure(large, memory, "bare");  // makes its table
  lines.push_back(ratio_line(fmt::format("plan of {} rows × 8 columns, 1 % changed", with_commas(large)),
                             {median_of(large, memory, "plan"), median_of(large, memory, "bare")},
                             "DuckDB diff", 1.3, true));
  // The same limit for both; what it was when the snapshot was made does not matter.
  const std::uint64_t many = large * 5;
  for (const std::uint64_t rows : {large, many}) measure(rows, "2GB", "believe", "256MB");
  const double one_mb = measure(large, "256MB", "plan")["rss_mb"];
  const double five_mb = measure(many, "256MB", "plan")["rss_mb"];
  lines.push_back({fmt::format("peak memory of that plan, limit 256 MB, {} against {} rows",
                               with_commas(many), with_commas(large)),
                   fmt::format("{:.0f} MB", five_mb), fmt::format("{:.0f} MB", one_mb), five_mb / one_mb,
                   "≤ 1.15", five_mb / one_mb <= 1.15});
  return lines;
}

}  // namespace eddy::bench
