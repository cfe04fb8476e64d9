// E-mail addresses in the one form in which they are compared, delivered and hashed. Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace eddy {

// Trimmed, lower-cased and composed (NFC); nullopt when it is no bare address: one `@`, a local part of at
// most 64 bytes that is letters, digits and !#$%&'*+-/=?^_`{|}~ in parts divided by single dots (RFC 5321
// Dot-string, with the letters of RFC 6531), a domain of at least two labels, at most 254 bytes in all.
// Quoted local parts, address literals ([192.0.2.1]) and names around the address ("Ada <ada@example.com>")
// are no bare addresses.
std::optional<std::string> email_address(std::string_view text);

// As Google asks for user data before it is hashed: inner white space is removed too, and of gmail.com and
// googlemail.com addresses the dots before the `@` and the `+` with what follows it.
// https://developers.google.com/data-manager/api/devguides/concepts/formatting
std::optional<std::string> google_email_address(std::string_view text);

}  // namespace eddy
