// Writes the world down the way real systems do: five formats, with dirt.
#pragma once

#include <filesystem>

#include "world.h"

namespace shop {

// customers.csv and tickets.json whole; of orders/ and usage/ the files of the days since the last delivery
// (on day 1 all of them, and products.tsv). The same world gives the same bytes.
void write_files(const World& world, const std::filesystem::path& folder);

}  // namespace shop
