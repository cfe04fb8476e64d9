// Entries added to a YAML file that a person wrote. Everything that is there stays as it is, byte for byte:
// comments, order, spelling, line ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace eddy::config {

struct NewEntry {
  std::string name;
  std::string value;  // as YAML writes it, in one line (yaml_scalar)
};

// A file whose root is a map, with entries added to the map below its key `key`: behind those that are there,
// written as they are (one per line, or between braces), under a new `key:` at the end when there is none.
// `name` is what errors call the file. Throws what parsing finds, and Error("config.cannot_edit") where
// nothing can be added safely: an alias, tabs, a root between braces, `key: null`. The result has been read
// back, and holds what was there and the entries.
std::string add_entries(std::string_view text, const std::string& name, const std::string& key,
                        const std::vector<NewEntry>& entries);
// The same with one whole line at the end: `key: value`. The key must not be there.
std::string add_line(std::string_view text, const std::string& name, const NewEntry& entry);

// Text as a YAML scalar that is read back as the same text: plain where that is beyond doubt, else in quotes.
std::string yaml_scalar(std::string_view text);

}  // namespace eddy::config
