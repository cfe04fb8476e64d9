#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "bench.h"
#include "core/text.h"
#include "engine/database.h"
#include "planned.h"
#include "support/process.h"
#include "support/scratch.h"
#include "transport/http/server.h"

namespace eddy::bench {
namespace {

using std::chrono::steady_clock;

// A project as a user has it, with the program as a user starts it.
class UserProject {
 public:
  UserProject(const testing::Scratch& scratch, std::string name, std::uint64_t rows, int port)
      : folder_(scratch / name) {
    const auto write = [&](const std::string& file, const std::string& text) {
      scratch.write(name + "/" + file, text);
    };
    write("eddy.yml", "name: bench\nengine: {memory_limit: 1GB}\n");
    write(
        "connections.yml",
        fmt::format("crm: {{type: \"null\", token: bench-token, base_url: 'http://127.0.0.1:{}'}}\n", port));
    write("models/presentation/rows.sql", customers_sql(rows) + "\n");
    write("syncs/contacts.yml",
          "model: presentation.rows\ndestination: crm\nobject: contacts\nkey: {email: email}\n"
          "fields: {number: number, name: name, city: city, ltv: ltv, orders: orders, active: active, "
          "signup: signup}\nguards: {first_run: 100000000}\n");
    std::filesystem::create_directories(folder_ / "connectors");
    std::filesystem::copy(std::filesystem::path(EDDY_SOURCE_DIR) / "bench/connectors/null",
                          folder_ / "connectors/null");
  }
  void run(const std::string& node) const {
    const auto finished =
        testing::run({.argv = {testing::program("eddy").string(), "run", "-s", node}, .directory = folder_});
    if (finished.exit_code != 0) throw std::runtime_error("eddy run: " + finished.out + finished.err);
  }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

class Listening {
 public:
  Listening()
      : server_({}, [this](const http::IncomingRequest&) {
          if (requests_++ == 0) first_ = steady_clock::now();
          return http::Reply::text(200, "{}", "application/json");
        }) {}
  int port() const { return server_.port(); }
  std::size_t requests() const { return requests_; }
  steady_clock::time_point first() const { return first_; }
  void forget() { requests_ = 0; }

 private:
  std::atomic<std::size_t> requests_{0};
  steady_clock::time_point first_{};  // written by the handler of the first request, read after the run
  http::Server server_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Line first_request(const testing::Scratch& scratch, Listening& service) {
  std::vector<double> ms, version;
  for (int round = 0; round < 5; ++round) {
    const UserProject project(scratch, fmt::format("first-{}", round), 1'000, service.port());
    project.run("presentation.rows");
    service.forget();
    const auto start = steady_clock::now();
    project.run("sync.contacts");
    ms.push_back(std::chrono::duration<double, std::milli>(service.first() - start).count());
    const auto again = steady_clock::now();
    testing::run({.argv = {testing::program("eddy").string(), "version"}});
    version.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - again).count());
  }
  return {"process start to the first request, 1,000 rows",
          fmt::format("{:.0f} ms", median(ms)),
          fmt::format("{:.0f} ms (eddy version)", median(version)),
          median(ms) / 150,
          "≤ 150 ms",
          median(ms) <= 150};
}

Line nothing_changed(const testing::Scratch& scratch, Listening& service, std::uint64_t rows) {
  const UserProject project(scratch, "unchanged", rows, service.port());
  project.run("presentation.rows");
  project.run("sync.contacts");
  service.forget();
  const auto file = scratch / "bare.duckdb";
  const auto parquet = scratch / "rows.parquet";
  {
    auto db = engine::Database::open(file, {.memory_limit = "1GB", .spill_folder = scratch / "spill"});
    auto c = db.connect();
    c.execute(fmt::format("copy ({}) to {} (format parquet)", customers_sql(rows),
                          engine::quote_literal(parquet.string())));
    c.execute(
        fmt::format("create table prev as select email, hash(number, name, city, ltv, orders, active, "
                    "signup) as h from read_parquet({}); checkpoint",
                    engine::quote_literal(parquet.string())));
  }
  const auto pair = alternate(
      3, [&] { project.run("sync.contacts"); },
      [&] {
        child({"--diff-child", file.string(), parquet.string()});
      });
  Line line =
      ratio_line(fmt::format("a run with nothing changed, {} rows, with process start", with_commas(rows)),
                 pair, "DuckDB diff", 1.5, true);
  if (service.requests() > 0) throw std::runtime_error("an unchanged model was sent");
  return line;
}

}  // namespace

// --diff-child DATABASE PARQUET: the bare diff query in a process of its own.
int diff_child(const std::vector<std::string>& a) {
  const std::filesystem::path file = a.at(1);
  auto db =
      engine::Database::open(file, {.memory_limit = "1GB", .spill_folder = file.parent_path() / "spill"});
  auto c = db.connect();
  c.query(fmt::format(
      "select op, count(*) from (select coalesce(c.email, p.email) id, case when p.email is null then 1 when "
      "c.email is null then 3 else 2 end op from (select email, hash(number, name, city, ltv, orders, "
      "active, "
      "signup) as h from read_parquet({})) c full outer join prev p on c.email = p.email where p.email is "
      "null or "
      "c.email is null or c.h <> p.h) group by op",
      engine::quote_literal(a.at(2))));
  return 0;
}

std::vector<Line> start(double scale) {
  const testing::Scratch scratch;
  Listening service;
  return {first_request(scratch, service),
          nothing_changed(scratch, service, static_cast<std::uint64_t>(1'000'000 * scale))};
}

}  // namespace eddy::bench
