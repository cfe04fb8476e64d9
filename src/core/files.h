// Files written so that they are either there whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace eddy {

std::string read_file(const std::filesystem::path& path);  // throws Error("file.unreadable")
// Writes beside the target, fsyncs, renames over it, fsyncs the folder. Throws Error("file.unwritable").
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
void sync_path(
    const std::filesystem::path& path);  // fsync of a file or folder; throws Error("file.unwritable")

}  // namespace eddy
