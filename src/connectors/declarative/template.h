// Text and data trees with {placeholders}: the only way a connector.yml puts values into requests.
//
// `{name}` stands for a value, `{{` and `}}` for braces. Names are fixed words (template_test.cpp shows all
// of them in use):
//   {setting}                     any setting of the connection
//   {object}, {object.word}       the object's name; a word of its `values:` in the connector
//   {key.field}                   the destination field that matches records
//   {row.key} {row.fields} {row.all} {row.trace} {row.index}
//                                 inside `each:` or where a request carries one row: key value, mapped
//                                 fields, key and fields, an id unique in the plan, place in the batch from 0
//   {row.idempotency_key}         likewise: names this change of the row (sync/destination.h)
//   {rows.keys}                   all key values of the batch, with commas
//   {auth.word}                   what authentication gave: access_token, base_url
// `{name:number}` is a whole number where the value is the text of one: 7, not "7".
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"

namespace eddy::connectors {

// Gives the value of a placeholder; nullopt when it has none (an optional setting that is not set).
using Lookup = std::function<std::optional<nlohmann::json>(std::string_view name)>;

// Makes a value fit for where it goes: percent-encoded in a URL, escaped in a JSON pointer.
using Encode = std::function<std::string(std::string_view name, const std::string& value)>;

class Template {
 public:
  Template() = default;
  // Throws Error("connector.placeholder") at the node when braces do not match or a name is empty.
  static Template parse(const config::Node& node);
  static Template parse(std::string_view text);

  bool empty() const { return parts_.empty(); }
  const std::string& source() const { return source_; }
  std::vector<std::string> names() const;

  // Text with every placeholder replaced; `encode` is applied to each value.
  // nullopt when a placeholder has no value.
  std::optional<std::string> text(const Lookup& lookup, const Encode& encode = {}) const;
  // The value itself, with its JSON type, when the template is exactly one placeholder; text otherwise.
  std::optional<nlohmann::json> value(const Lookup& lookup) const;

 private:
  struct Part {
    std::string text;
    bool placeholder = false;
    bool number = false;
  };
  std::string source_;
  std::vector<Part> parts_;
};

// JSON as text for a URL, header or form: strings bare, null empty, everything else as JSON writes it.
std::string plain_text(const nlohmann::json& value);
// The text of a whole number as the number; everything else as it is.
nlohmann::json whole_number(const nlohmann::json& value);

// A JSON document with templates as its leaves and two structural words:
//   each: TREE     as the only key of a map: a list with one TREE per row of the batch
//   "*": "{name}"  as a key of a map: the members of that object are spread into this one
// A map entry whose template has no value is left out.
class Tree {
 public:
  Tree() = default;
  static Tree parse(const config::Node& node);
  bool empty() const { return kind_ == Kind::none; }
  std::vector<std::string> names() const;
  // `row(i)` is the lookup inside `each:` for row i of `rows`.
  nlohmann::json render(const Lookup& lookup, std::size_t rows,
                        const std::function<Lookup(std::size_t)>& row) const;

 private:
  friend class BodyForm;  // reads the tree to write it as text
  enum class Kind { none, constant, leaf, list, map, each };
  std::optional<nlohmann::json> render_value(const Lookup& lookup, std::size_t rows,
                                             const std::function<Lookup(std::size_t)>& row) const;

  Kind kind_ = Kind::none;
  nlohmann::json constant_;
  Template leaf_;
  std::vector<std::pair<Template, Tree>> members_;  // of a map; a list has no names
};

}  // namespace eddy::connectors
