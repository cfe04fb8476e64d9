#include "ingest/inspect.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "ingest/testing_source.h"

namespace eddy::ingest {
namespace {

namespace fs = std::filesystem;

std::string described(const FolderContents& contents) {
  std::string out;
  for (const FoundStream& s : contents.streams) {
    out += fmt::format("{} = {} ({}, {} rows):", s.name, s.path, name_of(s.format), s.rows);
    for (const FoundColumn& c : s.columns) out += fmt::format(" {} {}", c.name, c.type);
    out += fmt::format("; key {}; dates {}; numbers {}; categories {}\n", join(s.key_candidates, ","),
                       join(s.dates, ","), join(s.numbers, ","), join(s.categories, ","));
  }
  for (const SkippedFile& s : contents.skipped) out += fmt::format("skip {}: {}\n", s.path, s.reason);
  return out;
}

FolderContents look(testing::Project& project, const fs::path& folder) {
  auto c = project.connect();
  const Cancel cancel;
  return inspect_folder(c, folder, project.lake() / "work", cancel);
}

TEST(Inspect, FindsStreamsAndSaysWhyItSkips) {
  testing::Project p;
  p.write("customers.csv",
          "customer_id,email,plan,since\n1,a@x,free,2024-01-01\n2,b@x,pro,2024-01-02\n3,c@x,free,2024-02-"
          "01\n4,d@x,pro,2024-02-02\n");
  p.write("orders/2024-01.csv", "id,total\n1,1.5\n2,2.5\n");
  p.write("orders/2024-02.csv", "id,total\n3,1.5\n");
  p.write("events-1.jsonl",
          "{\"user\":1,\"at\":\"2024-01-01T00:00:00Z\",\"tags\":[1]}\nbroken\n{\"user\":1,\"at\":\"2024-01-"
          "02T00:00:00Z\"}\n");
  p.write("events-2.jsonl", "{\"user\":2,\"at\":\"2024-01-03T00:00:00Z\",\"tags\":null}\n");
  p.write("events-old.jsonl", "{\"other\":2}\n");
  p.write("sizes-2k.json", "[{\"a\":1},{\"a\":2}]");
  p.write("sizes-5k.json", "[{\"a\":1},{\"a\":3}]");
  p.write("map.json", "{\"type\":\"Topology\",\"arcs\":[]}");
  p.write("graph.json", "{\"nodes\":[1],\"links\":[2]}");
  p.write("numbers.json", "[1,2,3]");
  p.write("cut.json", "[{\"a\":1},");
  p.write("logo.png", "\x89PNG");
  p.write("empty.csv", "");
  p.write("head.csv", "a,b\n");
  p.write("bad.parquet", "no");
  p.write(".hidden.csv", "a\n1\n");
  EXPECT_EQ(described(look(p, p.data())),
            "customers = customers.csv (csv, 4 rows): customer_id BIGINT email VARCHAR plan VARCHAR since "
            "DATE; key customer_id,email; dates since; numbers ; categories plan\n"
            "events = events-[0-9]*.jsonl (jsonl, 3 rows): user BIGINT at TIMESTAMP tags JSON; key ; dates "
            "at; numbers user; categories \n"
            "events_old = events-old.jsonl (jsonl, 1 rows): other BIGINT; key ; dates ; numbers other; "
            "categories \n"
            "orders = orders/*-*.csv (csv, 3 rows): id BIGINT total DOUBLE; key id; dates ; numbers total; "
            "categories \n"
            "sizes_2k = sizes-2k.json (json, 2 rows): a BIGINT; key a; dates ; numbers a; categories \n"
            "sizes_5k = sizes-5k.json (json, 2 rows): a BIGINT; key a; dates ; numbers a; categories \n"
            "skip bad.parquet: File '" +
                (p.data() / "bad.parquet").string() +
                "' too small to be a Parquet file\nskip cut.json: it is no JSON: syntax error while parsing "
                "value - unexpected end of input; expected '[', '{', or a literal (byte 10)\nskip empty.csv: "
                "it is empty\nskip graph.json: a single object with nested links, nodes, not a list of rows\n"
                "skip head.csv: it has no rows\nskip logo.png: an image\nskip map.json: TopoJSON: geometry, "
                "not rows\nskip numbers.json: it is a list, but not of objects\n");
}

TEST(Inspect, NoFolder) {
  testing::Project p;
  EXPECT_THROW(look(p, p.data() / "nowhere"), Error);
}

TEST(Inspect, IdentifiersOfNames) {
  EXPECT_EQ(identifier_of("londonBoroughs-2k"), "london_boroughs_2k");
  EXPECT_EQ(identifier_of("7zip"), "t_7zip");
  EXPECT_EQ(identifier_of("--"), "data");
  EXPECT_EQ(identifier_of("Sales  Report (final)"), "sales_report_final");
}

// Data nobody here made; there when the package is installed.
TEST(Inspect, TheVegaDatasets) {
  const fs::path folder = fs::path(EDDY_SOURCE_DIR) / "third_party/npm/vega-datasets/data";
  if (!fs::exists(folder)) GTEST_SKIP() << "the package vega-datasets is not installed";
  testing::Project p;
  const FolderContents contents = look(p, folder);
  const std::string text = described(contents);
  if (std::getenv("EDDY_SHOW") != nullptr) std::puts(text.c_str());
  const auto rows_of = [&](std::string_view name) {
    const auto found = std::find_if(contents.streams.begin(), contents.streams.end(),
                                    [&](const FoundStream& s) { return s.name == name; });
    return found == contents.streams.end() ? 0 : found->rows;
  };
  EXPECT_EQ(rows_of("flights_3m"), 3'000'000U);
  EXPECT_EQ(rows_of("flights_2k"), 2000U);
  EXPECT_EQ(rows_of("movies"), 3201U) << text;
  EXPECT_EQ(rows_of("weather"), 2922U) << text;
  EXPECT_NE(text.find("skip us-10m.json: TopoJSON"), std::string::npos) << text;
  EXPECT_NE(text.find("skip 7zip.png: an image"), std::string::npos) << text;
}

}  // namespace
}  // namespace eddy::ingest
