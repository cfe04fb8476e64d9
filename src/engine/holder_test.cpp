#include "engine/holder.h"

#include <gtest/gtest.h>

namespace eddy::engine {
namespace {

std::optional<std::string> holder_in(const std::string& message) {
  return holder_of_file(Error("engine.query_failed", message));
}

TEST(HolderOfFile, IsReadFromTheEnginesWords) {
  EXPECT_EQ(holder_in("IO Error: Could not set lock on file \"/a (b)/x.duckdb\": Conflicting lock is held in "
                      "/usr/bin/duckdb (PID 123) by user ada. See also https://duckdb.org"),
            "pid 123, /usr/bin/duckdb");
  EXPECT_EQ(holder_in("IO Error: Could not set lock on file \"x\": "), "unknown process");
  EXPECT_EQ(holder_in("Catalog Error: Table with name lock does not exist"), std::nullopt);
}

}  // namespace
}  // namespace eddy::engine
