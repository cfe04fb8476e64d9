#include "connectors/declarative/object_name.h"

#include "core/text.h"

#include <algorithm>

namespace eddy::connectors {

namespace {

// "{from}_to_{to}": "", from, "_to_", to, "".
std::vector<std::string> parts_of(const std::string& pattern) {
  std::vector<std::string> out(1);
  for (const char c : pattern) {
    if (c == '{' || c == '}')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

}  // namespace

std::vector<std::string> words_in(const std::string& pattern) {
  const auto parts = parts_of(pattern);
  std::vector<std::string> out;
  for (std::size_t i = 1; i < parts.size(); i += 2) out.push_back(parts[i]);
  return out;
}

std::optional<std::map<std::string, std::string>> words_of(const std::string& pattern,
                                                           const std::string& name) {
  const auto parts = parts_of(pattern);
  if (parts.size() < 3 || !name.starts_with(parts.front())) return std::nullopt;
  std::map<std::string, std::string> out;
  std::size_t at = parts.front().size();
  for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
    const std::string& after = parts[i + 1];
    const bool last = i + 2 >= parts.size();
    std::size_t end = after.empty() ? name.size() : name.find(after, at + 1);
    if (last && !after.empty()) end = name.ends_with(after) ? name.size() - after.size() : std::string::npos;
    if (end == std::string::npos || end <= at) return std::nullopt;
    out[parts[i]] = name.substr(at, end - at);
    at = end + after.size();
  }
  return at == name.size() ? std::optional(out) : std::nullopt;
}

const ObjectSpec* find_object(const Spec& spec, const std::string& name) {
  const auto& list = spec.objects.list;
  auto found = std::find_if(list.begin(), list.end(), [&](const ObjectSpec& o) { return o.name == name; });
  if (found == list.end())
    found = std::find_if(list.begin(), list.end(),
                         [&](const ObjectSpec& o) { return words_of(o.name, name).has_value(); });
  return found == list.end() ? nullptr : &*found;
}

std::map<std::string, std::string> object_words(const Spec& spec, const std::string& name) {
  const ObjectSpec* object = find_object(spec, name);
  if (object == nullptr) return {};
  auto out = object->values;
  if (object->name == name) return out;
  auto words = words_of(object->name, name);
  if (!words) return out;
  for (auto& [ignored, value] : out)
    for (const auto& [word, text] : *words)
      value = replace_all(value, "{" + word + "}", percent_encode(text));
  out.merge(*words);
  return out;
}

}  // namespace eddy::connectors
