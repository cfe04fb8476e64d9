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

constexpr std::array<std::string_view, 5> removals = {"ignore", "delete", "archive", "clear", "set"};
constexpr std::array<std::string_view, 5> normalizations = {"trim", "lower", "upper", "email", "e164"};
constexpr std::array<std::string_view, 2> null_policies = {"write", "keep"};
constexpr std::array<std::string_view, 3> write_policies = {"always", "if_empty", "on_create"};
constexpr std::array<std::string_view, 2> drift_policies = {"ours", "theirs"};
constexpr std::array<std::string_view, 3> miss_policies = {"reject", "null", "create"};

template <std::size_t count>
Shape words(const std::array<std::string_view, count>& names) {
  return Shape::enumeration({names.begin(), names.end()});
}

// The word's place; `otherwise` when it is not written (the shape has checked the words).
template <typename Word, std::size_t count>
Word word_at(const Node& node, const std::array<std::string_view, count>& names, Word otherwise) {
  if (!node.is_scalar()) return otherwise;
  const auto at = std::find(names.begin(), names.end(), node.text());
  return at == names.end() ? otherwise : static_cast<Word>(at - names.begin());
}

Shape normalize_shape() {
  const Shape one = Shape::one_of(
      {words(normalizations),
       Shape::object({config::required("e164", Shape::string(),
                                       "E.164, with the country of numbers written without one: DE")})});
  return Shape::one_of({one, Shape::list(one)});
}

Shape mapping_shape(bool of_fields) {
  std::vector<config::Field> fields = {
      config::required("value", Shape::string(), "SQL expression over the model's columns"),
      config::field("normalize", normalize_shape(),
                    "bring the value to one form: trim, lower, upper, email, e164, or a list of them"),
      config::field("pii", Shape::boolean(),
                    "whether the value is personal, when the model's own mark is not right for it")};
  if (of_fields) {
    fields.push_back(config::field("when_null", words(null_policies),
                                   "write (default), or keep: a null never overwrites"));
    fields.push_back(
        config::field("write", words(write_policies),
                      "always (default), if_empty: only where the record has no value, on_create: "
                      "only when the record is made"));
    fields.push_back(
        config::field("drift", words(drift_policies),
                      "when a person has changed it there: ours (default) wins, or theirs stays"));
    fields.push_back(config::field(
        "lookup",
        Shape::object({config::required("object", Shape::string(), "the object whose id is wanted"),
                       config::required("by", Shape::string(), "its field that the value is compared with"),
                       config::field("on_miss", words(miss_policies),
                                     "when there is none: reject (default) the row, null, or create it")}),
        "the value is the key of another object; its id is delivered"));
  }
  return Shape::map(Shape::one_of({Shape::string(), Shape::object(std::move(fields))}));
}

Shape make_shape() {
  return Shape::object({
      config::required(
          "model",
          Shape::one_of({Shape::string(), Shape::object({config::required("sql", Shape::string(),
                                                                          "a SELECT instead of a model")})}),
          "the model whose rows are delivered, as layer.name; in a warehouse of your own: schema.table"),
      config::required("destination", Shape::string(), "a connection of connections.yml"),
      config::required("object", Shape::string(), "what is written there: a CRM object, a table"),
      config::required("key", mapping_shape(false),
                       "destination field: SQL expression; together they identify a record"),
      config::field(
          "mode", Shape::enumeration({"upsert", "update", "insert", "mirror"}),
          "upsert (default), update never creates, insert only adds, mirror is upsert with removed: "
          "delete"),
      config::field("removed",
                    Shape::one_of({Shape::enumeration({"ignore", "delete", "archive", "clear"}),
                                   Shape::object({config::required(
                                       "set", Shape::map(Shape::string()),
                                       "destination field: SQL expression without columns")})}),
                    "what to do with delivered rows that have left the model; default ignore"),
      config::field("send", Shape::enumeration({"changed", "all"}),
                    "of a changed row: the changed fields (default), or all"),
      config::field(
          "retry",
          Shape::object({config::field(
              "runs", Shape::integer(),
              "runs that send a row refused for a passing reason, until it is parked; default 10")}),
          "what becomes of refused rows"),
      config::field("fields", mapping_shape(true),
                    "destination field: SQL expression over the model's columns"),
      config::field(
          "guards",
          Shape::object(
              {config::field("removed", Shape::share(),
                             "hold the plan when more of the delivered rows are removed; default 10%"),
               config::field("changed", Shape::share(),
                             "hold the plan when more of the delivered rows change; default 100%"),
               config::field(
                   "rows", Shape::share(),
                   "hold when the model's row count is off by more from the last runs' mean; default "
                   "50%"),
               config::field("first_run", Shape::integer(),
                             "hold a first run over so many rows; default 100000, 0 for no limit"),
               config::field("unique_key", Shape::boolean(),
                             "hold when keys were unique and are no longer; default true")}),
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

void read_normalization(const Node& node, Mapping& mapping) {
  if (node.is_scalar()) {
    mapping.normalize.push_back(word_at(node, normalizations, Normalization::trim));
  } else if (node.is_map()) {
    mapping.normalize.push_back(Normalization::e164);
    mapping.phone_region = node["e164"].text();
  }
  if (node.is_list())  // the items of a scalar are itself
    for (const Node& item : node.items()) read_normalization(item, mapping);
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
  Mapping mapping{entry.name, value.text(), value};
  mapping.name_node = entry.key;
  if (!entry.value.is_map()) return mapping;
  const Node& n = entry.value;
  read_normalization(n["normalize"], mapping);
  mapping.when_null = word_at(n["when_null"], null_policies, WhenNull::write);
  mapping.write = word_at(n["write"], write_policies, Write::always);
  mapping.drift = word_at(n["drift"], drift_policies, OnDrift::ours);
  if (n["pii"].is_scalar()) mapping.pii = n["pii"].as_boolean() ? Pii::yes : Pii::no;
  if (const Node lookup = n["lookup"]; lookup.is_map())
    mapping.lookup = LookupSpec{lookup["object"].text(), lookup["by"].text(),
                                word_at(lookup["on_miss"], miss_policies, OnMiss::reject)};
  return mapping;
}

std::vector<Mapping> read_mappings(const Node& node, Diagnostics& diagnostics) {
  std::vector<Mapping> out;
  for (const Node::Entry& entry : node.entries())
    if (auto mapping = read_mapping(entry, diagnostics)) out.push_back(std::move(*mapping));
  return out;
}

// Between braces a comma ends the value: `{name: left(name, 5)}` is `left(name` and a field `5)`.
void check_commas(const Node& mappings, Diagnostics& diagnostics) {
  const std::vector<Node::Entry> entries = mappings.entries();
  for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
    const Node value = entries[i].value.is_map() ? entries[i].value["value"] : entries[i].value;
    if (!value.is_scalar() || value.quoted() || entries[i + 1].value.kind() != config::Kind::null) continue;
    const std::string& text = value.text();
    if (std::count(text.begin(), text.end(), '(') <= std::count(text.begin(), text.end(), ')')) continue;
    diagnostics.add(
        value.complaint("sync.missing_expression",
                        fmt::format("the expression of `{}` ends at its comma: `{}`", entries[i].name, text),
                        "between braces, put an expression with a comma in quotes"));
  }
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

void read_mode(const Node& node, SyncSpec& spec, Diagnostics& diagnostics) {
  const Node mode = node["mode"], removed = node["removed"];
  const std::string word = mode.is_scalar() ? mode.text() : "upsert";
  spec.mode = word == "update" ? Mode::update : word == "insert" ? Mode::insert : Mode::upsert;
  spec.removed = removed.is_map() ? Removed::set : word_at(removed, removals, Removed::ignore);
  if (spec.removed == Removed::set) {
    spec.removed_values = read_mappings(removed["set"], diagnostics);
    if (removed["set"].entries().empty())
      diagnostics.add(removed.complaint("sync.bad_removed", "`set` names no field",
                                        "write removed: {set: {field: \"'value'\"}}"));
  }
  if (spec.mode == Mode::insert && spec.removed != Removed::ignore)
    diagnostics.add(removed.complaint(
        "sync.bad_removed", fmt::format("`removed: {}` cannot go with `mode: insert`", name_of(spec.removed)),
        "insert never looks for an existing record; use `mode: upsert`, or `removed: ignore`"));
  if (word != "mirror") return;
  if (removed.exists() && removed.kind() != config::Kind::null && spec.removed != Removed::erase)
    diagnostics.add(removed.complaint("sync.bad_removed", "`mode: mirror` deletes what has left the model",
                                      "leave `removed` out, or write `mode: upsert` with it"));
  spec.removed = Removed::erase;
}

// Policies that contradict the mode, or each other.
void check_policies(const SyncSpec& spec, Diagnostics& diagnostics) {
  for (const Mapping& field : spec.fields) {
    const auto bad = [&](const std::string& what, const std::string& instead) {
      diagnostics.add(
          field.node.complaint("sync.bad_policy", fmt::format("`{}`: {}", field.field, what), instead));
    };
    if (field.write == Write::on_create && spec.mode == Mode::update)
      bad("`write: on_create` in a sync that never creates", "leave the field out, or use `mode: upsert`");
    if (field.write == Write::if_empty && spec.mode == Mode::insert)
      bad("`write: if_empty` in a sync that only makes new records", "leave `write` out");
    if (field.lookup && !field.normalize.empty() && field.normalize.front() == Normalization::e164)
      bad("a looked up id is no phone number", "leave `normalize` out");
  }
}

void check_names(const SyncSpec& spec, Diagnostics& diagnostics) {
  if (!plain_word(spec.name))
    diagnostics.add(spec.node.complaint("sync.bad_name", fmt::format("`{}` cannot name a sync", spec.name),
                                        "use letters, digits, _ and - in the file's name"));
  const std::vector<std::string> parts = split(spec.model, '.');
  if (spec.model_sql.empty() && (parts.size() != 2 || parts[0].empty() || parts[1].empty()))
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

Guards read_guards(const Node& node) {
  Guards guards;
  const auto share = [&](const char* name, double& limit) {
    if (node[name].is_scalar()) limit = node[name].as_share();
  };
  share("removed", guards.removed_max);
  share("changed", guards.changed_max);
  share("rows", guards.rows_off_max);
  if (node["first_run"].is_scalar())
    guards.first_run_rows_max =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, node["first_run"].as_integer()));
  if (node["unique_key"].is_scalar()) guards.unique_key = node["unique_key"].as_boolean();
  return guards;
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

std::string_view name_of(Removed removed) { return removals[static_cast<std::size_t>(removed)]; }
std::string_view name_of(Normalization n) { return normalizations[static_cast<std::size_t>(n)]; }
std::string_view name_of(WhenNull policy) { return null_policies[static_cast<std::size_t>(policy)]; }
std::string_view name_of(Write policy) { return write_policies[static_cast<std::size_t>(policy)]; }
std::string_view name_of(OnDrift policy) { return drift_policies[static_cast<std::size_t>(policy)]; }
std::string_view name_of(OnMiss policy) { return miss_policies[static_cast<std::size_t>(policy)]; }
std::string node_name(const SyncSpec& spec) { return "sync." + spec.name; }

std::optional<SyncSpec> parse_sync(const std::string& name, const Node& node, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.list().size();
  for (const char* part : {"key", "fields"}) check_commas(node[part], diagnostics);
  if (diagnostics.list().size() != before) return std::nullopt;
  sync_shape().check(node, diagnostics);
  if (diagnostics.list().size() != before) return std::nullopt;

  SyncSpec spec;
  spec.name = name;
  spec.node = node;
  spec.model_sql = trim(node["model"]["sql"].as_string(""));
  while (spec.model_sql.ends_with(';'))
    spec.model_sql = trim(spec.model_sql.substr(0, spec.model_sql.size() - 1));
  spec.model = node["model"].is_map() ? "SQL of " + name : trim(node["model"].text());
  spec.destination = node["destination"].text();
  spec.object = node["object"].text();
  spec.key = read_mappings(node["key"], diagnostics);
  if (spec.key.empty())
    diagnostics.add(node["key"].complaint("config.missing_key", "`key` names no field",
                                          "write key: {destination_field: column}"));
  spec.fields = read_mappings(node["fields"], diagnostics);
  read_mode(node, spec, diagnostics);
  spec.guards = read_guards(node["guards"]);
  spec.send_all = node["send"].is_scalar() && node["send"].text() == "all";
  if (const Node runs = node["retry"]["runs"]; runs.is_scalar())
    spec.reject_runs_max = static_cast<int>(std::max<std::int64_t>(1, runs.as_integer()));
  for (const Node& trigger : node["on"].items()) {
    check_trigger(trigger, diagnostics);
    spec.on.push_back(trim(trigger.text()));
  }
  spec.tags = texts(node["tags"]);
  spec.description = node["description"].kind() == config::Kind::scalar ? node["description"].text() : "";
  spec.options = node["options"];
  check_names(spec, diagnostics);
  check_policies(spec, diagnostics);
  if (diagnostics.list().size() != before) return std::nullopt;
  return spec;
}

}  // namespace eddy::sync
