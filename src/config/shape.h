// One description of a file kind, from which both its checks and its JSON Schema follow.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/document.h"

namespace eddy::config {

class Shape;

struct Field {
  std::string name;
  std::shared_ptr<const Shape> shape;
  std::string doc;
  bool required = false;
  bool secret = false;            // the value is registered with core/secrets.h and never shown
  std::string default_text = {};  // for documentation
};

class Shape {
 public:
  enum class Form {
    any,
    string,
    integer,
    number,
    boolean,
    duration,
    share,
    enumeration,
    list,
    map,
    object,
    one_of
  };

  static Shape any();     // whatever YAML can say
  static Shape string();  // any scalar
  static Shape integer();
  static Shape number();
  static Shape boolean();
  static Shape duration();  // 15m
  static Shape share();     // 5% or 0.05
  static Shape enumeration(std::vector<std::string> values);
  static Shape list(Shape item);                         // a single item may stand for a list of one
  static Shape map(Shape value);                         // free keys, one shape for all values
  static Shape object(std::vector<Field> fields);        // closed: an unknown key is an error
  static Shape one_of(std::vector<Shape> alternatives);  // told apart by YAML kind: scalar, list or map

  Form form() const { return form_; }
  const std::vector<Field>& fields() const { return fields_; }
  const std::vector<std::string>& values() const { return values_; }
  const std::vector<Shape>& children() const { return children_; }

  // Adds a diagnostic for every place where `node` does not fit: config.unknown_key (with did-you-mean),
  // config.missing_key, config.wrong_type, config.not_allowed. Registers secrets.
  void check(const Node& node, Diagnostics& diagnostics) const;

 private:
  explicit Shape(Form form) : form_(form) {}
  Form form_;
  std::vector<Field> fields_;
  std::vector<std::string> values_;
  std::vector<Shape> children_;
};

Field field(std::string name, Shape shape, std::string doc);
Field required(std::string name, Shape shape, std::string doc);
Field secret(std::string name, std::string doc, bool is_required = true);

// JSON Schema draft-07 of the shape.
nlohmann::json json_schema(const Shape& shape, const std::string& title, const std::string& description);

}  // namespace eddy::config
