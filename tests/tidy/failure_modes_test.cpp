// docs/reference/failure-modes.md and the tests it names belong together: no row without a test that exists,
// no test marked with a row's number (a comment `// F7` or `// F2, F3` in it) that the row does not name.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace eddy::tidy {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

struct Sources {
  Names tests;                          // "Suite.Test", and "name.scenario"
  std::map<std::string, Names> marked;  // row -> the tests that are marked with it
};

// `text` of a *_test.cpp.
void read_tests(const std::string& text, Sources& sources) {
  // Macros of tests, which may be broken over lines, and marks, in the order in which they stand.
  static const std::regex word(
      R"((?:^|\n)TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)|//\s*(F\d+(?:,\s*F\d+)*)\s*(?=\n|$))");
  static const std::regex row(R"(F\d+)");
  std::string current;
  for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at) {
    if ((*at)[1].matched) {
      current = (*at)[1].str() + "." + (*at)[2].str();
      sources.tests.insert(current);
      continue;
    }
    const std::string rows = (*at)[3].str();
    for (std::sregex_iterator one(rows.begin(), rows.end(), row); one != end; ++one)
      sources.marked[one->str()].insert(current);
  }
}

// Row -> the tests it names. A row that stands twice has its tests together, and `twice` says so.
std::map<std::string, Names> read_page(const std::string& text, Names& twice) {
  static const std::regex line(R"((?:^|\n)\| (F\d+) \|([^\n]*)\|([^\n|]*)\|)"), name(R"(`([\w.]+)`)");
  std::map<std::string, Names> rows;
  for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) {
    if (rows.contains((*at)[1].str())) twice.insert((*at)[1].str());
    Names& tests = rows[(*at)[1].str()];
    const std::string cell = (*at)[3].str();
    for (std::sregex_iterator one(cell.begin(), cell.end(), name); one != end; ++one)
      tests.insert((*one)[1].str());
  }
  return rows;
}

std::string disagreements(const std::string& page, const Sources& sources) {
  std::ostringstream out;
  Names twice;
  const auto rows = read_page(page, twice);
  for (const std::string& row : twice) out << row << " has two rows\n";
  for (int i = 1; i <= 30; ++i)
    if (!rows.contains("F" + std::to_string(i))) out << "F" << i << " has no row\n";
  for (const auto& [row, tests] : rows) {
    if (tests.empty()) out << row << " names no test\n";
    for (const std::string& test : tests)
      if (!sources.tests.contains(test)) out << row << " names " << test << ", which does not exist\n";
  }
  for (const auto& [row, tests] : sources.marked)
    for (const std::string& test : tests)
      if (!rows.contains(row) || !rows.at(row).contains(test))
        out << test << " is marked " << row << ", but the row does not name it\n";
  return out.str();
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(FailureModes, ThePageAndTheTestsAgree) {
  const fs::path root = EDDY_SOURCE_DIR;
  Sources sources;
  for (const char* folder : {"src", "tests"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string name = entry.path().filename().string();
      // This file plants marks of its own below.
      if (name.ends_with("_test.cpp") && name != "failure_modes_test.cpp")
        read_tests(content(entry.path()), sources);
      if (name.ends_with(".scenario")) sources.tests.insert(name);
    }
  ASSERT_GT(sources.tests.size(), 300u) << "the sources were not found";
  ASSERT_GE(sources.marked.size(), 20u);
  EXPECT_EQ(disagreements(content(root / "docs/reference/failure-modes.md"), sources), "");
}

TEST(FailureModes, ADisagreementIsFound) {
  Sources sources;
  read_tests("TEST(A, B) {  // F1\n}\nTEST_P(LongSuite,\n       LongName) {\n  x();\n}  // F2, F3\n",
             sources);
  EXPECT_EQ(sources.tests, (Names{"A.B", "LongSuite.LongName"}));
  EXPECT_EQ(sources.marked["F3"], Names{"LongSuite.LongName"});
  std::string page;
  for (int i = 1; i <= 30; ++i)
    page += "\n| F" + std::to_string(i) + " | failure | promise | `" +
            (i == 2 || i == 3 ? "LongSuite.LongName" : "A.B") + "` |\n";
  EXPECT_EQ(disagreements(page, sources), "");
  EXPECT_NE(disagreements(page + "\n| F9 | again | promise | `A.B` |\n", sources).find("F9 has two rows"),
            std::string::npos);
  const auto without = [&](const std::string& text, const std::string& instead) {
    std::string other = page;
    return other.replace(other.find(text), text.size(), instead);
  };
  EXPECT_NE(disagreements(without("| F7 |", "| x |"), sources).find("F7 has no row"), std::string::npos);
  EXPECT_NE(disagreements(without("`A.B`", "`A.C`"), sources).find("F1 names A.C, which does not exist"),
            std::string::npos);
  EXPECT_NE(disagreements(without("`LongSuite.LongName`", "`A.B`"), sources)
                .find("LongSuite.LongName is marked F2"),
            std::string::npos);
}

}  // namespace
}  // namespace eddy::tidy
