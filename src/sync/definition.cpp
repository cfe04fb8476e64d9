#include "sync/definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "engine/sql_reading.h"
#include "sync/binding.h"
#include "sync/normalization.h"

namespace eddy::sync {

using engine::quote_identifier;
using nlohmann::json;

namespace {

// Types that cannot be written down again (enumerations) are delivered and kept as text or JSON.
std::string storable_type(const std::string& engine_type) {
  if (engine_type.find("ENUM") == std::string::npos) return engine_type;
  return engine_type == "ENUM" ? "VARCHAR" : "JSON";
}

Schema schema_of(const std::vector<BoundColumn>& columns) {
  Schema out;
  for (const BoundColumn& column : columns) out.push_back({column.field, column.type});
  return out;
}

// Policies are written when they are not the usual ones.
json to_json(const BoundColumn& c) {
  json out = {{"field", c.field},
              {"expression", c.expression},
              {"engine_type", c.engine_type},
              {"type", name_of(c.type)}};
  if (c.when_null != WhenNull::write) out["when_null"] = name_of(c.when_null);
  if (c.write != Write::always) out["write"] = name_of(c.write);
  if (c.drift != OnDrift::ours) out["drift"] = name_of(c.drift);
  if (!c.normalize.empty()) {
    for (const Normalization step : c.normalize) out["normalize"].push_back(name_of(step));
    if (!c.phone_region.empty()) out["phone_region"] = c.phone_region;
  }
  if (c.lookup)
    out["lookup"] = {
        {"object", c.lookup->object}, {"by", c.lookup->by}, {"on_miss", name_of(c.lookup->on_miss)}};
  return out;
}

json to_json(const std::vector<BoundColumn>& columns) {
  json out = json::array();
  for (const BoundColumn& column : columns) out.push_back(to_json(column));
  return out;
}

// The word named by `text` among the first `count` values of an enumeration.
template <typename Word>
Word named(const json& text, int count) {
  for (int i = 0; i < count; ++i)
    if (name_of(static_cast<Word>(i)) == text.get<std::string>()) return static_cast<Word>(i);
  return Word{};
}

std::vector<BoundColumn> columns_from_json(const json& list) {
  std::vector<BoundColumn> out;
  for (const json& item : list) {
    BoundColumn& c = out.emplace_back();
    c.field = item.at("field");
    c.expression = item.at("expression");
    c.engine_type = item.at("engine_type");
    parse_type(item.at("type").get<std::string>(), c.type);
    if (item.contains("when_null")) c.when_null = named<WhenNull>(item["when_null"], 2);
    if (item.contains("write")) c.write = named<Write>(item["write"], 3);
    if (item.contains("drift")) c.drift = named<OnDrift>(item["drift"], 2);
    for (const json& step : item.value("normalize", json::array()))
      c.normalize.push_back(named<Normalization>(step, 5));
    c.phone_region = item.value("phone_region", "");
    if (item.contains("lookup"))
      c.lookup = LookupSpec{item["lookup"].at("object"), item["lookup"].at("by"),
                            named<OnMiss>(item["lookup"].at("on_miss"), 3)};
  }
  return out;
}

// "… column "first_nam" not found …" -> first_nam
std::string name_in(const std::string& message) {
  const auto mark = message.find("column \"");
  if (mark == std::string::npos) return {};
  const auto begin = mark + 8;
  return message.substr(begin, message.find('"', begin) - begin);
}

// The engine's words without its headline's noise and without the statement it quotes.
std::string first_line(const std::string& message) { return message.substr(0, message.find('\n')); }

Diagnostic bad_expression(const Mapping& mapping, const Error& error,
                          const std::vector<std::string>& columns) {
  const std::string wrong = name_in(error.message());
  std::string hint = wrong.empty() ? "" : did_you_mean_hint(wrong, columns);
  if (error.code() == "sync.normalize_unsupported") hint = error.hint();
  if (hint.empty())
    hint = columns.empty() ? "the row has left the model, so write a constant: \"'other'\""
                           : "columns of the model: " + join(columns, ", ");
  Diagnostic diagnostic = mapping.node.complaint(
      "sync.bad_expression",
      fmt::format("the expression of `{}` cannot be used: {}", mapping.field, first_line(error.message())),
      hint);
  // Only a scalar written on one line, without quotes or variables, stands in the file letter by letter.
  const auto start = static_cast<std::size_t>(std::max(0, diagnostic.position.column - 1));
  const std::size_t inside = wrong.empty() ? std::string::npos : mapping.expression.find(wrong);
  if (inside != std::string::npos &&
      diagnostic.excerpt.compare(std::min(start, diagnostic.excerpt.size()), mapping.expression.size(),
                                 mapping.expression) == 0)
    diagnostic.position.column += static_cast<int>(inside);
  return diagnostic;
}

class EngineBinding final : public Binding {
 public:
  EngineBinding(warehouse::Session& session, engine::Connection& connection)
      : session_(session), connection_(connection) {}

  std::vector<std::string> columns(const SyncSpec& spec) override {
    std::vector<std::string> names;
    try {
      const std::string from = model_relation(spec.model, spec.model_sql);
      for (const auto& column : engine::describe(connection_, "select * from " + from))
        names.push_back(column.name);
    } catch (const Error& error) {
      if (!spec.model_sql.empty())
        throw Error(spec.node["model"]["sql"].complaint("sync.bad_model", error.message(), error.hint()));
      const std::vector<std::string> known = session_.relations(connection_);
      if (std::find(known.begin(), known.end(), spec.model) != known.end()) throw;
      unknown_model(spec, known, "build it first with `eddy run`, or check the name with `eddy ls`");
    }
    return names;
  }

  void look_ahead(const std::vector<Mapping>& mappings, const std::string& from) override {
    std::vector<std::string> cells;
    for (const Mapping& mapping : mappings) cells.push_back(guarded(mapping.expression));
    try {
      const auto described = engine::describe(connection_, "select " + join(cells, ", ") + from);
      if (described.size() != mappings.size()) return;
      for (std::size_t i = 0; i < mappings.size(); ++i)
        known_.insert_or_assign(mappings[i].expression + from, described[i]);
    } catch (const Error&) {
      // One of them is wrong: asked one by one, they say which.
    }
  }

  BoundColumn bind(const Mapping& mapping, const std::string& from) override {
    auto described = describe(mapping.expression, from);
    std::string expression = mapping.expression;
    if (!mapping.normalize.empty()) {
      if (const auto wrong = check_normalization(mapping, described.front().engine_type)) throw Error(*wrong);
      expression = normalized_sql(mapping.expression, mapping.normalize, mapping.phone_region);
      described = describe(expression, from);
    }
    const std::string type = storable_type(described.front().engine_type);
    const bool as_json = type == "JSON", as_text = type == "VARCHAR" && described.front().engine_type != type;
    return {mapping.field,
            expression,
            type,
            as_json   ? Type::json
            : as_text ? Type::text
                      : described.front().type,
            mapping.when_null,
            mapping.write,
            mapping.drift,
            mapping.lookup,
            mapping.normalize,
            mapping.phone_region};
  }

  Row constants(const std::vector<BoundColumn>& columns) override {
    std::vector<std::string> cells;
    for (const BoundColumn& column : columns)
      cells.push_back(fmt::format("cast({} as {})", guarded(column.expression), column.engine_type));
    return connection_.query("select " + join(cells, ", ")).rows().front();
  }
  std::string hash_algorithm() override { return {}; }

 private:
  std::vector<engine::EngineColumn> describe(const std::string& expression, const std::string& from) {
    if (const auto known = known_.find(expression + from); known != known_.end()) return {known->second};
    auto described =
        engine::describe(connection_, fmt::format("select {} as value{}", guarded(expression), from));
    if (described.size() != 1) throw Error("engine.query_failed", "it is not one SQL expression");
    return described;
  }

  warehouse::Session& session_;
  engine::Connection& connection_;
  std::map<std::string, engine::EngineColumn> known_;  // by expression and `from`
};

std::vector<BoundColumn> bind_all(Binding& binding, const std::vector<Mapping>& mappings,
                                  const std::vector<std::string>& model_columns, Diagnostics& diagnostics,
                                  const std::string& from) {
  std::vector<BoundColumn> out;
  for (const Mapping& mapping : mappings) {
    try {
      out.push_back(binding.bind(mapping, from));
    } catch (const Error& error) {
      if (error.code() == "sync.normalize_not_text")
        for (const Diagnostic& diagnostic : error.diagnostics()) diagnostics.add(diagnostic);
      else
        diagnostics.add(bad_expression(mapping, error, model_columns));
    }
  }
  return out;
}

}  // namespace

Schema Definition::key_schema() const { return schema_of(key); }
Schema Definition::field_schema() const { return schema_of(fields); }
bool Definition::operator==(const Definition& other) const { return to_json(*this) == to_json(other); }

json to_json(const Definition& d) {
  json out = {{"sync", d.sync},        {"model", d.model},           {"destination", d.destination},
              {"object", d.object},    {"mode", name_of(d.mode)},    {"removed", name_of(d.removed)},
              {"key", to_json(d.key)}, {"fields", to_json(d.fields)}};
  if (!d.removed_values.empty()) out["removed_values"] = to_json(d.removed_values);
  if (d.send_all) out["send_all"] = true;
  if (!d.model_sql.empty()) out["model_sql"] = d.model_sql;
  if (!d.hash_algorithm.empty()) out["hash_algorithm"] = d.hash_algorithm;
  return out;
}

Definition definition_from_json(const json& j) {
  Definition d;
  d.sync = j.at("sync");
  d.model = j.at("model");
  d.destination = j.at("destination");
  d.object = j.at("object");
  d.mode = named<Mode>(j.at("mode"), 3);
  d.removed = named<Removed>(j.at("removed"), 5);
  d.key = columns_from_json(j.at("key"));
  d.fields = columns_from_json(j.at("fields"));
  if (j.contains("removed_values")) d.removed_values = columns_from_json(j["removed_values"]);
  d.send_all = j.value("send_all", false);
  d.model_sql = j.value("model_sql", "");
  d.hash_algorithm = j.value("hash_algorithm", "");
  return d;
}

std::unique_ptr<Binding> engine_binding(warehouse::Session& session, engine::Connection& connection) {
  return std::make_unique<EngineBinding>(session, connection);
}

// The line break ends a `--` comment that the expression may end with.
std::string guarded(const std::string& expression) { return "(" + expression + "\n)"; }

void unknown_model(const SyncSpec& spec, const std::vector<std::string>& known,
                   const std::string& otherwise) {
  std::string hint = did_you_mean_hint(spec.model, known);
  if (hint.empty()) hint = otherwise;
  throw Error(spec.node["model"].complaint("sync.unknown_model",
                                           fmt::format("there is no model `{}`", spec.model), hint));
}

std::string model_relation(const std::string& model, const std::string& model_sql) {
  if (!model_sql.empty()) return guarded(model_sql) + " as model";
  const auto dot = model.find('.');
  return quote_identifier(model.substr(0, dot)) + "." + quote_identifier(model.substr(dot + 1));
}

Definition bind(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec) {
  const std::unique_ptr<Binding> binding =
      session.own() == nullptr ? engine_binding(session, connection) : remote_binding(*session.own());
  const std::vector<std::string> model_columns = binding->columns(spec);
  Diagnostics diagnostics;
  Definition d{spec.name, spec.model, spec.destination, spec.object, spec.mode, spec.removed, {}, {}};
  const std::string from = " from " + model_relation(spec.model, spec.model_sql);
  d.model_sql = spec.model_sql;
  d.hash_algorithm = binding->hash_algorithm();
  std::vector<Mapping> mappings = spec.key;
  mappings.insert(mappings.end(), spec.fields.begin(), spec.fields.end());
  binding->look_ahead(mappings, from);
  d.key = bind_all(*binding, spec.key, model_columns, diagnostics, from);
  d.fields = bind_all(*binding, spec.fields, model_columns, diagnostics, from);
  // The rows they are for have left the model: these expressions have no columns to read.
  d.removed_values = bind_all(*binding, spec.removed_values, {}, diagnostics, "");
  if (!d.removed_values.empty() && diagnostics.empty()) d.removed_row = binding->constants(d.removed_values);
  d.send_all = spec.send_all;
  for (const BoundColumn& column : d.key) {
    if (column.type != Type::json) continue;
    const auto mapping = std::find_if(spec.key.begin(), spec.key.end(),
                                      [&](const Mapping& m) { return m.field == column.field; });
    diagnostics.add(mapping->node.complaint(
        "sync.bad_key_type",
        fmt::format("the key `{}` is a {}; it cannot identify a record", column.field, column.engine_type),
        "use a number, a text, a date or a boolean"));
  }
  diagnostics.throw_if_any();
  return d;
}

std::string desired_sql(const SyncSpec& spec) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < spec.key.size(); ++i)
    columns.push_back(fmt::format("{} as k{}", guarded(spec.key[i].expression), i + 1));
  for (std::size_t i = 0; i < spec.fields.size(); ++i)
    columns.push_back(fmt::format("{} as v{}", guarded(spec.fields[i].expression), i + 1));
  return fmt::format("select {} from {}", join(columns, ", "), model_relation(spec.model, spec.model_sql));
}

std::string desired_sql(const Definition& d) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < d.key.size(); ++i) {
    const std::string value =
        fmt::format("cast({} as {})", guarded(d.key[i].expression), d.key[i].engine_type);
    // NaN identifies nothing; it is treated like a missing key.
    columns.push_back(d.key[i].type == Type::real
                          ? fmt::format("case when isnan({0}) then null else {0} end as k{1}", value, i + 1)
                          : fmt::format("{} as k{}", value, i + 1));
  }
  for (std::size_t i = 0; i < d.fields.size(); ++i)
    columns.push_back(fmt::format("cast({} as {}) as v{}", guarded(d.fields[i].expression),
                                  d.fields[i].engine_type, i + 1));
  return fmt::format("select {} from {}", join(columns, ", "), model_relation(d.model, d.model_sql));
}

}  // namespace eddy::sync
