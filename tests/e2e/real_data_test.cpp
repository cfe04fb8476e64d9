// Data that nobody here made: the files of the npm package vega-datasets, with the types, gaps and spellings
// their authors left in them. What arrives is compared with what a bare engine reads from the same files.
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "core/files.h"
#include "core/text.h"
#include "engine/database.h"
#include "loop_fixture.h"
#include "support/postgres_server.h"

namespace eddy::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path data_folder() { return fs::path(EDDY_SOURCE_DIR) / "third_party/npm/vega-datasets/data"; }

#define EDDY_NEEDS_VEGA_DATASETS() \
  if (!fs::exists(data_folder()))  \
  GTEST_SKIP() << "VEGA-DATASETS IS NOT INSTALLED: this test did not run. tools/setup installs it."

// The files as the engine reads them by itself.
class Bare {
 public:
  Bare() : database_(engine::Database::in_memory({})), connection_(database_.connect()) {}

  static std::string file(const std::string& name) {
    const std::string path = engine::quote_literal((data_folder() / name).string());
    if (name.ends_with(".parquet")) return "read_parquet(" + path + ")";
    if (name.ends_with(".json")) return "read_json(" + path + ")";
    return "read_csv(" + path + ")";
  }
  // Cells of one row as text, like psql prints them.
  std::string row(const std::string& sql) {
    std::vector<std::string> cells;
    const std::vector<Row> rows = connection_.query(sql).rows();
    for (const Value& value : rows.at(0)) cells.push_back(value.to_text());
    return join(cells, "|");
  }
  engine::Connection& connection() { return connection_; }

 private:
  engine::Database database_;
  engine::Connection connection_;
};

// `eddy init --from`; the project lies below the Scratch.
ProjectFolder project_from(const fs::path& data, const Scratch& scratch,
                           std::map<std::string, std::string> environment) {
  const ProjectFolder outside(scratch.path(), environment);
  const Finished made = outside.eddy({"init", "proj", "--from", data.string()});
  if (made.exit_code != 0) throw std::runtime_error(made.err);
  return ProjectFolder(scratch / "proj", std::move(environment));
}

struct Stream {
  std::string name, file;
};

std::vector<Stream> streams_of(const ProjectFolder& project) {
  const std::string yaml = read_file(project.path() / "sources/data.yml");
  const std::regex line(R"re(\n  (\w+): \{path: "([^"]+)")re");
  std::vector<Stream> streams;
  for (std::sregex_iterator it(yaml.begin(), yaml.end(), line), end; it != end; ++it)
    streams.push_back({(*it)[1], (*it)[2]});
  return streams;
}

// One select over all streams: count, then sum, minimum and maximum of every column that the bare engine
// calls numeric.
std::string numbers_of(const std::string& name, const std::string& relation,
                       const std::vector<std::string>& numeric) {
  std::string list;
  for (const std::string& column : numeric) {
    const std::string number = fmt::format("try_cast({} as double)", engine::quote_identifier(column));
    list += fmt::format("{0}sum({1}), min({1}), max({1})", list.empty() ? "" : ", ", number);
  }
  return fmt::format("select '{}' as stream, count(*) as n, [{}]::double[] as v from {}", name, list,
                     relation);
}

TEST(RealData, EveryFileOfTheFolderArrivesWhole) {
  EDDY_NEEDS_VEGA_DATASETS();
  const Scratch scratch;
  const ProjectFolder project = project_from(data_folder(), scratch, {});
  const Finished looped = project.eddy({"run"});
  ASSERT_EQ(looped.exit_code, 0) << looped.err;
  EXPECT_NE(looped.err.find("WARN=0 HELD=0 FAIL=0"), std::string::npos) << looped.err;

  const std::vector<Stream> streams = streams_of(project);
  EXPECT_GE(streams.size(), 60u);
  Bare bare;
  std::map<std::string, json> expected;
  std::vector<std::string> selects;
  std::size_t columns = 0;
  for (const Stream& stream : streams) {
    std::vector<std::string> numeric;
    for (const engine::EngineColumn& column :
         bare.connection().columns_of("select * from " + Bare::file(stream.file)))
      if (column.type == Type::integer || column.type == Type::real || column.type == Type::decimal)
        numeric.push_back(column.name);
    columns += numeric.size();
    const Row row =
        bare.connection().query(numbers_of(stream.name, Bare::file(stream.file), numeric)).rows().at(0);
    expected[stream.name] = {{"n", row[1].to_json()}, {"v", row[2].to_json()}};
    selects.push_back(numbers_of(stream.name, "raw.data_" + stream.name, numeric));
  }
  EXPECT_GT(columns, 150u);
  for (const json& row : project.query(join(selects, " union all "))) {
    const json& should = expected.at(row["stream"]);
    EXPECT_EQ(row["n"], should["n"]) << row["stream"];
    ASSERT_EQ(row["v"].size(), should["v"].size()) << row["stream"];
    for (std::size_t i = 0; i < row["v"].size(); ++i) {
      const std::string place = fmt::format("{}, value {}", row["stream"].get<std::string>(), i);
      ASSERT_EQ(row["v"][i].is_null(), should["v"][i].is_null()) << place;
      if (row["v"][i].is_null()) continue;
      const double want = should["v"][i];
      // A sum of doubles depends on the order in which threads add.
      EXPECT_NEAR(row["v"][i].get<double>(), want, i % 3 == 0 ? std::abs(want) * 1e-9 : 0) << place;
    }
    expected.erase(row["stream"]);
  }
  EXPECT_TRUE(expected.empty());
}

void add_syncs(const ProjectFolder& project) {
  const std::string connections = read_file(project.path() / "connections.yml");
  project.write("connections.yml",
                connections +
                    "\nhubspot: {type: hubspot, base_url: \"${HUBSPOT_URL}\", token: pat-sandbox-token}\n"
                    "db: {type: postgres, url: \"${DATABASE_URL}\"}\n");
  project.write("models/presentation/flights.sql",
                "select row_number() over (order by date, origin, destination, delay, distance) as id,\n"
                "  strptime(date, '%Y/%m/%d %H:%M') as departed_at, delay, distance, origin, destination\n"
                "from clean.flights_20k\n");
  project.write(
      "models/presentation/movies.sql",
      "select 'movie' || row_number() over (order by all_columns) || '@films.example' as email, m.*\n"
      "from (select *, to_json(c) as all_columns from clean.movies c) m\n");
  project.write("syncs/zipcodes.yml", R"(model: clean.zipcodes
destination: db
object: zipcodes
key: {zip_code: zip_code}
options: {create_table: true}
fields: {latitude: latitude, longitude: longitude, city: city, state: state, county: county}
)");
  project.write("syncs/flights.yml", R"(model: presentation.flights
destination: db
object: flights
key: {id: id}
options: {create_table: true}
fields: {departed_at: departed_at, delay: delay, distance: distance, origin: origin, destination: destination}
)");
  project.write("syncs/movies.yml", R"(model: presentation.movies
destination: hubspot
object: contacts
key: {email: email}
fields: {firstname: title, lastname: director, ltv: worldwide_gross, lead_score: rotten_tomatoes_rating, propensity: imdb_rating}
)");
}

TEST(RealData, ReachesADatabaseAndAServiceUnchanged) {
  EDDY_NEEDS_VEGA_DATASETS();
  EDDY_NEEDS_POSTGRES();
  const Scratch scratch;
  SandboxServices sandbox(scratch, {});
  const PostgresServer server;
  std::map<std::string, std::string> environment = sandbox.environment();
  environment["DATABASE_URL"] = fmt::format("postgresql://{}:{}@{}:{}/{}", server.user(), server.password(),
                                            server.host(), server.port(), server.database());
  fs::create_directories(scratch / "data");
  for (const char* name : {"zipcodes.csv", "flights-20k.json", "movies.json"})
    fs::copy(data_folder() / name, scratch / "data");
  const ProjectFolder project = project_from(scratch / "data", scratch, environment);
  add_syncs(project);
  const std::vector<std::string> run_syncs = {"run", "-s", "+sync.zipcodes +sync.flights +sync.movies"};
  const Finished looped = project.eddy(run_syncs);
  ASSERT_EQ(looped.exit_code, 0) << looped.err;

  Bare bare;
  const auto trimmed = [](std::string text) { return trim(text); };
  // Both add decimals, so that the sums are exact.
  EXPECT_EQ(trimmed(server.sql("select count(*), count(distinct zip_code), sum(latitude::numeric(18, 6)), "
                               "sum(longitude::numeric(18, 6)),"
                               " min(latitude), max(latitude), min(longitude), max(longitude), count(city), "
                               "count(county) from zipcodes")),
            bare.row("select count(*), count(distinct zip_code), sum(latitude::decimal(18, 6)), "
                     "sum(longitude::decimal(18, 6)),"
                     " min(latitude), max(latitude), min(longitude), max(longitude), count(trim(city)), "
                     "count(trim(county)) from " +
                     Bare::file("zipcodes.csv")));
  EXPECT_EQ(
      trimmed(server.sql(
          "select count(*), sum(delay), min(delay), max(delay), sum(distance), min(distance), max(distance),"
          " to_char(min(departed_at), 'YYYY/MM/DD HH24:MI'), to_char(max(departed_at), 'YYYY/MM/DD HH24:MI'),"
          " count(distinct origin), count(distinct destination) from flights")),
      bare.row(
          "select count(*), sum(delay), min(delay), max(delay), sum(distance), min(distance), max(distance),"
          " min(date::text), max(date::text), count(distinct origin), count(distinct destination) from "
          "read_json(" +
          engine::quote_literal((data_folder() / "flights-20k.json").string()) +
          ", columns={date: 'VARCHAR', delay: 'BIGINT', distance: 'BIGINT', origin: 'VARCHAR', destination: "
          "'VARCHAR'})"));

  const fs::path received = scratch.write("contacts.json", sandbox.records("hubspot", "contacts").dump());
  const std::string fields =
      "count(*), count({0}), min({0}), max({0}), count({1}), min({1}), max({1}), sum({2}::decimal(18, 0)), "
      "min({2}::double), max({2}::double), count({2}),"
      " sum({3}::integer), min({3}::integer), max({3}::integer), count({3}), sum({4}::decimal(18, 1)), "
      "min({4}::double), max({4}::double), count({4})";
  const auto measure = [&](const std::string& title, const std::string& director, const std::string& gross,
                           const std::string& tomatoes, const std::string& imdb, const std::string& from) {
    return bare.row("select " + fmt::format(fmt::runtime(fields), title, director, gross, tomatoes, imdb) +
                    " from " + from);
  };
  const std::string at_source =
      measure("nullif(trim(\"Title\" ->> '$'), '')", "nullif(trim(\"Director\"), '')", "\"Worldwide Gross\"",
              "\"Rotten Tomatoes Rating\"", "\"IMDB Rating\"", Bare::file("movies.json"));
  EXPECT_EQ(measure("firstname", "lastname", "ltv", "lead_score", "propensity",
                    "read_json(" + engine::quote_literal(received.string()) +
                        ", columns={firstname: 'VARCHAR', lastname: 'VARCHAR', ltv: 'VARCHAR', lead_score: "
                        "'VARCHAR', propensity: 'VARCHAR'})"),
            at_source);
  EXPECT_EQ(sandbox.rows_received("hubspot"), 3201);
  EXPECT_TRUE(at_source.starts_with("3201|")) << at_source;

  // xmin names the transaction that wrote a row: a second run writes none.
  const std::string writers =
      "select md5(string_agg(zip_code || xmin, ',' order by zip_code)) from zipcodes;"
      "select md5(string_agg(id::text || xmin, ',' order by id)) from flights";
  const std::string written_by = server.sql(writers);
  const Finished again = project.eddy(run_syncs);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(server.sql(writers), written_by);
  EXPECT_EQ(sandbox.rows_received("hubspot"), 3201);
}

}  // namespace
}  // namespace eddy::testing
