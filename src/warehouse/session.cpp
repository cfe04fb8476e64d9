#include "warehouse/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "engine/holder.h"
#include "engine/torn_log.h"

namespace eddy::warehouse {

using engine::quote_identifier;
using engine::quote_literal;

namespace {

constexpr std::chrono::seconds busy_wait{5};

std::string list_of(const std::vector<std::filesystem::path>& files) {
  std::vector<std::string> quoted;
  for (const auto& file : files) quoted.push_back(quote_literal(file.string()));
  return "[" + join(quoted, ", ") + "]";
}

std::pair<std::string, std::string> layer_and_name(const std::string& relation) {
  const auto dot = relation.find('.');
  return {relation.substr(0, dot), relation.substr(dot + 1)};
}

// A query has the file for as long as it computes: that is waited for like the project's lock.
void attach_when_free(engine::Connection& c, const std::filesystem::path& file, Access access) {
  const auto deadline = std::chrono::steady_clock::now() + busy_wait;
  while (true) {
    try {
      c.execute(fmt::format("attach {} as {}{}", quote_literal(file.string()), Session::warehouse_catalog,
                            access == Access::read ? " (read_only)" : ""));
      return;
    } catch (const Error& error) {
      // Under the project's lock nobody else has it.
      if (access == Access::write && engine::cut_torn_log(file, error)) continue;
      if (engine::log_is_torn(file, error))
        throw Error(
            "warehouse.log_torn",
            fmt::format("the machine stopped while {} was written: {}", file.string(), error.message()),
            "`eddy run` mends it; nothing that was finished is lost");
      const auto holder = engine::holder_of_file(error);
      if (!holder) throw;
      if (std::chrono::steady_clock::now() >= deadline)
        throw Error("warehouse.busy",
                    fmt::format("{} is open in another process: {}", file.string(), *holder),
                    "wait until it has finished, or end that process; nothing was changed");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
}

}  // namespace

std::vector<std::filesystem::path> current_rows(const std::vector<state::Load>& loads, bool append) {
  std::vector<const state::LoadedFile*> current;
  std::map<std::string, std::size_t> place_of;  // origin path -> index in current
  for (const state::Load& load : loads)
    for (const state::LoadedFile& file : load.files) {
      const auto [place, fresh] = place_of.emplace(file.path, current.size());
      if (append || fresh)
        current.push_back(&file);
      else
        current[place->second] = &file;
    }
  std::erase_if(current, [](const auto* file) { return file->rows_path.empty(); });
  // A file without rows only lends its columns, with types nobody has seen a value of: not where others have
  // rows.
  if (std::any_of(current.begin(), current.end(), [](const auto* file) { return file->rows > 0; }))
    std::erase_if(current, [](const auto* file) { return file->rows == 0; });
  std::vector<std::filesystem::path> files;
  for (const auto* file : current) files.emplace_back(file->rows_path);
  return files;
}

std::string History::before(Clock& clock) const {
  return days <= 0 ? "" : format_utc(clock.now() - std::chrono::hours{24} * days);
}

Session::Session(const Places& places, state::Store& store, const engine::Options& options, Access access)
    : places_(places), store_(store), access_(access), database_(engine::Database::in_memory(options)) {
  auto c = database_.connect();
  c.execute("create schema raw; create schema clean; create schema presentation; create schema warehouse");
  for (const auto& [source, stream] : store_.loaded_streams()) refresh_stream(c, source, stream);
  const bool there = std::filesystem::exists(places_.warehouse);
  if (access_ == Access::write || there) attach_warehouse(c);
  define_models(c);
}

void Session::define_models(engine::Connection& c) {
  // Views may read other views; whatever cannot be defined yet is tried again once its inputs are there.
  std::vector<state::ModelVersion> waiting = store_.current_models();
  for (std::size_t before = waiting.size() + 1; !waiting.empty() && waiting.size() < before;) {
    before = waiting.size();
    std::erase_if(waiting, [&](const state::ModelVersion& version) {
      try {
        refresh_model(c, version.model);
        return true;
      } catch (const Error&) {
        return false;
      }
    });
  }
}

void Session::attach_warehouse(engine::Connection& c) {
  if (places_.warehouse.has_parent_path())
    std::filesystem::create_directories(places_.warehouse.parent_path());
  if (access_ == Access::write) engine::make_database_file(c, places_.warehouse);
  attach_when_free(c, places_.warehouse, access_);
  if (access_ == Access::write)
    c.execute(fmt::format("create schema if not exists {}.warehouse", warehouse_catalog));
  auto tables =
      c.query(fmt::format("select table_name from information_schema.tables where table_catalog = '{}' and "
                          "table_schema = 'warehouse'",
                          warehouse_catalog));
  for (const Row& row : tables.rows()) refresh_warehouse_table(c, row[0].as_string());
}

void Session::release_warehouse(engine::Connection& c) {
  c.execute(fmt::format("detach database if exists {}", warehouse_catalog));
}

void Session::refresh_model(engine::Connection& c, const std::string& model) {
  const auto version = store_.current_model(model);
  if (!version) return;
  const auto [layer, name] = layer_and_name(model);
  if (version->path.starts_with(table_mark)) return refresh_warehouse_table(c, name);
  const std::string body = version->path.starts_with(view_mark)
                               ? version->path.substr(view_mark.size())
                               : fmt::format("select * from read_parquet({})",
                                             quote_literal((places_.lake / version->path).string()));
  c.execute(fmt::format("create or replace view {}.{} as {}", quote_identifier(layer), quote_identifier(name),
                        body));
}

void Session::refresh_stream(engine::Connection& c, const std::string& source, const std::string& stream) {
  const bool append = store_.fact(fmt::format("stream_mode.{}.{}", source, stream)) == "append";
  std::vector<std::filesystem::path> files = current_rows(store_.loads(source, stream), append);
  for (auto& file : files) file = places_.lake / file;
  const std::string view = fmt::format("raw.{}", quote_identifier(source + "_" + stream));
  if (files.empty()) return;
  c.execute(fmt::format("create or replace view {} as select * from read_parquet({}, union_by_name = true)",
                        view, list_of(files)));
}

void Session::refresh_warehouse_table(engine::Connection& c, const std::string& name) {
  c.execute(fmt::format("create or replace view warehouse.{0} as select * from {1}.warehouse.{0}",
                        quote_identifier(name), warehouse_catalog));
}

std::vector<std::string> Session::relations(engine::Connection& c) {
  std::vector<std::string> out;
  auto result = c.query(
      "select schema_name || '.' || view_name from duckdb_views() where database_name = 'memory' and "
      "schema_name in "
      "('raw', 'clean', 'presentation', 'warehouse') order by 1");
  for (const Row& row : result.rows()) out.push_back(row[0].as_string());
  return out;
}

}  // namespace eddy::warehouse
