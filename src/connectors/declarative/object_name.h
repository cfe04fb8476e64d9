// Objects by their names. A name in a connector's list may be a pattern: `{from}_to_{to}` stands for
// contacts_to_companies and all others like it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "connectors/declarative/spec.h"

namespace eddy::connectors {

// The words of a pattern in a name ("from": "contacts"); nullopt: the name is not like it. A word is as short
// as it can be, and never empty.
std::optional<std::map<std::string, std::string>> words_of(const std::string& pattern,
                                                           const std::string& name);
// The words of a pattern, in order.
std::vector<std::string> words_in(const std::string& pattern);

// The object of that name, else the first pattern that it is like; nullptr: neither is in the list.
const ObjectSpec* find_object(const Spec& spec, const std::string& name);
// What {object.word} stands for.
std::map<std::string, std::string> object_words(const Spec& spec, const std::string& name);

}  // namespace eddy::connectors
