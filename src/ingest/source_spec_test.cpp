#include "ingest/source_spec.h"

#include <gtest/gtest.h>

namespace eddy::ingest {
namespace {

std::optional<SourceSpec> parse(std::string_view yaml, Diagnostics& diagnostics,
                                const std::string& name = "shop") {
  return parse_source(name, config::parse(yaml, "sources/shop.yml", config::no_variables(), diagnostics),
                      diagnostics);
}

TEST(SourceSpec, ReadsEveryKey) {
  Diagnostics diagnostics;
  const auto spec = parse(
      "connection: shop_files\n"
      "streams:\n"
      "  customers: {path: customers.csv}\n"
      "  orders: {path: \"orders/*.parquet\", cursor: updated_at, key: order_id}\n"
      "  usage: {path: u.gz, format: jsonl, mode: append, key: [a, b], contract: {columns: freeze, types: "
      "freeze}, columns: {amount: DOUBLE}, tags: x}\n"
      "  t: {path: a.txt, format: csv, csv: {delimiter: \"\\t\", quote: \"'\", header: false, \"null\": "
      "NA}}\n",
      diagnostics);
  ASSERT_TRUE(spec) << Error(diagnostics.list()).what();
  ASSERT_EQ(spec->streams.size(), 4U);
  EXPECT_EQ(spec->connection, "shop_files");
  EXPECT_EQ(spec->streams[0].relation(), "raw.shop_customers");
  EXPECT_EQ(spec->streams[0].position.line, 3);
  EXPECT_EQ(spec->streams[1].key, std::vector<std::string>{"order_id"});
  const StreamSpec& usage = spec->streams[2];
  EXPECT_EQ(usage.format, Format::jsonl);
  EXPECT_EQ(usage.mode, StreamSpec::Mode::append);
  EXPECT_EQ(usage.new_columns, StreamSpec::Columns::freeze);
  EXPECT_EQ(usage.bad_types, StreamSpec::Types::freeze);
  EXPECT_EQ(usage.columns.at(0), (std::pair<std::string, std::string>("amount", "DOUBLE")));
  const CsvOptions& csv = spec->streams[3].csv;
  EXPECT_EQ(csv.delimiter, '\t');
  EXPECT_EQ(csv.quote, '\'');
  EXPECT_EQ(csv.header, false);
  EXPECT_EQ(csv.null, "NA");
}

TEST(SourceSpec, EveryMistakeIsToldWithItsPlace) {
  Diagnostics diagnostics;
  EXPECT_FALSE(
      parse("conection: x\nstreams:\n  9a: {path: a.csv}\n  b: {pth: a.csv, mode: apend}\n", diagnostics));
  std::string all;
  for (const Diagnostic& d : diagnostics.list())
    all += std::to_string(d.position.line) + " " + d.code + " " + d.hint + "\n";
  EXPECT_NE(all.find("1 config.unknown_key did you mean `connection`?"), std::string::npos) << all;
  EXPECT_NE(all.find("config.missing_key connection: "), std::string::npos) << all;
  EXPECT_NE(all.find("3 ingest.invalid_name"), std::string::npos) << all;
  EXPECT_NE(all.find("4 config.unknown_key did you mean `path`?"), std::string::npos) << all;
  EXPECT_NE(all.find("4 config.not_allowed did you mean `append`?"), std::string::npos) << all;
  Diagnostics second;
  EXPECT_FALSE(parse(
      "connection: x\nstreams:\n  a: {path: a.dat}\n  b: {path: b.csv, csv: {delimiter: ab}}\n", second));
  ASSERT_EQ(second.list().size(), 2U);
  EXPECT_EQ(second.list()[0].code, "ingest.unknown_format");
  EXPECT_EQ(second.list()[0].position.line, 3);
  EXPECT_EQ(second.list()[1].code, "ingest.not_one_character");
}

TEST(SourceSpec, FormatsByExtension) {
  EXPECT_EQ(format_of_path("a/usage.JSONL.gz"), Format::jsonl);
  EXPECT_EQ(format_of_path("x.ndjson"), Format::jsonl);
  EXPECT_EQ(format_of_path("x.tab.zst"), Format::tsv);
  EXPECT_EQ(format_of_path("x.json"), Format::json);
  EXPECT_EQ(format_of_path("dir.csv/x"), std::nullopt);
}

}  // namespace
}  // namespace eddy::ingest
