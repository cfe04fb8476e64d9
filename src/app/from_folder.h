// `eddy init DIR --from FOLDER`: a project made from a folder of data files — sources, one cleaned model
// each, a first dashboard.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace eddy::app {

struct FromFolder {
  std::vector<std::pair<std::filesystem::path, std::string>> files;  // below the project folder
  std::vector<std::string> notes;  // what was found, what was skipped and why
};

// Reads the data files (samples of them), writes nothing. Throws Error("init.no_data") when nothing in there
// can be a stream.
FromFolder project_from_folder(const std::filesystem::path& data, const std::filesystem::path& project,
                               const std::string& name);

}  // namespace eddy::app
