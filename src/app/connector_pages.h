// The reference pages of all connectors, written from what the connectors say of themselves.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "app/registry.h"

namespace eddy::app {

// File name -> Markdown: one page for each type, and README.md, the index.
std::map<std::string, std::string> connector_pages(const Registry& registry);

// Writes them into a folder, removes pages of connectors that are gone, and says how many there are.
std::size_t write_connector_pages(const Registry& registry, const std::filesystem::path& folder);

}  // namespace eddy::app
