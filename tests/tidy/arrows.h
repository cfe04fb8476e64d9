// The rule of arrows (ARCHITECTURE.md), as a function over the text of the sources: which folder may include
// which, and which folder is the one door to a third party's header.
#pragma once

#include <string>
#include <vector>

namespace eddy::tidy {

struct SourceFile {
  std::string path;  // below src/, with forward slashes: "sync/plan.cpp"
  std::string content;
};

struct Violation {
  std::string path;
  int line = 0;
  std::string text;  // a sentence for people

  std::string to_text() const;  // "src/sync/plan.cpp:12: …"
};

// Violations by #include in .h and .cpp files, and by DEPENDS in CMakeLists.txt files; other files are passed
// over.
std::vector<Violation> wrong_arrows(const std::vector<SourceFile>& files);

// Files with more than `lines_max` lines.
std::vector<Violation> long_files(const std::vector<SourceFile>& files, int lines_max);

}  // namespace eddy::tidy
