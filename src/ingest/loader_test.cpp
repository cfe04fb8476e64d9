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

std::string read_raw(const fs::path& path) { return read_file(path); }

TEST(Load, KeepsTheBytesAndRendersTheRows) {
  Project project;
  const std::string bytes = "id,name\n1,ann\n2,bob\n";
  project.write("customers.csv", bytes);
  const LoadResult result = project.load({.path = "customers.csv"});
  EXPECT_EQ(result.rows, 2U);
  EXPECT_EQ(result.quarantined, 0U);
  EXPECT_EQ(result.bytes, bytes.size());
  EXPECT_EQ(result.summary(), "2 rows from 1 file");
  EXPECT_EQ(result.status(), NodeStatus::ok);
  const fs::path folder = project.lake() / lake::load_folder("shop", "s", result.load_id);
  EXPECT_EQ(read_raw(folder / "customers.csv"), bytes);
  const auto sidecar = nlohmann::json::parse(read_file(folder / "load.json"));
  EXPECT_EQ(sidecar["files"][0]["sha256"], sha256_hex(bytes));
  EXPECT_EQ(sidecar["files"][0]["origin"], "customers.csv");
  EXPECT_EQ(sidecar["files"][0]["rows"], 2);
  EXPECT_EQ(sidecar["schema"],
            nlohmann::json::parse(R"([{"name":"id","type":"BIGINT"},{"name":"name","type":"VARCHAR"}])"));
  EXPECT_FALSE(fs::exists(folder / "quarantine.jsonl"));
  EXPECT_EQ(project.sql("select id, name, _load_id = '" + result.load_id +
                        "', typeof(_loaded_at) from raw.shop_s order by 1"),
            "1|ann|true|TIMESTAMP WITH TIME ZONE\n2|bob|true|TIMESTAMP WITH TIME ZONE\n");
  EXPECT_TRUE(fs::is_empty(project.lake() / lake::staging_folder()));
}

TEST(Load, AFileSeenBeforeIsNotLoadedAgain) {
  Project project;
  project.write("a.csv", "id\n1\n");
  project.load({.path = "*.csv"});
  const LoadResult again = project.load({.path = "*.csv"});
  EXPECT_EQ(again.load_id, "");
  EXPECT_EQ(again.files_seen, 1U);
  EXPECT_EQ(again.summary(), "nothing new (1 file seen before)");
  project.write("b.csv", "id\n1\n");  // the same content under another name
  EXPECT_EQ(project.load({.path = "*.csv"}).files_new, 0U);
  project.write("c.csv", "id\n2\n");
  const LoadResult third = project.load({.path = "*.csv"});
  EXPECT_EQ(third.files_new, 1U);
  EXPECT_EQ(third.files_seen, 2U);
  EXPECT_EQ(project.sql("select id from raw.shop_s order by 1"), "1\n2\n");
}

TEST(Load, ReplaceShowsTheNewestOfAPathAndAppendAllOfThem) {
  for (const bool append : {false, true}) {
    Project project;
    const StreamSpec spec{.path = "a.csv",
                          .mode = append ? StreamSpec::Mode::append : StreamSpec::Mode::replace};
    project.write("a.csv", "id\n1\n");
    project.load(spec);
    project.write("a.csv", "id\n2\n");
    project.load(spec);
    EXPECT_EQ(project.sql("select id from raw.shop_s order by 1"), append ? "1\n2\n" : "2\n");
    // Back to the first content: what counts must follow where the newest counts, and must not double where
    // all count.
    project.write("a.csv", "id\n1\n");
    EXPECT_EQ(project.load(spec).files_new, append ? 0U : 1U);
    EXPECT_EQ(project.sql("select id from raw.shop_s order by 1"), append ? "1\n2\n" : "1\n");
  }
}

TEST(Load, BadLinesAreQuarantinedWithLineReasonAndBytes) {
  Project project;
  project.write("d.csv",
                "id,name,amount,d\n1,ann,1.5,2024-01-01\n2,bob,2.5,2024-01-02\n3,cy,x,2024-01-03\n4,dan\n5,"
                "eve,3,2024-01-05,extra,more\n"
                "6,\"fay,4,2024-01-06\n7,gus,5,2024-01-07\n8,h\xff\xfei,6,2024-01-08\n9,ivy,7,2024-13-45\n10,"
                "jo,8,2024-01-10");
  const LoadResult result = project.load({.path = "d.csv", .columns = {{"amount", "double"}, {"d", "date"}}});
  EXPECT_EQ(result.rows, 4U);
  EXPECT_EQ(result.quarantined, 6U);
  EXPECT_EQ(result.status(), NodeStatus::warned);
  EXPECT_EQ(result.summary(), "4 rows from 1 file, 6 quarantined");
  EXPECT_EQ(project.sql("select id, name, amount, d from raw.shop_s order by 1"),
            "1|ann|1.5|2024-01-01\n2|bob|2.5|2024-01-02\n7|gus|5|2024-01-07\n10|jo|8|2024-01-10\n");
  EXPECT_EQ(project.quarantine(),
            "d.csv:4 csv.bad_value column `amount`: Could not convert string \"x\" to 'DOUBLE' "
            "<3,cy,x,2024-01-03>\n"
            "d.csv:5 csv.too_few_columns 2 columns instead of 4 <4,dan>\n"
            "d.csv:6 csv.too_many_columns 6 columns instead of 4 <5,eve,3,2024-01-05,extra,more>\n"
            "d.csv:7 csv.open_quote a quote in column `name` is not closed, or not at the end of the value "
            "<6,\"fay,4,2024-01-06>\n"
            "d.csv:9 csv.bad_encoding column `name` is not UTF-8 <8,h\xff\xfei,6,2024-01-08>\n"
            "d.csv:10 csv.bad_value column `d`: Could not convert string \"2024-13-45\" to 'DATE' "
            "<9,ivy,7,2024-13-45>\n");
}

TEST(Load, OpenQuotesAcrossALargeFileCostOnlyTheirOwnLines) {
  Project project;
  std::string text = "id,name,city,amount\n";
  for (int i = 1; i <= 400'000; ++i) {
    if (i == 1000)
      text += "1000,\"oops,c,250\n";
    else if (i == 200'000)
      text += "200000,\"oops, \"again\",c,250\n";
    else if (i == 400'000)
      text += "400000,\"open at the end,c,1\n";
    else if (i % 1000 == 7)
      text += fmt::format("{},name {},\"two\nlines, {}\",{}\n", i, i, i, i / 4.0);
    else
      text += fmt::format("{},name number {},\"city, {}\",{}\n", i, i, i, i / 4.0);
  }
  project.write("big.csv", text);
  const LoadResult result = project.load({.path = "big.csv"});
  EXPECT_EQ(result.quarantined, 3U) << project.quarantine();
  EXPECT_EQ(result.rows, 399'997U);
  EXPECT_EQ(
      project.sql("select count(*), sum(id), count(*) filter (where city like 'two%lines%') from raw.shop_s"),
      fmt::format("399997|{}|400\n", 400'000LL * 400'001 / 2 - 1000 - 200'000 - 400'000));
}

TEST(Load, AFractionIsNotRoundedIntoAnIntegerColumn) {
  Project project;
  project.write("a.csv", "id,n\n1,10\n2,20\n");
  project.load({.path = "*.csv"});
  project.write("b.csv", "id,n\n3,30.0\n4,1.5\n5,\"2.25\"\n6,1.5.5\n7,x.5\n8,\n");
  const LoadResult result = project.load({.path = "*.csv"});
  EXPECT_EQ(result.rows, 2U);
  EXPECT_EQ(project.sql("select id, n, typeof(n) from raw.shop_s order by 1"),
            "1|10|BIGINT\n2|20|BIGINT\n3|30|BIGINT\n8||BIGINT\n");
  EXPECT_EQ(project.quarantine(),
            "b.csv:3 csv.bad_value column `n`: a fraction does not fit BIGINT <4,1.5>\n"
            "b.csv:4 csv.bad_value column `n`: a fraction does not fit BIGINT <5,\"2.25\">\n"
            "b.csv:5 csv.bad_value column `n`: Could not convert string \"1.5.5\" to 'BIGINT' <6,1.5.5>\n"
            "b.csv:6 csv.bad_value column `n`: Could not convert string \"x.5\" to 'BIGINT' <7,x.5>\n");
}

TEST(Load, EmptyAndHeaderOnlyFilesAreLoadsWithoutRows) {
  Project project;
  project.write("a.csv", "");
  LoadResult result = project.load({.path = "*.csv"});
  EXPECT_EQ(result.files_new, 1U);
  EXPECT_EQ(result.rows, 0U);
  project.write("b.csv", "id,v\n");
  result = project.load({.path = "*.csv"});
  EXPECT_EQ(result.rows, 0U);
  EXPECT_EQ(project.sql("select count(*), count(id) from raw.shop_s"), "0|0\n");
  // The first rows decide the types, not the header that came alone.
  project.write("c.csv", "id,v\n1,2.5\n");
  EXPECT_TRUE(project.load({.path = "*.csv"}).schema_changes.empty());
  EXPECT_EQ(project.sql("select id, v, typeof(id), typeof(v) from raw.shop_s"), "1|2.5|BIGINT|DOUBLE\n");
  // A file that becomes empty takes its rows with it.
  project.write("c.csv", "\n  \n");
  project.load({.path = "*.csv"});
  EXPECT_EQ(project.sql("select count(*) from raw.shop_s"), "0\n");
}

TEST(Load, LineEndsMarksAndDoubleNames) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\xef\xbb\xbfid,v\r\n1,a\r\n2,b", "1|a\n2|b\n"},  // byte order mark, CRLF, no line end at the end
      {"id,v\n1,a\r\n2,b\n3,c\r\n", "1|a\n2|b\n3|c\n"},  // mixed line ends
      {"id,v\n\n1,a\n\n2,b\n\n", "1|a\n2|b\n"},          // blank lines
      {"id,v\n1,\"a\"\"b\"\n2,\"c,d\"\n", "1|a\"b\n2|c,d\n"},  // quotes
      {"id;v\n1;a\n2;b\n", "1|a\n2|b\n"},
      {"id,id,v\n1,2,3\n", "1|2|3\n"},
      {"id|v\n1|a\n", "1|a\n"},
      {"id\tv\n1\ta\n", "1|a\n"},
      {"only\nx\ny\n", "x\ny\n"},
      {"id,v\r1,a\r2,b\r", "1|a\n2|b\n"},
      {"id,v\n1,\"\"\n2,\n", "1|\n2|\n"},
  };
  for (const auto& [text, expected] : cases) {
    Project project;
    project.write("a.csv", text);
    const LoadResult result = project.load({.path = "a.csv"});
    EXPECT_EQ(project.sql("select * exclude (_load_id, _loaded_at) from raw.shop_s order by 1"), expected)
        << text << project.quarantine();
    EXPECT_EQ(result.quarantined, 0U) << text << project.quarantine();
  }
}

TEST(Load, LinesBeforeTheHeaderAreSetAside) {
  Project project;
  project.write("a.csv", "Report of things\n# made 2024\n\nid,v\n1,a\n2,b\n");
  EXPECT_EQ(project.load({.path = "a.csv"}).rows, 2U);
  EXPECT_EQ(project.quarantine(),
            "a.csv:1 csv.before_header stands before the header <Report of things>\na.csv:2 "
            "csv.before_header stands before the header <# made 2024>\n");
}

TEST(Load, ColumnsEvolve) {
  Project project;
  project.write("a.csv", "id,name\n1,ann\n");
  project.load({.path = "*.csv"});
  project.write("b.csv", "id,email\n2,b@x.org\n");
  const LoadResult result = project.load({.path = "*.csv"});
  EXPECT_EQ(result.schema_changes,
            (std::vector<std::string>{"new column `email`", "b.csv has no column `name`: null"}));
  EXPECT_EQ(project.sql("select id, name, email from raw.shop_s order by 1"), "1|ann|\n2||b@x.org\n");
  // A type found first stays: what does not fit is set aside.
  project.write("c.csv", "id,name\nthree,cy\n4,dan\n");
  EXPECT_EQ(project.load({.path = "*.csv"}).quarantined, 1U);
  EXPECT_EQ(project.sql("select typeof(id), count(*) from raw.shop_s group by 1"), "BIGINT|3\n");
}

TEST(Load, FrozenColumnsRefuseTheLoad) {
  Project project;
  const StreamSpec spec{.path = "*.csv", .new_columns = StreamSpec::Columns::freeze};
  project.write("a.csv", "id,name\n1,ann\n");
  project.load(spec);
  project.write("b.csv", "id,nom,mail\n2,bob,x\n");
  EXPECT_EQ(project.error_of(spec),
            "ingest.contract_columns: raw.shop_s: b.csv has new columns `nom`, `mail` and lacks columns "
            "`name`, and the contract freezes the columns");
  EXPECT_EQ(project.sql("select count(*) from raw.shop_s"), "1\n");
  EXPECT_TRUE(fs::is_empty(project.lake() / lake::staging_folder()));
}

TEST(Load, FrozenTypesRefuseTheLoad) {
  Project project;
  project.write("b.csv", "id,n\n1,x\n");
  EXPECT_EQ(
      project.error_of({.path = "*.csv", .bad_types = StreamSpec::Types::freeze, .columns = {{"n", "int"}}}),
      "ingest.contract_types: raw.shop_s: b.csv, line 2: column `n`: Could not convert string \"x\" to "
      "'INTEGER', and the contract freezes the types");
}

TEST(Load, ADeclaredTypeThatChangesLoadsTheFileAgain) {
  Project project;
  project.write("a.csv", "id,n\n1,2\n");
  project.load({.path = "a.csv"});
  const LoadResult result = project.load({.path = "a.csv", .columns = {{"n", "decimal(10,2)"}}});
  EXPECT_EQ(result.files_new, 1U);
  EXPECT_EQ(project.sql("select n, typeof(n) from raw.shop_s"), "2.00|DECIMAL(10,2)\n");
  EXPECT_EQ(project.load({.path = "a.csv", .columns = {{"n", "decimal(10,2)"}}}).files_new, 0U);
}

TEST(Load, MistakesInTheSpecAreNamed) {
  Project project;
  project.write("orders.csv", "id,name\n1,ann\n");
  EXPECT_EQ(project.error_of({.path = "oders.csv"}),
            "ingest.no_files: raw.shop_s: there is no file " + (project.data() / "oders.csv").string());
  EXPECT_EQ(project.hint, "did you mean `orders.csv`?");
  EXPECT_EQ(project.error_of({.path = "*.tsv"}), "ingest.no_files: raw.shop_s: no file matches `*.tsv`");
  EXPECT_EQ(project.error_of({.path = "orders.csv", .columns = {{"id", "BIGNT"}}}),
            "ingest.unknown_type: raw.shop_s: column `id`: `BIGNT` is no type");
  EXPECT_EQ(project.hint, "did you mean `BIGINT`?");
  EXPECT_EQ(project.error_of({.path = "orders.csv", .columns = {{"id", "int); drop"}}}),
            "ingest.unknown_type: raw.shop_s: column `id`: `int); drop` is no type");
  EXPECT_EQ(project.error_of({.path = "orders.csv", .columns = {{"nam", "VARCHAR"}}}),
            "ingest.no_such_column: raw.shop_s: there is no column `nam`");
  EXPECT_EQ(project.error_of({.path = "orders.csv", .cursor = "updated"}),
            "ingest.no_such_column: raw.shop_s: there is no column `updated`");
  EXPECT_EQ(project.hint, "its columns are id, name");
  project.write("mine.csv", "id,_LOAD_ID\n1,x\n");
  EXPECT_EQ(project.error_of({.path = "mine.csv"}),
            "ingest.reserved_column: raw.shop_s: mine.csv has a column `_LOAD_ID`, which Eddy itself adds to "
            "every row");
  EXPECT_TRUE(project.store().loads("shop", "s").empty());
}

TEST(Load, CursorRangeIsKept) {
  Project project;
  project.write("a.csv", "id,at\n1,2024-03-01 10:00:00\n2,2024-01-01 00:00:00\n");
  const LoadResult result = project.load({.path = "a.csv", .cursor = "at"});
  const auto sidecar = nlohmann::json::parse(
      read_file(project.lake() / lake::load_folder("shop", "s", result.load_id) / "load.json"));
  EXPECT_EQ(
      sidecar["cursor"],
      nlohmann::json::parse(R"({"column":"at","min":"2024-01-01 00:00:00","max":"2024-03-01 10:00:00"})"));
}

TEST(Load, AllLinesBadIsALoadWithoutRows) {
  Project project;
  project.write("a.jsonl", "x\ny\n");
  LoadResult result = project.load({.path = "a.jsonl"});
  EXPECT_NE(result.load_id, "");
  EXPECT_EQ(result.summary(), "0 rows from 1 file, 2 quarantined");
  EXPECT_EQ(project.load({.path = "a.jsonl"}).files_new, 0U);
  Project csv;
  csv.write("a.csv", "id,n\n1,x\n2,y\n");
  result = csv.load({.path = "a.csv", .columns = {{"n", "INTEGER"}}});
  EXPECT_EQ(result.summary(), "0 rows from 1 file, 2 quarantined");
  EXPECT_EQ(csv.sql("select count(*), count(n) from raw.shop_s"), "0|0\n");
}

TEST(Load, CompressedFilesStayCompressedInTheLake) {
  Project project;
  const std::string text = "id,v\n1,a\n2,b\nbroken\n";
  const std::string lines = "{\"id\":1}\n{\"id\":2}\n";
  project.write("a.csv", text);
  project.write("b.csv", text);
  project.write("c.jsonl", lines);
  project.write("d.jsonl", lines + lines);
  for (const std::string command : {"gzip a.csv c.jsonl", "zstd -q --rm b.csv d.jsonl"})
    ASSERT_EQ(run({.argv = {"sh", "-c", "cd '" + project.data().string() + "' && " + command}}).exit_code, 0);
  for (const std::string name : {"a.csv.gz", "b.csv.zst"}) {
    Project one;
    fs::copy(project.data() / name, one.data() / name);
    const LoadResult result = one.load({.path = name});
    EXPECT_EQ(result.rows, 2U) << name;
    EXPECT_EQ(one.quarantine(), name + ":4 csv.too_few_columns 1 column instead of 2 <broken>\n");
    EXPECT_EQ(read_raw(one.lake() / lake::load_folder("shop", "s", result.load_id) / name),
              read_raw(project.data() / name));
  }
  EXPECT_EQ(project.load({.path = "*.jsonl.*"}).rows, 6U);
  // Cut off, and damaged in the middle.
  for (const std::string name : {"a.csv.gz", "b.csv.zst"}) {
    Project one;
    const std::string bytes = read_raw(project.data() / name);
    one.write(name, bytes.substr(0, bytes.size() - 6));
    const LoadResult result = one.load({.path = name});
    EXPECT_EQ(result.rows, 0U);
    EXPECT_EQ(result.quarantined, 1U);
    EXPECT_NE(one.quarantine().find("file.damaged_compression the whole file: the "), std::string::npos)
        << one.quarantine();
  }
}

TEST(Load, ParquetIsProvedByReading) {
  Project project;
  auto c = project.connect();
  c.execute(
      fmt::format("copy (select range as id, 'n' || range as name, [range] as list from range(5000)) to '{}'",
                  (project.data() / "a.parquet").string()));
  EXPECT_EQ(project.load({.path = "*.parquet"}).rows, 5000U);
  EXPECT_EQ(project.sql("select count(*), sum(id), sum(list[1]), count(_load_id) from raw.shop_s"),
            "5000|12497500|12497500|5000\n");
  // Another type: what fits is taken, the rest set aside.
  c.execute(fmt::format("copy (select * from (values ('7', 'x'), ('seven', 'y')) t(id, name)) to '{}'",
                        (project.data() / "b.parquet").string()));
  EXPECT_EQ(project.load({.path = "*.parquet"}).rows, 1U);
  EXPECT_EQ(project.quarantine(),
            "b.parquet:2 parquet.bad_value column `id`: `seven` is no BIGINT "
            "<{\"id\":\"seven\",\"name\":\"y\",\"file_row_number\":1}>\n");
  std::string bytes = read_raw(project.data() / "a.parquet");
  project.write("c.parquet", bytes.substr(0, bytes.size() / 2));
  for (std::size_t i = 100; i < 4000; ++i) bytes[i] = static_cast<char>(i * 7);
  project.write("d.parquet", bytes);
  const LoadResult result = project.load({.path = "*.parquet"});
  EXPECT_EQ(result.rows, 0U);
  EXPECT_EQ(result.quarantined, 2U);
  EXPECT_NE(project.quarantine(true).find("c.parquet:0 parquet.unreadable"), std::string::npos);
  EXPECT_EQ(project.sql("select count(*) from raw.shop_s"), "5001\n");
}

TEST(Load, WhatACrashLeftBehindIsRemovedAndNeverCounts) {
  Project project;
  project.write("a.csv", "id\n1\n");
  // Before the rename: a staging folder whose process is gone.
  fs::create_directories(project.lake() / ".staging" / "dead");
  std::ofstream(project.lake() / ".staging" / "dead" / "a.csv") << "id\n";
  // Between rename and commit: a whole load that the catalog does not know.
  const fs::path orphan = project.lake() / lake::load_folder("shop", "s", "01orphan");
  fs::create_directories(orphan);
  project.connect().execute(
      fmt::format("copy (select 99 as id, 'x' as _load_id, now() as _loaded_at) to '{}'",
                  (orphan / "1.parquet").string()));
  const lake::Staged alive = lake::Staged::folder(project.lake());
  project.load({.path = "a.csv"});
  EXPECT_FALSE(fs::exists(project.lake() / ".staging" / "dead"));
  EXPECT_FALSE(fs::exists(orphan));
  EXPECT_TRUE(fs::exists(alive.path()));
  EXPECT_EQ(project.sql("select id from raw.shop_s"), "1\n");
}

TEST(Load, CancelledKeepsNothing) {
  Project project;
  project.write("a.csv", "id\n1\n");
  project.cancel.request();
  EXPECT_EQ(project.error_of({.path = "a.csv"}), "run.cancelled: interrupted; nothing of this load was kept");
  EXPECT_TRUE(project.store().loads("shop", "s").empty());
  EXPECT_TRUE(fs::is_empty(project.lake() / lake::staging_folder()));
}

TEST(Load, FilesOfOneNameInSeveralFolders) {
  Project project;
  project.write("x/day.csv", "id\n1\n");
  project.write("y/day.csv", "id\n2\n");
  project.write("y/z/1.parquet", "no parquet");
  const LoadResult result = project.load({.path = "**/*.csv"});
  const fs::path folder = project.lake() / lake::load_folder("shop", "s", result.load_id);
  EXPECT_EQ(read_raw(folder / "day.csv"), "id\n1\n");
  EXPECT_EQ(read_raw(folder / "day-2.csv"), "id\n2\n");
  EXPECT_EQ(project.sql("select id from raw.shop_s order by 1"), "1\n2\n");
  Project other;
  auto c = other.connect();
  c.execute(fmt::format("copy (select 1 as id) to '{}'", (other.data() / "1.parquet").string()));
  const LoadResult taken = other.load({.path = "1.parquet"});
  EXPECT_TRUE(fs::exists(other.lake() / lake::load_folder("shop", "s", taken.load_id) / "1-2.parquet"));
}

TEST(Load, DatesKeepTheReadingOfTheFirstLoad) {
  Project project;
  project.write("a.csv", "id,d\n1,25/12/2024\n2,03/02/2024\n");
  project.load({.path = "*.csv"});
  project.write("b.csv", "id,d\n3,04/05/2024\n4,12/25/2024\n");
  EXPECT_EQ(project.load({.path = "*.csv"}).quarantined, 1U);
  EXPECT_EQ(project.sql("select id, d from raw.shop_s order by 1"),
            "1|2024-12-25\n2|2024-02-03\n3|2024-05-04\n");
}

TEST(Load, SameCountsAndSumsAsTheBareEngine) {
  Project project;
  auto c = project.connect();
  for (int part = 0; part < 3; ++part)
    c.execute(fmt::format(
        "copy (select range as id, (range * 7919) % 1000 / 8 as amount, 'text, \"' || range as note, date "
        "'2024-01-01' + (range % 365)::int as d from range({}, {})) to '{}' (header)",
        part * 50'000, (part + 1) * 50'000, (project.data() / fmt::format("p{}.csv", part)).string()));
  const LoadResult result = project.load({.path = "p*.csv"});
  EXPECT_EQ(result.rows, 150'000U);
  const std::string query =
      "select count(*), sum(id), sum(amount), count(distinct note), min(d), max(d) from ";
  EXPECT_EQ(project.sql(query + "raw.shop_s"),
            project.sql(query + fmt::format("read_csv('{}')", (project.data() / "p*.csv").string())));
}

}  // namespace
}  // namespace eddy::ingest
