// The small project that `eddy init` writes: two data files, three models, a sync into a SQLite file, a
// dashboard.
#pragma once

#include <string_view>
#include <vector>

namespace eddy::app {

struct ScaffoldFile {
  std::string_view path;  // below the project folder
  std::string_view text;  // "{name}" stands for the project's name
};
const std::vector<ScaffoldFile>& scaffold();
// Those every project gets, also one made with --from: .gitignore.
std::string_view gitignore_text();

}  // namespace eddy::app
