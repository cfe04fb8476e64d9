#include "connectors/declarative/spec_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connectors/declarative/object_name.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using config::Node;

namespace {

constexpr std::array<std::string_view, 9> class_names = {"row",  "retry",  "throttle", "auth",     "config",
                                                         "stop", "unsure", "done",     "other_way"};

std::vector<std::string> texts(const Node& node) {
  std::vector<std::string> out;
  for (const Node& item : node.items()) out.push_back(item.text());
  return out;
}

void check_pointer(const Node& node, const std::string& text) {
  try {
    nlohmann::json::json_pointer{text};
  } catch (const nlohmann::json::exception&) {
    node.fail("connector.pointer", fmt::format("`{}` is not a JSON pointer", text),
              "a JSON pointer starts with a slash: /results/0/id");
  }
}

}  // namespace

void SpecReader::check_names(const Node& node, const std::vector<std::string>& names, bool with_rows) const {
  for (const std::string& name : names) {
    const bool of_rows = name.starts_with("row.") || name.starts_with("rows.");
    if ((with_rows || !of_rows) && std::find(names_.begin(), names_.end(), name) != names_.end()) continue;
    std::string hint = did_you_mean_hint(name, names_);
    if (hint.empty()) hint = "known here: " + join(names_, ", ");
    node.fail("connector.placeholder", fmt::format("unknown placeholder {{{}}}", name), hint);
  }
}

Template SpecReader::placeholders(const Node& node, bool with_rows) const {
  if (!node.exists()) return {};
  Template out = Template::parse(node);
  check_names(node, out.names(), with_rows);
  return out;
}

std::string SpecReader::pointer(const Node& node) const {
  if (!node.exists()) return {};
  check_pointer(node, node.text());
  return node.text();
}

Template SpecReader::pointer_template(const Node& node) const {
  Template out = placeholders(node, false);
  if (node.exists())
    check_pointer(node,
                  render_pointer(out, [](std::string_view) { return std::optional<nlohmann::json>("x"); }));
  return out;
}

std::vector<std::string> SpecReader::pointers(const Node& node) const {
  std::vector<std::string> out;
  for (const Node& item : node.items()) out.push_back(pointer(item));
  return out;
}

NamedTemplates SpecReader::named(const Node& node) const {
  NamedTemplates out;
  for (const auto& entry : node.entries()) out.emplace_back(entry.name, placeholders(entry.value));
  return out;
}

SettingSpec SpecReader::setting(const Node::Entry& entry) const {
  SettingSpec out;
  out.name = entry.name;
  out.doc = entry.value["doc"].as_string("");
  out.type = entry.value["type"].as_string("text");
  out.secret = entry.value["secret"].exists() && entry.value["secret"].as_boolean();
  out.required = entry.value["required"].exists() && entry.value["required"].as_boolean();
  if (entry.value["default"].exists()) out.otherwise = placeholders(entry.value["default"], false);
  return out;
}

RequestSpec SpecReader::request(const Node& node) const {
  RequestSpec out;
  out.method = node["method"].as_string("POST");
  out.url = placeholders(node["url"]);
  out.query = named(node["query"]);
  out.headers = named(node["headers"]);
  const std::string encoding = node["encoding"].as_string("json");
  out.encoding = encoding == "form"        ? RequestSpec::Encoding::form
                 : encoding == "csv"       ? RequestSpec::Encoding::csv
                 : encoding == "multipart" ? RequestSpec::Encoding::multipart
                                           : RequestSpec::Encoding::json;
  out.limit = node["limit"].as_string("");
  if (!out.limit.empty() && !root_["limits"]["named"][out.limit].exists())
    node["limit"].fail("connector.limit", fmt::format("there is no limit `{}`", out.limit),
                       fmt::format("limits: {{named: {{{}: [{{max: \"5\", window: 1s}}]}}}}", out.limit));
  if (node["body"].exists()) {
    out.body = Tree::parse(node["body"]);
    check_names(node["body"], out.body.names(), true);
  }
  return out;
}

AuthSpec SpecReader::auth(const Node& node) const {
  AuthSpec out;
  out.needs = texts(node["needs"]);
  if (node["oauth2"].exists()) {
    const Node oauth = node["oauth2"];
    out.kind = AuthSpec::Kind::oauth2;
    out.token_request = request(oauth["request"]);
    out.token = pointer(oauth["token"]);
    out.expires_in = pointer(oauth["expires_in"]);
    out.base_url_from = pointer(oauth["base_url_from"]);
    // RFC 6749 §6: a new refresh token in the reply replaces the one that was sent.
    if (oauth["grant"].text() == "refresh_token") out.refresh_token = "/refresh_token";
    if (const Node jwt = oauth["jwt"]; jwt.exists()) {
      out.jwt = JwtSpec{placeholders(jwt["key"], false), named(jwt["claims"]), std::chrono::minutes{3}};
      if (jwt["lifetime"].exists())
        out.jwt->lifetime = std::chrono::duration_cast<std::chrono::seconds>(jwt["lifetime"].as_duration());
    }
    if ((oauth["grant"].text() == "jwt_bearer") != out.jwt.has_value())
      oauth.fail("connector.auth", "`jwt` and grant jwt_bearer belong together", "give both or none");
    out.headers = named(oauth["headers"]);
    if (out.headers.empty())
      out.headers.emplace_back("Authorization", Template::parse("Bearer {auth.access_token}"));
    out.retry_on = Predicate::parse(oauth["retry_on"]);
  } else if (node["basic"].exists()) {
    out.kind = AuthSpec::Kind::basic;
    out.user = placeholders(node["basic"]["user"], false);
    out.password = placeholders(node["basic"]["password"], false);
  } else if (node["header"].exists()) {
    out.headers = named(node["header"]);
  } else {
    node.fail("connector.auth", "this way of authentication has no content",
              "give one of header, basic, oauth2");
  }
  return out;
}

ErrorRule SpecReader::rule(const Node& node) const {
  ErrorRule out;
  const std::string name = node.is_map() ? node["is"].text() : node.text();
  const auto found = std::find(class_names.begin(), class_names.end(), name);
  out.error_class = static_cast<ErrorClass>(found - class_names.begin());
  if (node.is_map() && node["wait"].exists()) out.wait = node["wait"].as_duration();
  return out;
}

ErrorSpec SpecReader::errors(const Node& node, const ErrorSpec& otherwise) const {
  ErrorSpec out = otherwise;
  if (node["code"].exists()) out.code = pointers(node["code"]);
  if (node["message"].exists()) out.message = pointers(node["message"]);
  std::vector<std::pair<Predicate, ErrorRule>> rules;
  for (const Node& item : node["rules"].items())
    rules.emplace_back(Predicate::parse(item["when"]), rule(item));
  out.rules.insert(out.rules.begin(), rules.begin(), rules.end());
  for (const auto& entry : node["codes"].entries()) out.codes[entry.name] = rule(entry.value);
  std::vector<std::pair<std::string, ErrorRule>> first;
  for (const auto& entry : node["statuses"].entries()) first.emplace_back(entry.name, rule(entry.value));
  out.statuses.insert(out.statuses.begin(), first.begin(), first.end());
  return out;
}

MatchSpec SpecReader::match(const Node& node) const {
  MatchSpec out;
  const std::string by = node["by"].text();
  out.by = by == "position" ? MatchSpec::By::position
           : by == "index"  ? MatchSpec::By::index
           : by == "echo"   ? MatchSpec::By::echo
           : by == "alone"  ? MatchSpec::By::alone
                            : MatchSpec::By::all;
  out.pointer = pointer_template(node["pointer"]);
  for (const auto& entry : node["pointers"].entries())
    out.pointers[entry.name] = pointer_template(entry.value);
  if ((out.by == MatchSpec::By::index || out.by == MatchSpec::By::echo) && !node["pointer"].exists() &&
      out.pointers.empty())
    node.fail("connector.pointer", fmt::format("matching by {} needs `pointer`", by),
              "say where in the item it is");
  const std::string row = node["row"].as_string(out.pointers.empty() ? "trace" : "key");
  out.row = row == "key" ? MatchSpec::Row::key : row == "id" ? MatchSpec::Row::id : MatchSpec::Row::trace;
  out.ignore_case = node["ignore_case"].exists() && node["ignore_case"].as_boolean();
  return out;
}

RowsSpec SpecReader::rows(const Node& node) const {
  RowsSpec out;
  out.items = pointer_template(node["items"]);
  for (const Node& item : node["match"].items()) out.match.push_back(match(item));
  out.refused = node["refused"].exists() && node["refused"].as_boolean();
  out.not_processed = node["not_processed"].exists() && node["not_processed"].as_boolean();
  out.applied_when = Predicate::parse(node["applied_when"]);
  out.created_when = Predicate::parse(node["created_when"]);
  out.tells_created = node["created_when"].exists();
  out.id = pointer(node["id"]);
  out.code = pointers(node["code"]);
  out.code_ends_at = node["code_ends_at"].as_string("");
  out.message = pointers(node["message"]);
  return out;
}

OutcomeSpec SpecReader::outcome(const Node& node) const {
  OutcomeSpec out;
  out.success_when = Predicate::parse(node["success_when"]);
  for (const Node& item : node["rows"].items()) out.rows.push_back(rows(item));
  out.missing_row_applied = node["missing_row"].as_string("unknown") == "applied";
  out.counted = pointers(node["counted"]);
  return out;
}

OperationSpec SpecReader::operation(const Node& node, const ErrorSpec& connector_errors, bool inserts) const {
  OperationSpec out;
  out.objects = texts(node["objects"]);
  out.keys = texts(node["keys"]);
  out.keys_not = texts(node["keys_not"]);
  out.keys_all = texts(node["keys_all"]);
  out.composite = node["composite"].exists() && node["composite"].as_boolean();
  out.known_keys = node["known_keys"].exists() && node["known_keys"].as_boolean();
  if (node["branch"].exists()) {
    branch(node["branch"], connector_errors, out);
    return out;
  }
  SpecReader asks(*this);
  for (const std::string& name : out.keys_all) asks.names_.push_back("row.key." + name);
  out.request = asks.request(node["request"]);
  const Node batch = node["batch"];
  if (batch["max_rows"].exists())
    out.rows_max = static_cast<std::size_t>(std::max<std::int64_t>(1, batch["max_rows"].as_integer()));
  if (batch["max_bytes"].exists())
    out.bytes_max = static_cast<std::size_t>(std::max<std::int64_t>(0, batch["max_bytes"].as_integer()));
  // What makes a new record every time is the rule for inserts; the exception must be said.
  out.idempotent = node["idempotency"].as_string(inserts ? "none" : "natural") == "natural";
  out.outcome = outcome(node["outcome"]);
  out.errors = errors(node["errors"], connector_errors);
  asks.ways(node, out);
  return out;
}

LookupSpec SpecReader::lookup(const Node& node, const ErrorSpec& connector_errors) const {
  // A lookup has keys, but no rows with fields.
  SpecReader asks(*this);
  std::erase_if(asks.names_, [](const std::string& name) { return name.starts_with("row"); });
  asks.names_.insert(asks.names_.end(), {"row.key", "rows.keys", "rows.soql", "fields.list", "fields.names"});
  SpecReader values(*this);
  values.names_.push_back("field");

  LookupSpec out;
  out.objects = texts(node["objects"]);
  out.keys = texts(node["keys"]);
  out.keys_not = texts(node["keys_not"]);
  out.known_keys = node["known_keys"].exists() && node["known_keys"].as_boolean();
  if (node["lags"].exists()) out.lags = node["lags"].as_duration();
  out.request = asks.request(node["request"]);
  const auto count = [](const Node& number, std::int64_t least) {
    return static_cast<std::size_t>(std::max(least, number.as_integer()));
  };
  if (const Node most = node["batch"]["max_rows"]; most.exists()) out.rows_max = count(most, 1);
  if (const Node most = node["batch"]["max_bytes"]; most.exists()) out.bytes_max = count(most, 0);
  out.fields = texts(node["fields"]);
  out.success_when = Predicate::parse(node["success_when"]);
  out.items = pointer_template(node["items"]);
  out.match = match(node["match"]);
  out.id = pointer(node["id"]);
  out.value = values.pointer_template(node["value"]);
  out.skip_when = Predicate::parse(node["skip_when"]);
  out.cut_when = Predicate::parse(node["cut_when"]);
  if (node["paging"].exists()) out.paging = paging(node["paging"]);
  out.failures = pointer(node["failures"]);
  out.missing_when = Predicate::parse(node["missing_when"]);
  out.errors = errors(node["errors"], connector_errors);
  return out;
}

FieldSpec SpecReader::known_field(const Node::Entry& entry) const {
  FieldSpec out;
  const Node& node = entry.value;
  out.name = entry.name;
  parse_type(node["type"].as_string("text"), out.type);
  out.required = node["required"].exists() && node["required"].as_boolean();
  out.writable = !node["writable"].exists() || node["writable"].as_boolean();
  out.key = node["key"].exists() && node["key"].as_boolean();
  out.unique = !node["unique"].exists() || node["unique"].as_boolean();
  if (node["length"].exists()) out.length_max = static_cast<std::size_t>(node["length"].as_integer());
  out.options = texts(node["options"]);
  return out;
}

ObjectSpec SpecReader::object(const Node::Entry& entry) const {
  ObjectSpec out;
  out.name = entry.name;
  out.doc = entry.value["doc"].as_string("");
  out.fixed = entry.value["fixed"].exists() && entry.value["fixed"].as_boolean();
  out.open_fields = entry.value["open_fields"].exists() && entry.value["open_fields"].as_boolean();
  out.keys = texts(entry.value["keys"]);
  for (const auto& value : entry.value["values"].entries()) out.values[value.name] = value.value.text();
  for (const auto& f : entry.value["fields"].entries()) out.fields.push_back(known_field(f));
  return out;
}

DiscoverSpec SpecReader::discover(const Node& node) const {
  DiscoverSpec out;
  out.request = request(node["request"]);
  out.missing_when = Predicate::parse(node["missing_when"]);
  out.items = pointer_template(node["items"]);
  if (node["paging"].exists()) out.paging = paging(node["paging"]);
  out.relation = pointer(node["relations"]["name"]);
  out.relation_objects = pointer(node["relations"]["objects"]);
  out.name = pointer_template(node["name"]);
  out.prefix = placeholders(node["prefix"], false);
  out.native_type = pointer(node["native_type"]);
  for (const auto& entry : node["types"].entries()) {
    Type type{};
    if (!parse_type(entry.value.text(), type))
      entry.value.fail("config.not_allowed", fmt::format("`{}` is not a type", entry.value.text()),
                       "types: boolean, integer, real, decimal, text, date, timestamp, json");
    out.types[entry.name] = type;
  }
  out.length = pointer(node["length"]);
  out.skip_when = Predicate::parse(node["skip_when"]);
  out.required_when = Predicate::parse(node["required_when"]);
  out.writable_when = Predicate::parse(node["writable_when"]);
  out.key_when = Predicate::parse(node["key_when"]);
  out.options = pointer(node["options"]["items"]);
  out.option_value = pointer(node["options"]["value"]);
  out.option_when = Predicate::parse(node["options"]["when"]);
  if (node["keys_from"].exists()) {
    if (node["keys_from"]["request"].exists()) out.keys_request = request(node["keys_from"]["request"]);
    out.keys_items = pointer(node["keys_from"]["items"]);
  }
  return out;
}

ObjectsSpec SpecReader::objects(const Node& node) const {
  ObjectsSpec out;
  for (const auto& entry : node["list"].entries()) out.list.push_back(object(entry));
  out.open = node["open"].exists() && node["open"].as_boolean();
  out.open_fields = node["open_fields"].exists() && node["open_fields"].as_boolean();
  if (node["discover"].exists()) out.discover = discover(node["discover"]);
  if (const Node names = node["names"]; names.exists()) {
    out.list_request = request(names["request"]);
    out.list_items = pointer(names["items"]);
    out.list_name = pointer(names["name"]);
    out.list_prefix = names["prefix"].as_string("");
    if (names["paging"].exists()) out.list_paging = paging(names["paging"]);
    out.list_when = Predicate::parse(names["when"]);
  }
  return out;
}

TransformSpec SpecReader::transforms(const Node& node) const {
  TransformSpec out;
  out.all_text = node["values"].as_string("json") == "text";
  const std::string null = node["nulls"].as_string("null");
  out.null = null == "empty"  ? TransformSpec::Null::empty_text
             : null == "omit" ? TransformSpec::Null::omit
                              : TransformSpec::Null::null;
  if (node["date"].as_string("iso") == "epoch_ms") out.date = TransformSpec::Time::epoch_ms;
  if (node["timestamp"].as_string("iso") == "epoch_ms") out.timestamp = TransformSpec::Time::epoch_ms;
  out.list_separator = node["list_separator"].as_string("");
  for (const auto& list : node["pairs"].entries())
    out.pairs[list.name] = {list.value["name"].text(), list.value["value"].text(),
                            list.value["numbers"].exists() && list.value["numbers"].as_boolean()};
  return out;
}

Spec SpecReader::read() {
  names_ = {"object",   "key.field",         "row.key",        "row.fields",
            "row.all",  "row.trace",         "row.index",      "rows.keys",
            "rows.csv", "auth.access_token", "auth.assertion", "row.idempotency_key"};
  for (const auto& entry : root_["settings"].entries()) names_.push_back(entry.name);
  for (const auto& entry : root_["objects"]["list"].entries()) {
    for (const auto& value : entry.value["values"].entries()) names_.push_back("object." + value.name);
    for (const std::string& word : words_in(entry.name)) names_.push_back("object." + word);
  }
  if (!root_["settings"]["base_url"].exists())
    root_["settings"].fail("connector.setting", "`base_url` is missing in settings",
                           "every service can be pointed at another host");

  Spec out;
  out.name = root_["name"].text();
  out.title = root_["title"].text();
  out.summary = root_["summary"].text();
  out.contract = root_["contract"].as_string("");
  for (const auto& entry : root_["settings"].entries()) out.settings.push_back(setting(entry));
  for (const Node& item : root_["auth"].items()) out.auth.push_back(auth(item));
  out.objects = objects(root_["objects"]);
  out.errors = errors(root_["errors"], {});
  for (const auto& entry : root_["options"].entries()) out.options.push_back(option(entry));
  // They belong to a sync, so only what serves one may use them.
  const std::vector<std::string> names_for_all = names_;
  for (const OptionSpec& option : out.options) names_.push_back("options." + option.name);
  for (const auto& entry : root_["operations"].entries())
    for (const Node& item : entry.value.items()) {
      out.operations[entry.name].push_back(operation(item, out.errors, entry.name == "insert"));
      check_operation(item, entry.name, out.operations[entry.name].back());
    }
  for (const Node& item : root_["lookup"].items()) out.lookups.push_back(lookup(item, out.errors));
  names_ = names_for_all;
  if (root_["check"].exists()) out.check = check(root_["check"]);
  out.transforms = transforms(root_["transforms"]);
  out.limits = limits(root_["limits"]);
  return out;
}

std::string_view name_of(ErrorClass error_class) {
  return class_names[static_cast<std::size_t>(error_class)];
}

Spec parse_connector(std::string_view text, const std::string& name) {
  Diagnostics diagnostics;
  const Node root = config::parse(text, name, config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  connector_shape().check(root, diagnostics);
  diagnostics.throw_if_any();
  return SpecReader(root).read();
}

}  // namespace eddy::connectors
