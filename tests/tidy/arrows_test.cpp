#include "arrows.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/process.h"

namespace eddy::tidy {
namespace {

// The repository's files below src/: what git tracks, or every file where there is no git (a source archive).
std::vector<SourceFile> house() {
  const std::filesystem::path root = std::filesystem::path(EDDY_SOURCE_DIR) / "src";
  std::vector<std::string> paths;
  const auto listed = testing::run({.argv = {"git", "ls-files", "-z"}, .directory = root});
  if (listed.exit_code == 0 && !listed.out.empty()) {
    std::istringstream names(listed.out);
    for (std::string name; std::getline(names, name, '\0');) paths.push_back(name);
  } else {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.is_regular_file()) paths.push_back(entry.path().lexically_relative(root).generic_string());
    }
  }
  std::vector<SourceFile> files;
  for (const std::string& path : paths) {
    std::ifstream in(root / path, std::ios::binary);
    if (!in) continue;  // deleted, and not yet committed
    files.push_back({path, std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return files;
}

std::string listed(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& violation : violations) text += violation.to_text() + "\n";
  return text;
}

std::vector<Violation> planted(const std::string& path, const std::string& content) {
  return wrong_arrows({{path, content}});
}

TEST(Arrows, the_house_obeys_them) {
  const auto files = house();
  ASSERT_GT(files.size(), 20U) << "the sources were not found";
  EXPECT_EQ(listed(wrong_arrows(files)), "");
}

TEST(Arrows, no_file_is_longer_than_500_lines) { EXPECT_EQ(listed(long_files(house(), 500)), ""); }

TEST(Arrows, every_folder_of_the_house_has_a_place) {
  for (const SourceFile& file : house()) {
    if (file.path.find('/') == std::string::npos) continue;
    const std::string folder = file.path.substr(0, file.path.find('/'));
    // app sees everything: a folder it may not include is unknown to the rule.
    EXPECT_TRUE(planted("app/x.cpp", "#include \"" + folder + "/x.h\"\n").empty()) << folder;
    EXPECT_TRUE(folder == "app" || !planted(folder + "/x.cpp", "#include \"app/x.h\"\n").empty()) << folder;
  }
}

TEST(Arrows, an_arrow_that_points_up_is_found) {
  const auto violations =
      planted("core/error.cpp", "// a comment\n#include \"core/error.h\"\n#include \"sync/plan.h\"\n");
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].path, "core/error.cpp");
  EXPECT_EQ(violations[0].line, 3);
  EXPECT_NE(violations[0].text.find("core may not see sync"), std::string::npos) << violations[0].text;
}

TEST(Arrows, an_arrow_that_points_down_is_fine) {
  EXPECT_TRUE(planted("sync/plan.cpp",
                      "#include \"warehouse/session.h\"\n#include <vector>\n#include \"core/text.h\"\n")
                  .empty());
  EXPECT_TRUE(
      planted("app/main.cpp", "#include \"connectors/sqlite/sqlite.h\"\n#include \"serve/daemon.h\"\n")
          .empty());
  EXPECT_TRUE(
      planted("project/graph.cpp", "#include \"sync/sync_spec.h\"\n#include \"ingest/source_spec.h\"\n")
          .empty());
}

TEST(Arrows, capabilities_do_not_know_each_other) {
  for (const std::string from : {"ingest", "transform", "sync", "report"}) {
    for (const std::string to : {"ingest", "transform", "sync", "report"}) {
      const auto violations = planted(from + "/x.cpp", "#include \"" + to + "/y.h\"\n");
      EXPECT_EQ(violations.size(), from == to ? 0U : 1U) << from << " -> " << to;
    }
  }
}

TEST(Arrows, connectors_see_the_two_interfaces_and_nothing_else_of_the_capabilities) {
  EXPECT_TRUE(planted("connectors/postgres/postgres.h", "#include \"sync/destination.h\"\n").empty());
  EXPECT_TRUE(planted("connectors/files/files.h", "#include \"ingest/source.h\"\n").empty());
  EXPECT_EQ(planted("connectors/postgres/postgres.h", "#include \"sync/plan.h\"\n").size(), 1U);
  EXPECT_EQ(planted("connectors/postgres/postgres.h", "#include \"engine/database.h\"\n").size(), 1U);
  EXPECT_EQ(planted("serve/daemon.cpp", "#include \"connectors/postgres/postgres.h\"\n").size(), 1U);
}

TEST(Arrows, files_are_read_and_written_by_the_engine) {
  EXPECT_TRUE(planted("connectors/files/merge.cpp", "#include \"engine/database.h\"\n").empty());
  EXPECT_EQ(planted("connectors/files/merge.cpp", "#include \"warehouse/session.h\"\n").size(), 1U);
  EXPECT_EQ(planted("connectors/webhook/writer.cpp", "#include \"engine/database.h\"\n").size(), 1U);
  EXPECT_TRUE(
      planted("connectors/files/CMakeLists.txt", "eddy_library(files DEPENDS core engine sync)\n").empty());
  EXPECT_EQ(planted("connectors/sqlite/CMakeLists.txt", "eddy_library(sqlite DEPENDS core engine)\n").size(),
            1U);
}

TEST(Arrows, a_way_around_by_a_relative_or_angled_include_is_found) {
  EXPECT_EQ(planted("core/text.cpp", "#include \"../sync/plan.h\"\n").size(), 1U);
  EXPECT_EQ(planted("transport/http/client.cpp", "  #  include \"../../sync/plan.h\"\n").size(), 1U);
  EXPECT_EQ(planted("core/text.cpp", "#include <sync/plan.h>\n").size(), 1U);
  EXPECT_TRUE(planted("transport/http/client.cpp", "#include \"../postgres/connection.h\"\n").empty());
}

TEST(Arrows, each_third_party_has_its_door) {
  struct Case {
    std::string header, door, elsewhere;
  };
  for (const Case& c :
       {Case{"yaml-cpp/yaml.h", "config/document.cpp", "project/project.cpp"},
        Case{"duckdb.h", "engine/database.cpp", "warehouse/session.cpp"},
        Case{"sqlite3.h", "state/store.cpp", "connectors/sqlite/sqlite.cpp"},
        Case{"sqlite3.h", "transport/sqlite/file.cpp", "transport/http/client.cpp"},
        Case{"libpq-fe.h", "transport/postgres/connection.cpp", "connectors/postgres/postgres.cpp"},
        Case{"mysql.h", "transport/mysql/connection.cpp", "connectors/mysql/writer.cpp"},
        Case{"curl/curl.h", "transport/http/client.cpp", "connectors/declarative/runtime.cpp"},
        Case{"boost/beast.hpp", "transport/http/server.cpp", "serve/daemon.cpp"},
        Case{"openssl/evp.h", "core/text.cpp", "sync/plan.cpp"},
        Case{"CLI/CLI.hpp", "app/main.cpp", "project/project.cpp"}}) {
    const std::string include = "#include <" + c.header + ">\n";
    EXPECT_TRUE(planted(c.door, include).empty()) << c.header << " in " << c.door;
    EXPECT_EQ(planted(c.elsewhere, include).size(), 1U) << c.header << " in " << c.elsewhere;
  }
}

TEST(Arrows, a_wrong_dependency_between_libraries_is_found) {
  EXPECT_EQ(
      planted("sync/CMakeLists.txt", "eddy_library(sync DEPENDS core transform\n  warehouse LINK duckdb)\n")
          .size(),
      1U);
  EXPECT_TRUE(
      planted("sync/CMakeLists.txt", "eddy_library(sync DEPENDS core\n  warehouse LINK duckdb)\n").empty());
  EXPECT_TRUE(
      planted("connectors/sqlite/CMakeLists.txt", "eddy_library(x DEPENDS transport_sqlite sync)\n").empty());
}

TEST(Arrows, a_folder_without_a_place_is_found) {
  EXPECT_EQ(planted("util/x.cpp", "#include \"core/text.h\"\n").size(), 1U);
}

TEST(LongFiles, are_counted_by_line) {
  const std::string line = "x\n";
  std::string text;
  for (int i = 0; i < 10; ++i) text += line;
  EXPECT_TRUE(long_files({{"core/a.cpp", text}}, 10).empty());
  ASSERT_EQ(long_files({{"core/a.cpp", text + line}}, 10).size(), 1U);
}

}  // namespace
}  // namespace eddy::tidy
