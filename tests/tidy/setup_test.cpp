// tools/setup with an npm that hands out what the test put there: nothing here asks the network.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "support/process.h"
#include "support/scratch.h"

namespace eddy {
namespace {

class Setup : public ::testing::Test {
 protected:
  void SetUp() override {
    // Two lines of a package, packed as npm does.
    scratch_.write("package/lib/part.js", "let part = 1;\n");
    ASSERT_EQ(shell("tar -czf package.tgz package").exit_code, 0);
    // `npm pack --silent --ignore-scripts --pack-destination FOLDER NAME`
    scratch_.write("bin/npm", "#!/bin/sh\ntest \"$1\" = pack || exit 1\necho x >>'" +
                                  (scratch_ / "calls").string() + "'\ncp '" +
                                  (scratch_ / "package.tgz").string() + "' \"$5/part-1.0.0.tgz\"\n");
    chmod((scratch_ / "bin/npm").c_str(), 0755);
    checksum_ = "sha512-" + shell("openssl dgst -sha512 -binary package.tgz | base64 -w0").out;
  }

  testing::Finished shell(const std::string& line) {
    return testing::run({.argv = {"bash", "-c", line}, .directory = scratch_.path()});
  }

  testing::Finished setup(const std::string& checksum) {
    scratch_.write("packages.txt", "# pins\npackage part 1.0.0 any extra " + checksum +
                                       "\ntake package/lib/part.js part/part.js\n");
    return testing::run({.argv = {EDDY_SOURCE_DIR "/tools/setup", "extra"},
                         .environment = {{"EDDY_SETUP_ROOT", (scratch_ / "npm").string()},
                                         {"EDDY_SETUP_PINS", (scratch_ / "packages.txt").string()},
                                         {"PATH", (scratch_ / "bin").string() + ":" + std::getenv("PATH")}}});
  }

  int calls() {
    return std::filesystem::exists(scratch_ / "calls") ? static_cast<int>(scratch_.read("calls").size()) / 2
                                                       : 0;
  }

  testing::Scratch scratch_;
  std::string checksum_;
};

TEST_F(Setup, unpacks_what_is_pinned_and_is_silent_the_second_time) {
  const auto first = setup(checksum_);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(scratch_.read("npm/part/part.js"), "let part = 1;\n");
  EXPECT_EQ(calls(), 1);

  const auto second = setup(checksum_);
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_EQ(second.err, "");
  EXPECT_EQ(calls(), 1);
}

TEST_F(Setup, fetches_again_when_an_unpacked_file_is_gone) {
  ASSERT_EQ(setup(checksum_).exit_code, 0);
  std::filesystem::remove(scratch_ / "npm/part/part.js");
  ASSERT_EQ(setup(checksum_).exit_code, 0);
  EXPECT_EQ(calls(), 2);
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "npm/part/part.js"));
}

TEST_F(Setup, refuses_a_package_with_another_checksum) {
  scratch_.write("package/lib/part.js", "let part = 'evil';\n");
  ASSERT_EQ(shell("tar -czf package.tgz package").exit_code, 0);
  const auto refused = setup(checksum_);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("part@1.0.0 is not the package that"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find(checksum_), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "npm/part"));
}

TEST_F(Setup, refuses_a_damaged_download) {
  ASSERT_EQ(shell("truncate -s -20 package.tgz").exit_code, 0);
  const auto refused = setup(checksum_);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("damaged"), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "npm/part"));
}

TEST_F(Setup, says_when_npm_cannot_fetch) {
  std::filesystem::remove(scratch_ / "package.tgz");
  const auto failed = setup(checksum_);
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_NE(failed.err.find("npm could not fetch part@1.0.0"), std::string::npos) << failed.err;
}

// A machine where nothing can be installed: dpkg knows no package, there is neither root nor sudo.
TEST_F(Setup, names_the_command_to_ask_an_administrator_for) {
  for (const std::string name : {"dpkg-query", "id"}) {
    scratch_.write("bin/" + name, name == "id" ? "#!/bin/sh\necho 1000\n" : "#!/bin/sh\nexit 1\n");
    chmod((scratch_ / ("bin/" + name)).c_str(), 0755);
  }
  for (const std::string name : {"awk", "bash", "comm", "cut", "dirname", "env", "grep", "mktemp", "npm",
                                 "rm", "sed", "sort", "tr", "cat", "flock", "mkdir", "uname"}) {
    shell("test -e bin/" + name + " || ln -s \"$(command -v " + name + ")\" bin/" + name);
  }
  scratch_.write("packages.txt", "");
  const auto refused =
      testing::run({.argv = {EDDY_SOURCE_DIR "/tools/setup", "test"},
                    .environment = {{"EDDY_SETUP_ROOT", (scratch_ / "npm").string()},
                                    {"EDDY_SETUP_PINS", (scratch_ / "packages.txt").string()},
                                    {"PATH", (scratch_ / "bin").string()}}});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("neither root nor sudo"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find(
                "apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core"),
            std::string::npos)
      << refused.err;
}

}  // namespace
}  // namespace eddy
