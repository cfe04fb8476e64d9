#include "support/scratch.h"

#include <fstream>

#include "core/files.h"
#include "core/text.h"

namespace eddy::testing {

Scratch::Scratch() : path_(std::filesystem::temp_directory_path() / ("eddy-test-" + new_id())) {
  std::filesystem::create_directories(path_);
}
Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}
std::filesystem::path Scratch::write(std::string_view name, std::string_view content) const {
  const auto file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  return file;
}
std::string Scratch::read(std::string_view name) const { return read_file(path_ / name); }

}  // namespace eddy::testing
