// Phone numbers in E.164 form, by libphonenumber, whose list of number ranges is as old as the library.
// Thread-safe. The first call reads the library's tables, some ten milliseconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace eddy {

// "(650) 555-1212" in "US" -> "+16505551212". A number with its country code (+1 …) needs no region; region
// "" means that none is known. nullopt when the text is no number, is no valid number of its country, or
// comes without country code and without a known region. An extension is left out: E.164 has none.
std::optional<std::string> e164(std::string_view number, std::string_view region);

// ISO 3166-1, two letters, in any case: "DE". "UK" is none; it is "GB".
bool is_phone_region(std::string_view region);

}  // namespace eddy
