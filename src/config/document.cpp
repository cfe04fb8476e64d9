#include "config/document.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <deque>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/clock.h"
#include "core/files.h"
#include "core/text.h"

namespace eddy::config {

namespace {
constexpr std::size_t bytes_max =
    4 << 20;  // a project file is written by hand; more is a mistake or an attack
constexpr std::size_t nodes_max = 200'000;  // after alias expansion ("billion laughs")
constexpr int depth_max = 64;
}  // namespace

struct Node::Data {
  Kind kind = Kind::null;
  std::string text;
  bool quoted = false;
  int line = 0;
  int column = 0;
  std::vector<std::pair<const Data*, const Data*>> entries;  // of a map: key, value
  std::vector<const Data*> items;
};

struct Node::Source {
  std::string name;
  std::vector<std::string> lines;
  int line_offset = 0;
  std::deque<Data> data;  // a deque never moves what it holds
};

Variables no_variables() {
  return [](std::string_view) { return std::nullopt; };
}

Variables environment_variables() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Variables environment_with_file(const std::filesystem::path& file) {
  std::unordered_map<std::string, std::string> values;
  if (std::filesystem::exists(file)) {
    for (const std::string& raw : split(read_file(file), '\n')) {
      std::string line = trim(raw);
      if (line.starts_with("export ")) line = trim(line.substr(7));
      const auto equals = line.find('=');
      if (line.empty() || line[0] == '#' || equals == std::string::npos) continue;
      std::string value = trim(line.substr(equals + 1));
      if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
          value.back() == value.front())
        value = value.substr(1, value.size() - 2);
      values[trim(line.substr(0, equals))] = value;
    }
  }
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    if (auto from_process = environment_variables()(name)) return from_process;
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

namespace {

class Reader {
 public:
  Reader(Node::Source& source, std::shared_ptr<const Node::Source> shared, const Variables& variables,
         Diagnostics& diagnostics)
      : source_(source), shared_(std::move(shared)), variables_(variables), diagnostics_(diagnostics) {}

  const Node::Data* read(const YAML::Node& yaml, int depth = 0) {
    Node::Data& data = source_.data.emplace_back();
    data.line = yaml.Mark().line + 1 + source_.line_offset;
    data.column = yaml.Mark().column + 1;
    if (depth > depth_max || source_.data.size() > nodes_max) {
      if (!too_large_)
        report(data, "config.too_large", "the file nests too deeply or expands to too many nodes");
      too_large_ = true;
      return &data;
    }
    switch (yaml.Type()) {
      case YAML::NodeType::Scalar:
        data.kind = Kind::scalar;
        data.quoted = yaml.Tag() == "!";
        data.text = replace_variables(yaml.Scalar(), data);
        break;
      case YAML::NodeType::Sequence:
        data.kind = Kind::list;
        for (const YAML::Node& item : yaml) data.items.push_back(read(item, depth + 1));
        break;
      case YAML::NodeType::Map: {
        data.kind = Kind::map;
        std::unordered_map<std::string, int> seen;
        for (const auto& entry : yaml) {
          const Node::Data* key = read(entry.first, depth + 1);
          if (const auto [first, fresh] = seen.emplace(key->text, key->line); !fresh)
            report(*key, "config.duplicate_key",
                   fmt::format("`{}` is already set on line {}", key->text, first->second),
                   "keep one of the two");
          data.entries.emplace_back(key, read(entry.second, depth + 1));
        }
        break;
      }
      default:
        data.kind = Kind::null;
    }
    return &data;
  }

 private:
  void report(const Node::Data& data, std::string code, std::string message, std::string hint = {}) {
    diagnostics_.add(Node(shared_, &data).complaint(std::move(code), std::move(message), std::move(hint)));
  }

  // ${NAME}, ${NAME:-default}; $${ stands for a plain ${.
  std::string replace_variables(const std::string& text, const Node::Data& data) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
      if (text.compare(at, 3, "$${") == 0) {
        out += "${";
        at += 3;
        continue;
      }
      const auto end = text.compare(at, 2, "${") == 0 ? text.find('}', at) : std::string::npos;
      if (end == std::string::npos) {
        out += text[at++];
        continue;
      }
      const std::string inside = text.substr(at + 2, end - at - 2);
      const auto dash = inside.find(":-");
      const std::string name = inside.substr(0, dash);
      auto value = variables_(name);
      if (dash != std::string::npos && (!value || value->empty())) value = inside.substr(dash + 2);
      if (value) {
        out += *value;
      } else {
        report(data, "config.unset_variable", fmt::format("the variable `{}` is not set", name),
               fmt::format("export {0}=… or add it to .env; `${{{0}:-value}}` gives a default", name));
      }
      at = end + 1;
    }
    return out;
  }

  Node::Source& source_;
  std::shared_ptr<const Node::Source> shared_;
  const Variables& variables_;
  Diagnostics& diagnostics_;
  bool too_large_ = false;
};

const Node::Data missing{Kind::missing, {}, false, 0, 0, {}, {}};

}  // namespace

Node parse(std::string_view text, const std::string& name, const Variables& variables,
           Diagnostics& diagnostics, int line_offset) {
  auto source = std::make_shared<Node::Source>();
  source->name = name;
  source->line_offset = line_offset;
  if (text.size() > bytes_max) {
    diagnostics.add("config.too_large", fmt::format("{} is larger than {}", name, human_bytes(bytes_max)),
                    "split it", {name});
    return {};
  }
  for (std::string& line : source->lines = split(text, '\n'))
    if (line.ends_with('\r')) line.pop_back();
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsDefined() || root.IsNull()) return {};
    return Node(source, Reader(*source, source, variables, diagnostics).read(root));
  } catch (const YAML::Exception& e) {
    Node::Data& place = source->data.emplace_back();
    place.line = std::max(0, e.mark.line) + 1 + line_offset;
    place.column = std::max(0, e.mark.column) + 1;
    diagnostics.add(Node(source, &place)
                        .complaint("config.syntax", fmt::format("this is not valid YAML: {}", e.msg),
                                   "check indentation and quotes here and on the line above"));
    return {};
  }
}

Node parse_file(const std::filesystem::path& file, const std::string& name, const Variables& variables,
                Diagnostics& diagnostics) {
  try {
    return parse(read_file(file), name, variables, diagnostics);
  } catch (const Error& e) {
    diagnostics.add(e);
    return {};
  }
}

Kind Node::kind() const { return data_ == nullptr ? Kind::missing : data_->kind; }

Node Node::operator[](std::string_view key) const {
  if (is_map())
    for (const auto& [name, value] : data_->entries)
      if (name->text == key) return {source_, value};
  return {};
}

std::vector<Node> Node::items() const {
  if (is_scalar() || is_map()) return {*this};
  std::vector<Node> out;
  if (is_list())
    for (const Data* item : data_->items) out.emplace_back(source_, item);
  return out;
}

std::vector<Node::Entry> Node::entries() const {
  std::vector<Entry> out;
  if (is_map())
    for (const auto& [key, value] : data_->entries)
      out.push_back({key->text, Node(source_, key), Node(source_, value)});
  return out;
}

const std::string& Node::text() const {
  if (!is_scalar()) fail("config.wrong_type", "a single value is expected here");
  return data_->text;
}

bool Node::quoted() const { return data_ != nullptr && data_->quoted; }

std::string Node::as_string(std::string_view otherwise) const {
  return exists() ? text() : std::string(otherwise);
}

std::int64_t Node::as_integer() const {
  const std::string& t = text();
  char* end = nullptr;
  errno = 0;
  const std::int64_t value = std::strtoll(t.c_str(), &end, 10);
  if (t.empty() || *end != '\0' || errno == ERANGE)
    fail("config.wrong_type", fmt::format("`{}` is not a whole number", t));
  return value;
}

double Node::as_number() const {
  const std::string& t = text();
  char* end = nullptr;
  const double value = std::strtod(t.c_str(), &end);
  if (t.empty() || *end != '\0') fail("config.wrong_type", fmt::format("`{}` is not a number", t));
  return value;
}

bool Node::as_boolean() const {
  const std::string t = lower(text());
  if (t == "true" || t == "yes" || t == "on") return true;
  if (t == "false" || t == "no" || t == "off") return false;
  fail("config.wrong_type", fmt::format("`{}` is neither true nor false", text()));
}

std::chrono::milliseconds Node::as_duration() const {
  try {
    return parse_duration(text());
  } catch (const Error& e) {
    fail("config.wrong_type", e.message(), e.hint());
  }
}

double Node::as_share() const {
  const std::string& t = text();
  const bool percent = t.ends_with('%');
  const std::string number = percent ? trim(t.substr(0, t.size() - 1)) : t;
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end) / (percent ? 100 : 1);
  if (number.empty() || *end != '\0' || !(value >= 0 && value <= 1))
    fail("config.wrong_type", fmt::format("`{}` is not a share between 0% and 100%", t),
         "write it as 5% or 0.05");
  return value;
}

nlohmann::json Node::as_json() const {
  switch (kind()) {
    case Kind::scalar: {
      const std::string& t = data_->text;
      if (data_->quoted) return t;
      if (t == "null" || t == "~") return nullptr;
      if (t == "true" || t == "false") return t == "true";
      // A number is what JSON calls a number; 007 and 1e are text.
      const auto parsed = nlohmann::json::parse(t, nullptr, false);
      return parsed.is_number() ? parsed : nlohmann::json(t);
    }
    case Kind::list: {
      auto out = nlohmann::json::array();
      for (const Node& item : items()) out.push_back(item.as_json());
      return out;
    }
    case Kind::map: {
      auto out = nlohmann::json::object();
      for (const Entry& entry : entries()) out[entry.name] = entry.value.as_json();
      return out;
    }
    default:
      return nullptr;
  }
}

SourcePosition Node::position() const {
  if (data_ == nullptr || source_ == nullptr) return {};
  return {source_->name, data_->line, data_->column};
}

Diagnostic Node::complaint(std::string code, std::string message, std::string hint) const {
  Diagnostic diagnostic{std::move(code), std::move(message), std::move(hint), position(), {}};
  if (source_ != nullptr) {
    const auto index = static_cast<std::size_t>(diagnostic.position.line - 1 - source_->line_offset);
    if (index < source_->lines.size()) diagnostic.excerpt = source_->lines[index];
  }
  return diagnostic;
}

void Node::fail(std::string code, std::string message, std::string hint) const {
  throw Error(complaint(std::move(code), std::move(message), std::move(hint)));
}

}  // namespace eddy::config
