#include "connectors/declarative/template.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {
constexpr std::string_view as_number = ":number";

[[noreturn]] void refuse(const config::Node& node, std::string_view text, std::string_view why) {
  const std::string message = fmt::format("`{}`: {}", text, why);
  const std::string hint = "a placeholder is written {name}; for a brace itself write {{ or }}";
  if (node.exists()) node.fail("connector.placeholder", message, hint);
  throw Error("connector.placeholder", message, hint);
}
}  // namespace

// What is no number stays as it is: the service says so better than we could.
json whole_number(const json& value) {
  if (!value.is_string()) return value;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? json(number) : value;
}

std::string plain_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return {};
  return value.dump();
}

Template Template::parse(std::string_view text) {
  Template out;
  out.source_ = std::string(text);
  std::string literal;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      literal += c;
      ++i;
    } else if (c == '{') {
      const auto end = text.find('}', i);
      if (end == std::string_view::npos) refuse({}, text, "a brace is not closed");
      if (end == i + 1) refuse({}, text, "a placeholder has no name");
      if (!literal.empty()) out.parts_.push_back({std::exchange(literal, {}), false, false});
      std::string_view name = text.substr(i + 1, end - i - 1);
      const bool number = name.ends_with(as_number);
      if (number) name.remove_suffix(as_number.size());
      out.parts_.push_back({std::string(name), true, number});
      i = end;
    } else if (c == '}') {
      refuse({}, text, "a brace closes nothing");
    } else {
      literal += c;
    }
  }
  if (!literal.empty()) out.parts_.push_back({std::move(literal), false, false});
  return out;
}

Template Template::parse(const config::Node& node) {
  try {
    return parse(std::string_view(node.text()));
  } catch (const Error& e) {
    node.fail(e.code(), e.message(), e.hint());
  }
}

std::vector<std::string> Template::names() const {
  std::vector<std::string> out;
  for (const Part& part : parts_)
    if (part.placeholder) out.push_back(part.text);
  return out;
}

std::optional<std::string> Template::text(const Lookup& lookup, const Encode& encode) const {
  std::string out;
  for (const Part& part : parts_) {
    if (!part.placeholder) {
      out += part.text;
      continue;
    }
    const auto value = lookup(part.text);
    if (!value) return std::nullopt;
    const std::string plain = plain_text(*value);
    out += encode ? encode(part.text, plain) : plain;
  }
  return out;
}

std::optional<json> Template::value(const Lookup& lookup) const {
  if (parts_.size() == 1 && parts_.front().placeholder) {
    auto out = lookup(parts_.front().text);
    return out && parts_.front().number ? whole_number(*out) : out;
  }
  auto out = text(lookup);
  if (!out) return std::nullopt;
  return json(std::move(*out));
}

Tree Tree::parse(const config::Node& node) {
  Tree tree;
  switch (node.kind()) {
    case config::Kind::scalar: {
      const json value = node.as_json();
      tree.kind_ = value.is_string() ? Kind::leaf : Kind::constant;
      if (value.is_string())
        tree.leaf_ = Template::parse(node);
      else
        tree.constant_ = value;
      break;
    }
    case config::Kind::list:
      tree.kind_ = Kind::list;
      for (const config::Node& item : node.items()) tree.members_.emplace_back(Template(), parse(item));
      break;
    case config::Kind::map: {
      const auto entries = node.entries();
      if (entries.size() == 1 && entries.front().name == "each") {
        tree.kind_ = Kind::each;
        tree.members_.emplace_back(Template(), parse(entries.front().value));
        break;
      }
      tree.kind_ = Kind::map;
      for (const auto& entry : entries)
        tree.members_.emplace_back(Template::parse(entry.key), parse(entry.value));
      break;
    }
    case config::Kind::null:
      tree.kind_ = Kind::constant;
      break;
    case config::Kind::missing:
      break;
  }
  return tree;
}

std::vector<std::string> Tree::names() const {
  std::vector<std::string> out = leaf_.names();
  for (const auto& [name, tree] : members_) {
    for (const std::string& n : name.names()) out.push_back(n);
    for (const std::string& n : tree.names()) out.push_back(n);
  }
  return out;
}

std::optional<json> Tree::render_value(const Lookup& lookup, std::size_t rows,
                                       const std::function<Lookup(std::size_t)>& row) const {
  switch (kind_) {
    case Kind::none:
      return std::nullopt;
    case Kind::constant:
      return constant_;
    case Kind::leaf:
      return leaf_.value(lookup);
    case Kind::list: {
      json out = json::array();
      for (const auto& [name, tree] : members_)
        if (auto value = tree.render_value(lookup, rows, row)) out.push_back(std::move(*value));
      return out;
    }
    case Kind::each: {
      json out = json::array();
      for (std::size_t i = 0; i < rows; ++i)
        if (auto value = members_.front().second.render_value(row(i), rows, row))
          out.push_back(std::move(*value));
      return out;
    }
    case Kind::map: {
      json out = json::object();
      for (const auto& [name, tree] : members_) {
        auto value = tree.render_value(lookup, rows, row);
        if (!value) continue;
        if (name.source() == "*") {
          if (value->is_object()) out.update(*value);
        } else if (const auto key = name.text(lookup)) {
          out[*key] = std::move(*value);
        }
      }
      return out;
    }
  }
  return std::nullopt;
}

json Tree::render(const Lookup& lookup, std::size_t rows,
                  const std::function<Lookup(std::size_t)>& row) const {
  return render_value(lookup, rows, row).value_or(json());
}

}  // namespace eddy::connectors
