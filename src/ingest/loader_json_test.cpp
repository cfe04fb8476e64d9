// Loads of JSON lines, arrays and objects; the others are in loader_test.cpp.
#include "ingest/loader.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "ingest/quarantine.h"
#include "ingest/testing_source.h"
#include "lake/layout.h"
#include "lake/publish.h"
#include "support/process.h"
#include "support/scratch.h"

namespace eddy::ingest {
namespace {

namespace fs = std::filesystem;
using eddy::testing::run;
using testing::Project;

TEST(Load, BrokenJsonLinesAreQuarantined) {
  Project project;
  project.write("a.jsonl",
                "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\n\nnot json\n[1,2]\n5\n{\"a\":7} "
                "{\"a\":8}\n{\"a\":1,\"a\":2}\n{\"a\":3,\"n\":{\"k\":[1]},\"b\":\"z\"}");
  const LoadResult result = project.load({.path = "a.jsonl"});
  EXPECT_EQ(result.rows, 2U);
  EXPECT_EQ(project.sql("select a, b, n, typeof(n) from raw.shop_s order by 1"),
            "1|x||JSON\n3|z|{\"k\":[1]}|JSON\n");
  EXPECT_EQ(
      project.quarantine(true),
      "a.jsonl:2 json.syntax <{\"a\":2,\"b\":>\na.jsonl:4 json.syntax <not json>\na.jsonl:5 "
      "json.not_an_object <[1,2]>\na.jsonl:6 json.not_an_object <5>\n"
      "a.jsonl:7 json.syntax <{\"a\":7} {\"a\":8}>\na.jsonl:8 json.duplicate_key <{\"a\":1,\"a\":2}>\n");
}

TEST(Load, JsonValuesThatDoNotFitTheirColumnAreQuarantined) {
  Project project;
  project.write("a.jsonl", "{\"a\":1,\"t\":\"2024-01-01T10:00:00Z\",\"ok\":true}\n");
  project.load({.path = "*.jsonl"});
  project.write("b.jsonl",
                "{\"a\":1.5}\n{\"a\":\"abc\"}\nbroken\n{\"a\":\"12\",\"t\":\"soon\"}\n{\"a\":null,\"ok\":"
                "false}\n{\"a\":4,\"t\":\"2024-02-01T00:00:00\"}\n{\"a\":2.0}\n");
  const LoadResult result = project.load({.path = "*.jsonl"});
  EXPECT_EQ(result.rows, 3U);
  EXPECT_EQ(project.sql("select count(*), sum(a), count(t), count(ok) from raw.shop_s"), "4|7|2|2\n");
  const std::string quarantine = project.quarantine();
  EXPECT_NE(quarantine.find("b.jsonl:1 json.bad_value column `a`: `1.5` is no BIGINT <{\"a\":1.5}>"),
            std::string::npos)
      << quarantine;
  EXPECT_NE(quarantine.find("b.jsonl:2 json.bad_value column `a`: `abc` is no BIGINT <{\"a\":\"abc\"}>"),
            std::string::npos)
      << quarantine;
  EXPECT_NE(quarantine.find("b.jsonl:3 json.syntax"), std::string::npos) << quarantine;
  EXPECT_NE(quarantine.find("b.jsonl:4 json.bad_value column `t`: `soon` is no TIMESTAMP <"),
            std::string::npos)
      << quarantine;
}

TEST(Load, NumbersBeyond64BitsKeepTheirDigits) {
  Project project;
  project.write("a.csv", "id,v\n99999999999999999999,1.5\n1,2\n");
  project.load({.path = "a.csv"});
  EXPECT_EQ(project.sql("select id::varchar, typeof(id), typeof(v) from raw.shop_s order by id"),
            "1|DECIMAL(38,0)|DOUBLE\n99999999999999999999|DECIMAL(38,0)|DOUBLE\n");
}

TEST(Load, JsonTypesAreWhatTheValuesSay) {
  Project project;
  project.write("a.jsonl",
                "{\"n\":-1,\"title\":\"x\",\"d\":\"01/02/"
                "2024\",\"big\":18446744073709551615,\"nothing\":null}\n{\"n\":2,\"title\":300,\"d\":\"25/12/"
                "2024\",\"big\":1,\"nothing\":null}\n");
  project.load({.path = "a.jsonl"});
  EXPECT_EQ(project.sql("select typeof(n), typeof(title), typeof(d), typeof(nothing), title, big::varchar "
                        "from raw.shop_s order by n"),
            "BIGINT|VARCHAR|VARCHAR|VARCHAR|x|18446744073709551615\nBIGINT|VARCHAR|VARCHAR|VARCHAR|300|1\n");
}

TEST(Load, JsonArraysAndObjects) {
  Project project;
  project.write("a.json", "[\n {\"id\": 1, \"v\": \"a\\nb\"},\n 5,\n {\"id\": 2,\n  \"v\": null}\n]\n");
  EXPECT_EQ(project.load({.path = "a.json"}).rows, 2U);
  EXPECT_EQ(project.quarantine(), "a.json:3 json.not_an_object element 2: is no object <5>\n");
  Project single;
  single.write("a.json", "{\"id\": 1,\n \"tags\": [1,2]}");
  EXPECT_EQ(single.load({.path = "a.json"}).rows, 1U);
  EXPECT_EQ(single.sql("select id, tags from raw.shop_s"), "1|[1,2]\n");
  Project lines;
  lines.write("a.json", "{\"id\": 1}\n{\"id\": 2}\nbroken\n");
  EXPECT_EQ(lines.load({.path = "a.json"}).summary(), "2 rows from 1 file, 1 quarantined");
}

TEST(Load, AJsonFileThatIsCutOffIsQuarantinedWholeAndTheRunGoesOn) {
  Project project;
  project.write("a.json", "[{\"id\":1},\n{\"id\":2},");
  project.write("b.json", "[{\"id\":3}]");
  project.write("c.json", "[[1,2],[3,4]]");
  project.write("d.json", "[]");
  project.write("e.json", "");
  const LoadResult result = project.load({.path = "*.json"});
  EXPECT_EQ(result.files_new, 5U);
  EXPECT_EQ(result.rows, 1U);
  EXPECT_EQ(result.quarantined, 2U);
  EXPECT_EQ(result.status(), NodeStatus::warned);
  EXPECT_EQ(project.sql("select id from raw.shop_s"), "3\n");
  const std::string quarantine = project.quarantine();
  EXPECT_NE(
      quarantine.find(
          "a.json:2 json.syntax the whole file: syntax error while parsing value - unexpected end of input"),
      std::string::npos)
      << quarantine;
  EXPECT_NE(quarantine.find("(line 2, byte 21 of the file)"), std::string::npos) << quarantine;
  EXPECT_NE(quarantine.find("c.json:1 json.not_an_object the whole file: it holds arrays, not objects"),
            std::string::npos)
      << quarantine;
}

TEST(Load, VeryLongJsonLines) {
  Project project;
  const std::string good(20 << 20, 'x'), much(33 << 20, 'y');
  project.write("a.jsonl", "{\"a\":1,\"s\":\"" + good + "\"}\n{\"a\":2,\"s\":\"" + much + "\"}\n{\"a\":3}\n");
  const LoadResult result = project.load({.path = "a.jsonl"});
  EXPECT_EQ(result.rows, 2U);
  EXPECT_EQ(project.sql("select a, length(s) from raw.shop_s order by 1"), "1|20971520\n3|\n");
  const auto rows = quarantined_rows(project.lake(), project.store(), "shop", "s");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].line, 2U);
  EXPECT_EQ(rows[0].reason, "is longer than 32.0 MiB");
  EXPECT_TRUE(rows[0].truncated);
  EXPECT_EQ(rows[0].length, much.size() + 14);
}

}  // namespace
}  // namespace eddy::ingest
