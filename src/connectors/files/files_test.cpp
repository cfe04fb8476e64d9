#include "connectors/files/files.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {

using testing::Scratch;

struct Opened {
  explicit Opened(const Scratch& scratch, const std::string& settings = "path: data")
      : node(config::parse(settings, "connections.yml", config::no_variables(), diagnostics)),
        source(files_source().make(node, {system_clock(), cancel, scratch.path()})) {}
  std::string list(const std::string& path) {
    std::string out;
    for (const auto& piece : source->list({.source = "s", .name = "t", .path = path}))
      out += piece.origin + ":" + std::to_string(piece.bytes) + ":" + std::string(name_of(piece.format)) +
             ":" + std::string(name_of(piece.compression)) + " ";
    return out;
  }
  Diagnostics diagnostics;
  Cancel cancel;
  config::Node node;
  std::unique_ptr<ingest::Source> source;
};

TEST(Files, ListsFilesAndGlobs) {
  const Scratch scratch;
  for (const char* name :
       {"a.csv", "b.csv.gz", "sub/c.csv", "sub/deep/d.csv.zst", "sub/e.jsonl", ".hidden.csv"})
    scratch.write(std::string("data/") + name, "xy");
  Opened files(scratch);
  EXPECT_EQ(files.list("a.csv"), "a.csv:2:csv:none ");
  EXPECT_EQ(files.list("./sub/../a.csv"), "a.csv:2:csv:none ");
  EXPECT_EQ(files.list("*.csv*"), "a.csv:2:csv:none b.csv.gz:2:csv:gzip ");
  EXPECT_EQ(files.list("**/*.csv*"),
            "a.csv:2:csv:none b.csv.gz:2:csv:gzip sub/c.csv:2:csv:none sub/deep/d.csv.zst:2:csv:zstd ");
  EXPECT_EQ(files.list("sub/**"),
            "sub/c.csv:2:csv:none sub/deep/d.csv.zst:2:csv:zstd sub/e.jsonl:2:jsonl:none ");
  EXPECT_EQ(files.list("sub/[a-d].csv"), "sub/c.csv:2:csv:none ");
  EXPECT_EQ(files.list("nothing/*.csv"), "");
  EXPECT_EQ(files.list((scratch / "data/*.csv").string()),
            (scratch / "data/a.csv").string() + ":2:csv:none ");
  EXPECT_EQ(Opened(scratch, "{}").list("data/a.csv"), "data/a.csv:2:csv:none ");
  EXPECT_EQ(files.source->check(), "folder " + (scratch / "data").string() + ", 4 entries");
}

TEST(Files, SaysWhatIsMissing) {
  const Scratch scratch;
  scratch.write("data/orders.csv", "x");
  Opened files(scratch);
  try {
    files.list("order.csv");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "ingest.no_files");
    EXPECT_EQ(e.message(), "raw.s_t: there is no file " + (scratch / "data/order.csv").string());
    EXPECT_EQ(e.hint(), "did you mean `orders.csv`?");
  }
  try {
    Opened(scratch, "path: dat").source->check();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "files.no_folder");
  }
  scratch.write("data/x.dat", "x");
  EXPECT_THROW(files.list("*"), Error);
}

}  // namespace
}  // namespace eddy::connectors
