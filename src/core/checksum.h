// CRC-32C (Castagnoli): tells damage, not intent. Every flip of up to three bits, and every burst of up to
// 32, shows in texts of any size that are kept here.
#pragma once

#include <cstdint>
#include <string_view>

namespace eddy {

// `seed`: the checksum of what stands before.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace eddy
