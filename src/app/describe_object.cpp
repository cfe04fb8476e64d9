#include "app/describe_object.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"

namespace eddy::app {
namespace {

using nlohmann::json;

// Some pick-lists have hundreds of values.
std::string allowed_text(const std::vector<std::string>& options) {
  constexpr std::size_t shown_max = 6;
  if (options.size() <= shown_max + 1) return join(options, ", ");
  return fmt::format("{}, … {} more", join(std::span(options).first(shown_max), ", "),
                     options.size() - shown_max);
}

json to_json(const sync::ObjectSchema& object, const sync::FieldSchema& f) {
  json out = {{"object", object.name},
              {"field", f.name},
              {"type", name_of(f.type)},
              {"native_type", f.native_type},
              {"required", f.required},
              {"writable", f.writable},
              {"key", f.key},
              {"unique", f.key && f.unique},
              {"options", f.options}};
  out["length"] = f.length_max > 0 ? json(f.length_max) : json(nullptr);
  return out;
}

}  // namespace

sync::ObjectSchema describe_object(sync::Destination& destination, const std::string& connection,
                                   const std::string& object) {
  auto schema = destination.describe(object);
  if (!schema && destination.ask_anew()) schema = destination.describe(object);
  if (schema) return *schema;
  const auto known = destination.objects();
  std::string hint = did_you_mean_hint(object, known);
  if (hint.empty()) hint = known.empty() ? "check its name there" : "objects there: " + join(known, ", ");
  throw Error("sync.unknown_object", fmt::format("`{}` has no object `{}`", connection, object), hint);
}

void print_object(const Context& context, const sync::ObjectSchema& object) {
  if (context.json) {
    for (const sync::FieldSchema& f : object.fields)
      print_out(to_json(object, f).dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
    return;
  }
  Table table(std::vector<std::string>{"field", "type", "native type", "required", "writable", "key",
                                       "length", "allowed values"});
  for (const sync::FieldSchema& f : object.fields)
    table.add(std::vector<std::string>{
        f.name, std::string(name_of(f.type)), f.native_type, f.required ? "yes" : "", f.writable ? "yes" : "",
        !f.key     ? ""
        : f.unique ? "yes"
                   : "not unique",
        f.length_max > 0 ? std::to_string(f.length_max) : "", allowed_text(f.options)});
  if (!object.fields.empty()) print_out(table.render(TableForm::table));
  if (object.open && !context.quiet) print_err("fields that are not listed may exist too\n");
}

}  // namespace eddy::app
