#include "small_project.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/text.h"
#include "engine/database.h"
#include "transport/sqlite/database.h"

namespace eddy::testing {

namespace fs = std::filesystem;

Records people(int day, int rows) {
  Records out;
  // Each day the four lowest keys go, six come, and every fifth changes its score.
  for (int id = 1 + 4 * (day - 1); id <= rows + 6 * (day - 1); ++id)
    out[std::to_string(id)] = fmt::format("n{}|{}", id, id % 5 == day % 5 ? 100 * day + id : id);
  return out;
}

SmallProject::SmallProject(fs::path folder, const std::string& connections, const std::string& sync)
    : folder_(std::move(folder)) {
  write("eddy.yml", "name: small\n");
  write("connections.yml", "files: {type: files}\n" + connections);
  write("sources/shop.yml", "connection: files\nstreams:\n  people: {path: people.csv}\n");
  write("models/presentation/people.sql", "select * from raw.shop_people\n");
  write("syncs/people.yml", "model: presentation.people\nkey: {id: id}\n" + sync);
}

SmallProject SmallProject::with_own_warehouse(fs::path folder, const std::string& connections,
                                              const std::string& sync) {
  SmallProject project(std::move(folder));
  project.write("connections.yml", connections);
  project.write("syncs/people.yml", "model: crm.people\nkey: {id: id}\n" + sync);
  return project;
}

void SmallProject::write(const std::string& name, const std::string& text) const {
  fs::create_directories((folder_ / name).parent_path());
  std::ofstream(folder_ / name, std::ios::binary) << text;
}

void SmallProject::set_model(const Records& records) const {
  std::string csv = "id,name,score\n";
  for (const auto& [key, fields] : records) csv += key + "," + replace_all(fields, "|", ",") + "\n";
  write("people.csv", csv);
}

SmallProject SmallProject::copy_to(const fs::path& folder) const {
  fs::copy(folder_, folder, fs::copy_options::recursive);
  return SmallProject(folder);
}

Command SmallProject::command(const std::vector<std::string>& arguments, const Fault* fault) const {
  const char* other = std::getenv("EDDY_FAULTS_PROGRAM");
  Command command{.argv = {other != nullptr ? other : program("eddy").string()}, .directory = folder_};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  if (fault != nullptr) command.environment = environment_of(*fault, folder_, aside());
  command.environment["NO_COLOR"] = "1";
  return command;
}

Finished SmallProject::eddy(const std::vector<std::string>& arguments) const {
  return run(command(arguments));
}
Finished SmallProject::eddy(const std::vector<std::string>& arguments, const Fault& fault) const {
  return run(command(arguments, &fault));
}

Records SmallProject::snapshot() const {
  Records out;
  if (!fs::exists(folder_ / ".eddy/sync.duckdb")) return out;
  const fs::path copy = aside() / "snapshot";
  fs::remove_all(copy);
  fs::create_directories(copy);
  for (const char* name : {"sync.duckdb", "sync.duckdb.wal"})
    if (fs::exists(folder_ / ".eddy" / name)) fs::copy(folder_ / ".eddy" / name, copy / name);
  engine::Options options;
  options.threads = 1;
  auto database = engine::Database::open(copy / "sync.duckdb", options);
  auto connection = database.connect();
  if (connection
          .query("select 1 from duckdb_tables() where schema_name = 'snapshot' and table_name = 'people'")
          .rows()
          .empty())
    return out;
  for (const Row& row :
       connection
           .query("select k1::varchar, v1::varchar || '|' || v2 from snapshot.people where row_hash <> 0")
           .rows())
    out[row[0].as_string()] = row[1].to_text();
  return out;
}

std::map<std::string, std::set<std::string>> SmallProject::open_rejects() const {
  const Finished listed = eddy({"rejects", "people", "--json", "--limit", "1000000"});
  if (listed.exit_code != 0) throw std::runtime_error("eddy rejects: " + listed.err);
  std::map<std::string, std::set<std::string>> keys;
  for (const std::string& line : split(listed.out, '\n')) {
    if (line.empty()) continue;
    const auto reject = nlohmann::json::parse(line);
    keys[reject.at("outcome").get<std::string>()].insert(reject.at("key").at(0).dump());
  }
  return keys;
}

std::map<std::string, std::int64_t> SmallProject::counts() const {
  const Finished listed = eddy({"runs", "--limit", "1", "--json"});
  if (listed.exit_code != 0) throw std::runtime_error("eddy runs: " + listed.err);
  const auto id =
      nlohmann::json::parse(listed.out.substr(0, listed.out.find('\n'))).at("run").get<std::string>();
  std::map<std::string, std::int64_t> out;
  for (const std::string& line : split(eddy({"runs", id, "--json"}).out, '\n')) {
    if (line.empty()) continue;
    const auto node = nlohmann::json::parse(line);
    if (node.at("kind") != "sync") continue;
    for (const auto& [name, value] : node.at("details").items())
      if (value.is_number_integer()) out[name] = value.get<std::int64_t>();
  }
  return out;
}

void SqliteBook::create(const fs::path& file, const std::string& journal_mode) {
  sqlite::Database database(file, sqlite::Access::create);
  database.exec("pragma journal_mode = " + journal_mode);
  database.exec("create table people(id integer primary key, name text, score integer);");
  database.exec(
      "create table history(n integer primary key autoincrement, what text, id integer, name text, score "
      "integer);"
      "create trigger a after insert on people begin insert into history(what, id, name, score) values "
      "('insert', new.id, "
      "new.name, new.score); end;"
      "create trigger b after update on people begin insert into history(what, id, name, score) values "
      "('update', new.id, "
      "new.name, new.score); end;"
      "create trigger c after delete on people begin insert into history(what, id) values ('delete', "
      "old.id); end;");
}

Book SqliteBook::read(const fs::path& file) {
  Book book;
  sqlite::Database database(file, sqlite::Access::read_write);
  sqlite::Statement now(database, "select id, name || '|' || score from people");
  while (now.step()) book.records[now.text(0)] = now.text(1);
  sqlite::Statement history(database, "select what, id, name || '|' || score from history order by n");
  while (history.step()) {
    if (history.text(0) == "insert") ++book.created[history.text(1)];
    if (history.text(0) != "delete") ++book.applied[{history.text(1), history.text(2)}];
  }
  return book;
}

std::string difference(const Records& expected, const Records& actual) {
  std::string out;
  for (const auto& [key, fields] : expected) {
    const auto found = actual.find(key);
    if (found == actual.end())
      out += fmt::format("{}: {} is missing\n", key, fields);
    else if (found->second != fields)
      out += fmt::format("{}: {} instead of {}\n", key, found->second, fields);
  }
  for (const auto& [key, fields] : actual)
    if (!expected.contains(key)) out += fmt::format("{}: {} should not be there\n", key, fields);
  return out;
}

}  // namespace eddy::testing
