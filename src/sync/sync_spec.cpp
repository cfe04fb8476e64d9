#include "sync/sync_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/clock.h"
#include "core/text.h"

namespace eddy::sync {

using config::Node;
using config::Shape;

namespace {

constexpr std::array<std::string_view, 4> removals = {"ignore", "delete", "archive", "clear"};

Shape mapping_shape(bool with_policies) {
  std::vector<config::Field> fields = {
      config::required("value", Shape::string(), "SQL expression over the model's columns")};
  if (with_policies) {
    fields.push_back(config::field("when_null", Shape::enumeration({"write", "keep"}),
                                   "what to do when the value is null"));
    fields.push_back(config::field("write", Shape::enumeration({"always", "if_empty", "on_create"}),
                                   "when the field is written"));
  }
  return Shape::map(Shape::one_of({Shape::string(), Shape::object(std::move(fields))}));
}

Shape make_shape() {
  return Shape::object({
      config::required("model", Shape::string(), "the model whose rows are delivered, as layer.name"),
      config::required("destination", Shape::string(), "a connection of connections.yml"),
      config::required("object", Shape::string(), "what is written there: a CRM object, a table"),
      config::required("key", mapping_shape(false),
                       "destination field: SQL expression; together they identify a record"),
      config::field("mode", Shape::enumeration({"upsert", "update", "insert"}),
                    "upsert (default), update never creates, insert only adds"),
      config::field("removed",
                    Shape::one_of({Shape::enumeration({"ignore", "delete", "archive", "clear"}),
                                   Shape::map(Shape::string())}),
                    "what to do with delivered rows that have left the model; default ignore"),
      config::field("fields", mapping_shape(true),
                    "destination field: SQL expression over the model's columns"),
      config::field(
          "guards",
          Shape::object(
              {config::field("removed", Shape::share(),
                             "hold the plan when more of the delivered rows are removed; default 10%"),
               config::field("changed", Shape::share(),
                             "hold the plan when more of the delivered rows change; default 100%")}),
          "limits that hold a plan until it is approved"),
      config::field("on", Shape::list(Shape::string()),
                    "every 15m, after layer.model, cron \"…\", webhook, continuous"),
      config::field("options", Shape::any(), "settings of the destination's own"),
      config::field("tags", Shape::list(Shape::string()), "words to select by: tag:crm"),
      config::field("description", Shape::string(), "for people"),
  });
}

bool plain_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-';
  });
}

void unsupported(const Node& node, const std::string& what, const std::string& instead,
                 Diagnostics& diagnostics) {
  diagnostics.add(node.complaint("sync.unsupported", what, instead));
}

// `field: expression` or `field: {value: expression, …}`.
std::optional<Mapping> read_mapping(const Node::Entry& entry, Diagnostics& diagnostics) {
  const Node value = entry.value.is_map() ? entry.value["value"] : entry.value;
  if (!value.is_scalar() || trim(value.text()).empty()) {
    diagnostics.add(
        entry.key.complaint("sync.missing_expression", fmt::format("`{}` has no SQL expression", entry.name),
                            "write a column of the model, or any SQL expression over its columns"));
    return std::nullopt;
  }
  if (const Node policy = entry.value["when_null"]; policy.is_scalar() && policy.text() == "keep")
    unsupported(
        policy, "`when_null: keep` is not offered",
        "give the value for null in SQL, as in coalesce(x, 0), or leave `when_null` out to write null",
        diagnostics);
  if (const Node policy = entry.value["write"]; policy.is_scalar() && policy.text() != "always")
    unsupported(policy, fmt::format("`write: {}` is not offered", policy.text()),
                "leave `write` out: the field is written whenever its value changes", diagnostics);
  return Mapping{entry.name, value.text(), value};
}

std::vector<Mapping> read_mappings(const Node& node, Diagnostics& diagnostics) {
  std::vector<Mapping> out;
  for (const Node::Entry& entry : node.entries())
    if (auto mapping = read_mapping(entry, diagnostics)) out.push_back(std::move(*mapping));
  return out;
}

void check_trigger(const Node& node, Diagnostics& diagnostics) {
  const std::string text = trim(node.text());
  const auto space = text.find(' ');
  const std::string word = text.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : trim(text.substr(space + 1));
  bool good = (word == "webhook" || word == "continuous") && rest.empty();
  if (word == "after") good = rest.find('.') != std::string::npos;
  if (word == "cron") good = split(trim(replace_all(rest, "\"", "")), ' ').size() == 5;
  if (word == "every") try {
      good = parse_duration(rest).count() > 0;
    } catch (const Error&) {
      good = false;
    }
  if (!good)
    diagnostics.add(
        node.complaint("sync.bad_trigger", fmt::format("`{}` is not a trigger", text),
                       "write every 15m, after layer.model, cron \"0 6 * * 1\", webhook or continuous"));
}

Removal read_removed(const Node& node, Mode mode, Diagnostics& diagnostics) {
  if (!node.exists() || node.kind() == config::Kind::null) return Removal::ignore;
  if (node.is_map()) {
    unsupported(node, "setting values on removed rows is not offered",
                "use delete, archive or clear; or keep the rows in the model with those values", diagnostics);
    return Removal::ignore;
  }
  const auto at = std::find(removals.begin(), removals.end(), node.text());
  if (at == removals.end()) return Removal::ignore;  // the shape has complained
  const auto removed = static_cast<Removal>(at - removals.begin());
  if (mode == Mode::insert && removed != Removal::ignore)
    diagnostics.add(node.complaint(
        "sync.bad_removed", fmt::format("`removed: {}` cannot go with `mode: insert`", node.text()),
        "insert never looks for an existing record; use `mode: upsert`, or `removed: ignore`"));
  return removed;
}

void check_names(const SyncSpec& spec, Diagnostics& diagnostics) {
  if (!plain_word(spec.name))
    diagnostics.add(spec.node.complaint("sync.bad_name", fmt::format("`{}` cannot name a sync", spec.name),
                                        "use letters, digits, _ and - in the file's name"));
  const std::vector<std::string> parts = split(spec.model, '.');
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty())
    diagnostics.add(spec.node["model"].complaint("sync.bad_model",
                                                 fmt::format("`{}` does not name a model", spec.model),
                                                 "write layer.name, as in presentation.customer_360"));
  for (const Mapping& field : spec.fields)
    for (const Mapping& key : spec.key)
      if (field.field == key.field)
        diagnostics.add(field.node.complaint("sync.duplicate_field",
                                             fmt::format("`{}` is a key and a field", field.field),
                                             "keep it under `key` only"));
}

std::vector<std::string> texts(const Node& node) {
  std::vector<std::string> out;
  for (const Node& item : node.items())
    if (item.is_scalar()) out.push_back(trim(item.text()));
  return out;
}

}  // namespace

const Shape& sync_shape() {
  static const Shape shape = make_shape();
  return shape;
}

std::string_view name_of(Removal removed) { return removals[static_cast<std::size_t>(removed)]; }
std::string node_name(const SyncSpec& spec) { return "sync." + spec.name; }

std::optional<SyncSpec> parse_sync(const std::string& name, const Node& node, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.list().size();
  sync_shape().check(node, diagnostics);
  if (diagnostics.list().size() != before) return std::nullopt;

  SyncSpec spec;
  spec.name = name;
  spec.node = node;
  spec.model = trim(node["model"].text());
  spec.destination = node["destination"].text();
  spec.object = node["object"].text();
  spec.key = read_mappings(node["key"], diagnostics);
  if (spec.key.empty())
    diagnostics.add(node["key"].complaint("config.missing_key", "`key` names no field",
                                          "write key: {destination_field: column}"));
  spec.fields = read_mappings(node["fields"], diagnostics);
  if (const Node mode = node["mode"]; mode.is_scalar())
    spec.mode = mode.text() == "update"   ? Mode::update
                : mode.text() == "insert" ? Mode::insert
                                          : Mode::upsert;
  spec.removed = read_removed(node["removed"], spec.mode, diagnostics);
  if (const Node share = node["guards"]["removed"]; share.is_scalar())
    spec.guards.removed_max = share.as_share();
  if (const Node share = node["guards"]["changed"]; share.is_scalar())
    spec.guards.changed_max = share.as_share();
  for (const Node& trigger : node["on"].items()) {
    check_trigger(trigger, diagnostics);
    spec.on.push_back(trim(trigger.text()));
  }
  spec.tags = texts(node["tags"]);
  spec.description = node["description"].kind() == config::Kind::scalar ? node["description"].text() : "";
  spec.options = node["options"];
  check_names(spec, diagnostics);
  if (diagnostics.list().size() != before) return std::nullopt;
  return spec;
}

}  // namespace eddy::sync
