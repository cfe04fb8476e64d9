// A YAML file with the position of every node, its ${VARIABLES} already replaced.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace eddy::config {

// Gives the value of ${NAME}; nullopt when it is not set.
using Variables = std::function<std::optional<std::string>(std::string_view name)>;
Variables no_variables();           // every variable is unset
Variables environment_variables();  // the process environment
// The process environment first, then NAME=value lines of `file` (".env"); a missing file is an empty one.
Variables environment_with_file(const std::filesystem::path& file);

enum class Kind { missing, null, scalar, list, map };

// A view into a document; cheap to copy, keeps the document alive. Accessors assume that a Shape (shape.h)
// has checked the node; where it has not, they throw Error("config.wrong_type") with the position.
class Node {
 public:
  struct Data;
  struct Source;
  Node() = default;  // missing
  Node(std::shared_ptr<const Source> source, const Data* data) : source_(std::move(source)), data_(data) {}

  Kind kind() const;
  bool exists() const { return kind() != Kind::missing; }
  bool is_map() const { return kind() == Kind::map; }
  bool is_list() const { return kind() == Kind::list; }
  bool is_scalar() const { return kind() == Kind::scalar; }

  Node operator[](std::string_view key) const;  // missing when absent or when this is no map
  std::vector<Node> items() const;              // of a list; a scalar is a list of itself; missing is empty
  struct Entry;
  std::vector<Entry> entries() const;  // of a map, in file order

  const std::string& text() const;  // of a scalar, as written, variables replaced
  bool quoted() const;              // the scalar was written in quotes: it is text, whatever it looks like
  std::string as_string() const { return text(); }
  std::string as_string(std::string_view otherwise) const;
  std::int64_t as_integer() const;
  double as_number() const;
  bool as_boolean() const;
  std::chrono::milliseconds as_duration() const;  // "15m"
  double as_share() const;                        // "5%" or 0.05
  nlohmann::json as_json() const;  // whole tree; unquoted scalars become numbers, booleans, null

  SourcePosition position() const;
  // A diagnostic about this node, with the offending line.
  Diagnostic complaint(std::string code, std::string message, std::string hint = {}) const;
  [[noreturn]] void fail(std::string code, std::string message, std::string hint = {}) const;

 private:
  std::shared_ptr<const Source> source_;
  const Data* data_ = nullptr;
};

struct Node::Entry {
  std::string name;
  Node key;  // for its position
  Node value;
};

// Parses one YAML document. `name` is what errors call the file; `line_offset` is added to line numbers (the
// YAML header of a .sql file does not start on line 1). Depth, aliases and size are capped. Syntax errors,
// duplicate keys and unset variables go to `diagnostics`; the result is then missing or partial. An empty
// file is a missing node. Codes: config.syntax, config.duplicate_key, config.unset_variable,
// config.too_large.
Node parse(std::string_view text, const std::string& name, const Variables& variables,
           Diagnostics& diagnostics, int line_offset = 0);
Node parse_file(const std::filesystem::path& file, const std::string& name, const Variables& variables,
                Diagnostics& diagnostics);

}  // namespace eddy::config
