// The installed tree stands by itself: moved elsewhere, with nothing in the environment but the PATH.
#include <gtest/gtest.h>

#include "core/files.h"
#include "support/process.h"
#include "support/scratch.h"

namespace eddy::testing {
namespace {

namespace fs = std::filesystem;

TEST(Install, TreeCanBeMovedAndTurnsTheLoop) {
  if (run({.argv = {"cmake", "--version"}}).exit_code != 0)
    GTEST_SKIP() << "CMAKE IS NOT INSTALLED: this test did not run. Install the package `cmake`.";
  const Scratch scratch;
  const Finished installed =
      run({.argv = {"cmake", "--install", EDDY_BINARY_DIR, "--prefix", (scratch / "first").string()}});
  ASSERT_EQ(installed.exit_code, 0) << installed.err;
  fs::create_directories(scratch / "some where");
  const fs::path tree = scratch / "some where" / "else";
  fs::rename(scratch / "first", tree);

  const auto eddy = [&](const fs::path& folder, std::vector<std::string> arguments) {
    Command command{
        .argv = {"/usr/bin/env", "-i", "PATH=" + (tree / "bin").string() + ":/usr/bin:/bin", "eddy"},
        .directory = folder};
    std::ranges::move(arguments, std::back_inserter(command.argv));
    return run(command);
  };
  const Finished version = eddy(scratch.path(), {"version"});
  ASSERT_EQ(version.exit_code, 0) << version.err;
  EXPECT_NE(version.out.find("eddy"), std::string::npos) << version.out;
  // The engine is the one that was installed: no other copy is on the loader's path.
  const Finished libraries = run({.argv = {"/usr/bin/env", "-i", "ldd", (tree / "bin/eddy").string()}});
  EXPECT_NE(libraries.out.find("libduckdb.so => " + (tree / "").string()), std::string::npos)
      << libraries.out;

  const Finished made = eddy(scratch.path(), {"init", "x"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Finished looped = eddy(scratch / "x", {"run"});
  ASSERT_EQ(looped.exit_code, 0) << looped.err;
  EXPECT_NE(looped.err.find("FAIL=0"), std::string::npos) << looped.err;
  // Connectors that are data came along.
  const Finished connectors = eddy(scratch / "x", {"connectors", "hubspot"});
  EXPECT_EQ(connectors.exit_code, 0) << connectors.err;
  EXPECT_NE(connectors.out.find("contacts"), std::string::npos) << connectors.out;
}

}  // namespace
}  // namespace eddy::testing
