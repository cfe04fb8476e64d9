// What messages of the same kind have in common: "ada@example.com is already contact 1234" and
// "bob@example.com is already contact 77" are both "<email> is already contact <n>".
#pragma once

#include <string>
#include <string_view>

namespace eddy::sync {

// Replaces what differs from row to row by <value> (quoted texts, and PostgreSQL's "=(…)"), <email>, <url>,
// <id>, <time> and <n>. Never longer than 300 characters. Pure.
std::string message_template(std::string_view message);

}  // namespace eddy::sync
