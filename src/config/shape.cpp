#include "config/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/secrets.h"
#include "core/text.h"

namespace eddy::config {

Shape Shape::any() { return Shape(Form::any); }
Shape Shape::string() { return Shape(Form::string); }
Shape Shape::integer() { return Shape(Form::integer); }
Shape Shape::number() { return Shape(Form::number); }
Shape Shape::boolean() { return Shape(Form::boolean); }
Shape Shape::duration() { return Shape(Form::duration); }
Shape Shape::share() { return Shape(Form::share); }
Shape Shape::enumeration(std::vector<std::string> values) {
  Shape shape(Form::enumeration);
  shape.values_ = std::move(values);
  return shape;
}
Shape Shape::list(Shape item) {
  Shape shape(Form::list);
  shape.children_.push_back(std::move(item));
  return shape;
}
Shape Shape::map(Shape value) {
  Shape shape(Form::map);
  shape.children_.push_back(std::move(value));
  return shape;
}
Shape Shape::object(std::vector<Field> fields) {
  Shape shape(Form::object);
  shape.fields_ = std::move(fields);
  return shape;
}
Shape Shape::one_of(std::vector<Shape> alternatives) {
  Shape shape(Form::one_of);
  shape.children_ = std::move(alternatives);
  return shape;
}

Field field(std::string name, Shape shape, std::string doc) {
  return {std::move(name), std::make_shared<Shape>(std::move(shape)), std::move(doc)};
}
Field required(std::string name, Shape shape, std::string doc) {
  Field f = field(std::move(name), std::move(shape), std::move(doc));
  f.required = true;
  return f;
}
Field secret(std::string name, std::string doc, bool is_required) {
  Field f = field(std::move(name), Shape::string(), std::move(doc));
  f.required = is_required;
  f.secret = true;
  return f;
}

namespace {

std::string expectation(const Shape& shape) {
  switch (shape.form()) {
    case Shape::Form::any:
      return "a value";
    case Shape::Form::string:
      return "text";
    case Shape::Form::integer:
      return "a whole number";
    case Shape::Form::number:
      return "a number";
    case Shape::Form::boolean:
      return "true or false";
    case Shape::Form::duration:
      return "a duration like 15m";
    case Shape::Form::share:
      return "a share like 5%";
    case Shape::Form::enumeration:
      return "one of " + join(shape.values(), ", ");
    case Shape::Form::list:
      return "a list";
    case Shape::Form::map:
    case Shape::Form::object:
      return "a map (key: value)";
    case Shape::Form::one_of: {
      std::vector<std::string> parts;
      for (const Shape& child : shape.children()) parts.push_back(expectation(child));
      return join(parts, " or ");
    }
  }
  return {};
}

bool fits_kind(const Shape& shape, Kind kind) {
  switch (shape.form()) {
    case Shape::Form::any:
      return true;
    case Shape::Form::map:
    case Shape::Form::object:
      return kind == Kind::map;
    case Shape::Form::list:
      return kind == Kind::list || fits_kind(shape.children().front(), kind);
    case Shape::Form::one_of:
      return std::any_of(shape.children().begin(), shape.children().end(),
                         [&](const Shape& s) { return fits_kind(s, kind); });
    default:
      return kind == Kind::scalar;
  }
}

std::string what_it_is(const Node& node) {
  switch (node.kind()) {
    case Kind::scalar:
      return fmt::format("`{}`", node.text());
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    default:
      return "nothing";
  }
}

void check_object(const Shape& shape, const Node& node, Diagnostics& diagnostics) {
  std::vector<std::string> known;
  for (const Field& f : shape.fields()) known.push_back(f.name);
  for (const Node::Entry& entry : node.entries()) {
    const auto f = std::find_if(shape.fields().begin(), shape.fields().end(),
                                [&](const Field& x) { return x.name == entry.name; });
    if (f == shape.fields().end()) {
      std::string hint = did_you_mean_hint(entry.name, known);
      if (hint.empty()) hint = "known here: " + join(known, ", ");
      diagnostics.add(
          entry.key.complaint("config.unknown_key", fmt::format("unknown key `{}`", entry.name), hint));
      continue;
    }
    if (entry.value.kind() == Kind::null) {
      if (f->required)
        diagnostics.add(
            entry.key.complaint("config.missing_key", fmt::format("`{}` has no value", entry.name), f->doc));
      continue;
    }
    f->shape->check(entry.value, diagnostics);
    if (f->secret && entry.value.is_scalar()) register_secret(entry.value.text());
  }
  for (const Field& f : shape.fields())
    if (f.required && !node[f.name].exists())
      diagnostics.add(node.complaint("config.missing_key", fmt::format("`{}` is missing", f.name),
                                     fmt::format("{}: {}", f.name, f.doc)));
}

}  // namespace

void Shape::check(const Node& node, Diagnostics& diagnostics) const {
  if (!fits_kind(*this, node.kind())) {
    diagnostics.add(node.complaint(
        "config.wrong_type", fmt::format("{} is expected, found {}", expectation(*this), what_it_is(node))));
    return;
  }
  try {
    switch (form_) {
      case Form::any:
      case Form::string:
        break;
      case Form::integer:
        node.as_integer();
        break;
      case Form::number:
        node.as_number();
        break;
      case Form::boolean:
        node.as_boolean();
        break;
      case Form::duration:
        node.as_duration();
        break;
      case Form::share:
        node.as_share();
        break;
      case Form::enumeration:
        if (std::find(values_.begin(), values_.end(), node.text()) == values_.end()) {
          std::string hint = did_you_mean_hint(node.text(), values_);
          diagnostics.add(node.complaint(
              "config.not_allowed", fmt::format("`{}` is not {}", node.text(), expectation(*this)), hint));
        }
        break;
      case Form::list:
        for (const Node& item : node.items()) children_.front().check(item, diagnostics);
        break;
      case Form::map:
        for (const Node::Entry& entry : node.entries()) children_.front().check(entry.value, diagnostics);
        break;
      case Form::object:
        check_object(*this, node, diagnostics);
        break;
      case Form::one_of:
        for (const Shape& child : children_)
          if (fits_kind(child, node.kind())) {
            child.check(node, diagnostics);
            break;
          }
        break;
    }
  } catch (const Error& e) {
    diagnostics.add(e);
  }
}

namespace {

nlohmann::json schema_of(const Shape& shape) {
  using nlohmann::json;
  // Every scalar may also be a ${VARIABLE}, so typed scalars accept such a string too.
  const json variable = {{"type", "string"}, {"pattern", R"(\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\})"}};
  switch (shape.form()) {
    case Shape::Form::any:
      return json::object();
    case Shape::Form::string:
      return {{"type", {"string", "number", "boolean"}}};
    case Shape::Form::integer:
      return {{"anyOf", {json{{"type", "integer"}}, variable}}};
    case Shape::Form::number:
      return {{"anyOf", {json{{"type", "number"}}, variable}}};
    case Shape::Form::boolean:
      return {{"anyOf", {json{{"type", "boolean"}}, variable}}};
    case Shape::Form::duration:
      return {{"type", "string"}, {"pattern", R"(^([0-9]+(ms|s|m|h|d))+$|\$\{)"}};
    case Shape::Form::share:
      return {{"anyOf",
               {json{{"type", "number"}, {"minimum", 0}, {"maximum", 1}},
                json{{"type", "string"}, {"pattern", R"(^[0-9.]+ ?%?$|\$\{)"}}}}};
    case Shape::Form::enumeration:
      return {{"anyOf", {json{{"enum", shape.values()}}, variable}}};
    case Shape::Form::list: {
      const json item = schema_of(shape.children().front());
      return {{"anyOf", {json{{"type", "array"}, {"items", item}}, item}}};
    }
    case Shape::Form::map:
      return {{"type", "object"}, {"additionalProperties", schema_of(shape.children().front())}};
    case Shape::Form::one_of: {
      json alternatives = json::array();
      for (const Shape& child : shape.children()) alternatives.push_back(schema_of(child));
      return {{"anyOf", alternatives}};
    }
    case Shape::Form::object: {
      json properties = json::object();
      json needed = json::array();
      for (const Field& f : shape.fields()) {
        json property = schema_of(*f.shape);
        property["description"] = f.doc;
        if (!f.default_text.empty()) property["default"] = f.default_text;
        properties[f.name] = std::move(property);
        if (f.required) needed.push_back(f.name);
      }
      json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
      if (!needed.empty()) schema["required"] = needed;
      return schema;
    }
  }
  return {};
}

}  // namespace

nlohmann::json json_schema(const Shape& shape, const std::string& title, const std::string& description) {
  nlohmann::json schema = schema_of(shape);
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = title;
  schema["description"] = description;
  return schema;
}

}  // namespace eddy::config
