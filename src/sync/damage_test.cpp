#include "sync/damage.h"

#include <gtest/gtest.h>

#include <fstream>

#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

namespace fs = std::filesystem;
using testing::Bed;
using testing::people_yaml;
using testing::spec_of;

// F21: wherever a block is damaged, it is said before the first request, or it holds nothing that matters.
TEST(Damage, OfTheSnapshotIsMetBeforeAnythingIsSent) {
  const eddy::testing::Scratch scratch;
  const SyncSpec spec = spec_of(people_yaml + "guards: {first_run: 0}\n");
  {
    Bed bed(scratch / "whole");
    bed.model(
        "select i as id, md5(i::varchar) || md5('a' || i) || md5('b' || i) as name, i as score from "
        "range(200000) t(i)");
    bed.run(spec);
  }
  const std::uint64_t size = fs::file_size(scratch / "whole/.eddy/sync.duckdb");
  constexpr std::uint64_t block = 256 * 1024;
  int said = 0, looked = 0;
  for (std::uint64_t at = block / 2; at < size; at += 4 * block, ++looked) {
    SCOPED_TRACE(fmt::format("byte {} of {}", at, size));
    const fs::path folder = scratch / fmt::format("damaged{}", at);
    fs::copy(scratch / "whole", folder, fs::copy_options::recursive);
    {
      std::fstream file(folder / ".eddy/sync.duckdb", std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      const int byte = file.get();
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(byte ^ 0x10));
    }
    Bed bed(folder);
    bed.model(
        "select i as id, case when i = 0 then 'new' else md5(i::varchar) || md5('a' || i) || md5('b' || i) "
        "end as "
        "name, i "
        "as score from range(200000) t(i)");
    try {
      EXPECT_EQ(bed.run(spec, {.approved = true}).status, "done");
      EXPECT_FALSE(bed.destination.requests.empty());
    } catch (const Error& error) {
      ++said;
      EXPECT_EQ(error.code(), "sync.snapshot_damaged") << error.message();
      EXPECT_NE(error.hint().find("eddy sync reset"), std::string::npos) << error.hint();
      EXPECT_TRUE(bed.destination.requests.empty()) << "sent before the damage was met";
    }
    fs::remove_all(folder);
  }
  // Half of the file is what the first run has planned. The plan of a single change reads a tenth.
  EXPECT_GT(said, looked / 3) << "of " << looked;
}

}  // namespace
}  // namespace eddy::sync
