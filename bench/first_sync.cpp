#include "first_sync.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "core/text.h"
#include "engine/database.h"
#include "sync/apply.h"

namespace eddy::bench {
namespace {

constexpr std::array fields = {"email", "name", "city", "ltv", "orders", "active", "signup"};

std::string model_sql(std::uint64_t rows) {
  return fmt::format(
      "select i as id, 'customer' || i || '@example.com' as email, 'Name ' || md5(i::varchar)[1:12] as name, "
      "['Prague','Paris','Lagos','Lima','Osaka'][1 + i % 5] as city, "
      "((i * 31 % 100000) / 100.0)::double as ltv, (i % 50)::integer as orders, i % 3 = 0 as active, (date "
      "'2020-01-01' + (i % 2000)::int)::date as signup from range({}) t(i)",
      rows);
}

Change change_of(std::uint64_t i) {
  constexpr std::array cities = {"Prague", "Paris", "Lagos", "Lima", "Osaka"};
  return {.number = i,
          .operation = Operation::add,
          .key = {Value::integer(static_cast<std::int64_t>(i))},
          .fields = {Value::text(fmt::format("customer{}@example.com", i)),
                     Value::text(fmt::format("Name {:012x}", i * 7919)), Value::text(cities[i % 5]),
                     Value::real(static_cast<double>(i * 31 % 100000) / 100.0),
                     Value::integer(static_cast<std::int64_t>(i % 50)), Value::boolean(i % 3 == 0),
                     Value::date(fmt::format("20{:02}-{:02}-{:02}", 20 + i % 6, 1 + i % 12, 1 + i % 28))},
          .changed = std::vector<bool>(7, true)};
}

}  // namespace

FirstSync::FirstSync(std::uint64_t row_count) : rows(row_count), columns_sql("id") {
  for (const char* field : fields) columns_sql += fmt::format(", {}", field);
}

std::string FirstSync::updates(const std::string& pattern) const {
  std::vector<std::string> parts;
  for (const char* field : fields) parts.push_back(fmt::format(fmt::runtime(pattern), field));
  return join(parts, ", ");
}

void FirstSync::write_csv(const std::filesystem::path& file) const {
  auto db = engine::Database::in_memory(
      {.memory_limit = "1GB", .spill_folder = file.parent_path() / "spill", .threads = 0});
  auto c = db.connect();
  c.execute(fmt::format("copy ({}) to {} (header)", model_sql(rows), engine::quote_literal(file.string())));
}

config::Node settings_of(const std::string& yaml) {
  Diagnostics diagnostics;
  const auto node = config::parse(yaml, "bench", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return node;
}

void FirstSync::run(sync::Destination& destination, const std::string& object,
                    const std::filesystem::path& folder) const {
  const warehouse::Places places{folder, folder / ".eddy", folder / "lake", folder / "warehouse.duckdb"};
  const auto store = state::Store::open(places.dot_eddy / "state.db");
  store->begin_run({"bench", "run", "", "running", "", "", ""});
  store->commit_model({"presentation.rows", "v1", "view:" + model_sql(rows), rows, "", "", "bench"});
  warehouse::Session session(places, *store,
                             {.memory_limit = "1GB", .spill_folder = folder / "spill", .threads = 0},
                             warehouse::Access::read);
  Diagnostics diagnostics;
  const auto spec =
      sync::parse_sync("rows",
                       settings_of(fmt::format("model: presentation.rows\ndestination: there\nobject: {}\n"
                                               "key: {{id: id}}\nguards: {{first_run: 0}}\nfields: {{{}}}\n",
                                               object, updates("{0}: {0}"))),
                       diagnostics);
  diagnostics.throw_if_any();
  const Cancel cancel;
  const auto result =
      sync::run_sync(session, *spec, destination, "bench", system_clock(), silent_progress(), cancel);
  if (result.tally.applied != rows)
    throw std::runtime_error(
        fmt::format("{} of {} rows applied ({})", result.tally.applied, rows, result.status));
}

double FirstSync::deliver_only(sync::Destination& destination, const std::string& object) const {
  std::vector<Change> changes;
  for (std::uint64_t i = 0; i < rows; ++i) changes.push_back(change_of(i));
  const auto writer = destination.open({.object = object,
                                        .key = {{"id", Type::integer}},
                                        .fields = {{"email", Type::text},
                                                   {"name", Type::text},
                                                   {"city", Type::text},
                                                   {"ltv", Type::real},
                                                   {"orders", Type::integer},
                                                   {"active", Type::boolean},
                                                   {"signup", Type::date}},
                                        .options = {},
                                        .sync = "bench"});
  const sync::Limits limits = writer->limits();
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> workers;
    for (std::size_t w = 0; w < limits.workers_max; ++w)
      workers.emplace_back([&] {
        for (;;) {
          const std::size_t at = next.fetch_add(limits.batch_rows_max);
          if (at >= changes.size()) return;
          const std::size_t count = std::min(limits.batch_rows_max, changes.size() - at);
          for (const Verdict& verdict : writer->deliver(std::span(changes).subspan(at, count)).verdicts)
            if (verdict.outcome != Outcome::applied) failed = true;
        }
      });
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (failed) throw std::runtime_error("a row was not applied");
  return seconds;
}

}  // namespace eddy::bench
