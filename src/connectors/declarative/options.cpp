#include "connectors/declarative/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/object_name.h"
#include "connectors/declarative/spec.h"
#include "connectors/declarative/spec_reader.h"
#include "connectors/declarative/spec_shape.h"
#include "core/text.h"

namespace eddy::connectors {

using config::Node;
using config::Shape;
using nlohmann::json;

namespace {

constexpr std::string_view prefix = "options.";

bool is_for(const OptionSpec& option, const Spec& spec, const std::string& object) {
  const auto named = [&](const std::string& name) {
    return std::find(option.objects.begin(), option.objects.end(), name) != option.objects.end();
  };
  const ObjectSpec* known = find_object(spec, object);
  return option.objects.empty() || named(object) || (known != nullptr && named(known->name));
}

json typed(const OptionSpec& option, const std::string& text) {
  if (option.type == "boolean") return lower(text) == "true";
  return option.type == "integer" ? whole_number(text) : json(text);
}

}  // namespace

Options::Options(const Spec& spec, const Lookup& settings, const std::string& object, const Node& given) {
  for (const OptionSpec& option : spec.options) {
    if (!is_for(option, spec, object)) continue;
    std::optional<std::string> text;
    if (given[option.name].is_scalar())
      text = given[option.name].text();
    else if (option.otherwise)
      text = option.otherwise->text(settings);
    if (text && !text->empty()) values_[std::string(prefix) + option.name] = typed(option, *text);
  }
}

std::optional<json> Options::get(std::string_view placeholder) const {
  const auto found = values_.find(placeholder);
  return found == values_.end() ? std::nullopt : std::optional<json>(found->second);
}

Shape options_shape(const Spec& spec) {
  std::vector<config::Field> fields;
  for (const OptionSpec& option : spec.options) {
    fields.push_back(config::field(option.name,
                                   !option.values.empty()     ? Shape::enumeration(option.values)
                                   : option.type == "integer" ? Shape::integer()
                                   : option.type == "boolean" ? Shape::boolean()
                                                              : Shape::string(),
                                   option.doc));
    if (option.otherwise) fields.back().default_text = option.otherwise->source();
  }
  return Shape::object(std::move(fields));
}

void check_options(const Spec& spec, const std::string& object, const Node& given) {
  for (const OptionSpec& option : spec.options)
    if (given[option.name].exists() && !is_for(option, spec, object))
      given[option.name].fail(
          "destination.options",
          fmt::format("option `{}` has no meaning for {} of {}", option.name, object, spec.title),
          "it is for " + join(option.objects, ", "));
}

OptionSpec SpecReader::option(const Node::Entry& entry) const {
  OptionSpec out;
  out.name = entry.name;
  out.doc = entry.value["doc"].as_string("");
  out.type = entry.value["type"].as_string("text");
  for (const Node& value : entry.value["values"].items()) out.values.push_back(value.text());
  const Node objects = root_["objects"]["list"];
  for (const Node& object : entry.value["objects"].items()) {
    if (!objects[object.text()].exists())
      object.fail("connector.option", fmt::format("there is no object `{}`", object.text()),
                  "write it as in the list of objects");
    out.objects.push_back(object.text());
  }
  if (entry.value["default"].exists()) out.otherwise = placeholders(entry.value["default"], false);
  return out;
}

Shape option_shape() {
  return Shape::object(
      {config::field("doc", Shape::string(), "what it does"),
       config::field("type", Shape::enumeration({"text", "integer", "boolean"}),
                     "text unless said otherwise"),
       config::field("values", Shape::list(Shape::string()), "those allowed"),
       config::field("objects", Shape::list(Shape::string()), "has a meaning for these objects only"),
       config::field("default", Shape::string(), "may use settings: a connection's own default")});
}

}  // namespace eddy::connectors
