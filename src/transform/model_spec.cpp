#include "transform/model_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace eddy::transform {

using config::Node;
using config::Shape;

std::string_view name_of(Materialize materialize) {
  switch (materialize) {
    case Materialize::view:
      return "view";
    case Materialize::table:
      return "table";
    case Materialize::dimension:
      return "dimension";
    case Materialize::fact:
      return "fact";
  }
  return {};
}

std::string surrogate_column(std::string_view dimension) {
  if (dimension.starts_with("dim_") && dimension.size() > 4) dimension.remove_prefix(4);
  return std::string(dimension) + "_key";
}

const Shape& model_shape() {
  using config::field;
  static const Shape shape = [] {
    config::Field materialize =
        field("materialize", Shape::enumeration({"view", "table", "dimension", "fact"}),
              "how the result is kept; dimension and fact only in the warehouse layer");
    materialize.default_text = "table";
    config::Field history = field("history", Shape::enumeration({"overwrite", "scd2"}),
                                  "what happens to old values of a dimension; only overwrite is supported");
    history.default_text = "overwrite";
    const Shape columns = Shape::list(Shape::string());
    return Shape::object({
        materialize,
        field("description", Shape::string(), "what one row is, for people"),
        field("tags", Shape::list(Shape::string()), "for selection with tag:…"),
        field("key", columns, "the column or columns that identify a row; enforced"),
        history,
        field("references", Shape::map(Shape::string()),
              "foreign keys: column: warehouse.table; enforced (warehouse only)"),
        field("unknown", Shape::map(Shape::string()),
              "the unknown member of a dimension: column: SQL value; other columns are NULL"),
        field("dimensions",
              Shape::map(Shape::object(
                  {config::required("dimension", Shape::string(), "the dimension, as warehouse.dim_name"),
                   config::required("key", columns,
                                    "this fact's columns that hold the dimension's natural key")})),
              "surrogate keys of a fact: column to add: {dimension, key}"),
        field(
            "columns",
            Shape::map(Shape::object(
                {field("description", Shape::string(), "what the column says, for people"),
                 field(
                     "pii", Shape::boolean(),
                     "whether it is personal data, which a connection may refuse or want hashed; unsaid: as "
                     "a column of this name in the models that this one is made from")})),
            "what is said of columns of the result: column: {description, pii}"),
        field("tests",
              Shape::list(Shape::object({
                  field("not_null", columns, "columns without NULL"),
                  field("unique", Shape::list(Shape::one_of({Shape::string(), columns})),
                        "columns without duplicates; [[a, b]] for a composite"),
                  field("accepted_values", Shape::map(columns), "column: [allowed values]"),
                  field("relationships", Shape::map(Shape::string()),
                        "column: layer.model.column where each value must exist"),
                  field("severity", Shape::enumeration({"error", "warn"}),
                        "error holds back what is downstream; warn only says it"),
              })),
              "what must hold for the data"),
    });
  }();
  return shape;
}

namespace {

constexpr std::string_view lake_layers[] = {"clean", "presentation"};

bool is_name(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

Word word(const Node& node) { return {node.text(), node.position()}; }

std::vector<Word> words(const Node& node) {
  std::vector<Word> out;
  for (const Node& item : node.items()) out.push_back(word(item));
  return out;
}

class Parser {
 public:
  Parser(ModelSpec& spec, const Node& header, Diagnostics& diagnostics)
      : spec_(spec), header_(header), diagnostics_(diagnostics) {}

  void parse() {
    read_materialize();
    spec_.description = header_["description"].as_string("");
    for (const Node& tag : header_["tags"].items()) spec_.tags.push_back(tag.text());
    spec_.key = words(header_["key"]);
    if (const Node history = header_["history"]; history.exists() && history.text() != "overwrite")
      complain(history, "transform.not_supported",
               fmt::format("history: {} is not supported; only overwrite is", history.text()),
               "leave `history` out");
    only_for("key", spec_.materialize != Materialize::view,
             "a view keeps no rows, so no key can be enforced");
    only_for("history", spec_.materialize == Materialize::dimension, "only a dimension has `history`");
    only_for("unknown", spec_.materialize == Materialize::dimension,
             "only a dimension has an unknown member");
    only_for("dimensions", spec_.materialize == Materialize::fact, "only a fact looks up dimensions");
    only_for("references", spec_.in_warehouse(),
             "foreign keys are enforced by tables of the warehouse layer only");
    if (spec_.materialize == Materialize::dimension && spec_.key.empty())
      complain(header_["materialize"], "transform.missing_key", "a dimension needs its natural key",
               "add: key: <column>");
    for (const auto& entry : header_["references"].entries()) read_reference(entry);
    for (const auto& entry : header_["dimensions"].entries()) read_lookup(entry);
    for (const auto& entry : header_["unknown"].entries())
      spec_.unknown.push_back({word(entry.key), entry.value.text(), entry.value.position()});
    for (const Node& item : header_["tests"].items()) read_test(item);
    for (const auto& entry : header_["columns"].entries()) read_column(entry);
  }

 private:
  void complain(const Node& node, std::string code, std::string message, std::string hint) {
    diagnostics_.add(
        spec_.source.complaint(std::move(code), std::move(message), std::move(hint), node.position()));
  }

  void only_for(std::string_view key, bool allowed, std::string_view why) {
    if (const Node node = header_[key]; node.exists() && !allowed)
      complain(node, "transform.not_here", fmt::format("`{}` has no place here: {}", key, why),
               "remove it, or change `materialize`");
  }

  void read_materialize() {
    const Node node = header_["materialize"];
    const std::string text = node.as_string("table");
    for (Materialize kind :
         {Materialize::view, Materialize::table, Materialize::dimension, Materialize::fact})
      if (text == name_of(kind)) spec_.materialize = kind;
    const bool star = spec_.materialize == Materialize::dimension || spec_.materialize == Materialize::fact;
    if (star && spec_.layer != "warehouse")
      complain(node, "transform.wrong_layer",
               fmt::format("a {} belongs to the warehouse layer, not to {}", text, spec_.layer),
               fmt::format("move the file to models/warehouse/{}.sql, or use view or table", spec_.name));
  }

  // "warehouse.table" or "warehouse.table.column"; empty when it is something else, which is then said.
  std::vector<std::string> warehouse_name(const Node& node, std::size_t parts_max) {
    const std::vector<std::string> parts = split(lower(trim(node.text())), '.');
    if (parts.size() < 2 || parts.size() > parts_max || parts[0] != "warehouse") {
      complain(node, "transform.not_a_warehouse_table",
               fmt::format("`{}` is not a table of the warehouse", node.text()),
               "write it as warehouse.<name>: keys are enforced between tables of the warehouse only");
      return {};
    }
    if (parts[1] == spec_.name) {
      complain(node, "transform.self_reference", fmt::format("{} cannot refer to itself", spec_.relation()),
               "the engine checks foreign keys row by row; use a `relationships` test for a parent in the "
               "same table");
      return {};
    }
    return parts;
  }

  void read_reference(const Node::Entry& entry) {
    const auto parts = warehouse_name(entry.value, 3);
    if (parts.empty()) return;
    Reference reference{{}, parts[1], {}, entry.value.position()};
    // "order_id, line" stands for a composite key.
    for (const std::string& column : split(entry.name, ','))
      reference.columns.push_back({trim(column), entry.key.position()});
    if (parts.size() == 3) reference.target = {parts[2]};
    spec_.references.push_back(std::move(reference));
  }

  void read_lookup(const Node::Entry& entry) {
    const auto parts = warehouse_name(entry.value["dimension"], 2);
    if (parts.empty()) return;
    spec_.dimensions.push_back({word(entry.key), parts[1], words(entry.value["key"]), entry.key.position()});
  }

  void read_column(const Node::Entry& entry) {
    const Node pii = entry.value["pii"];
    spec_.columns.push_back({word(entry.key), entry.value["description"].as_string(""),
                             pii.exists() ? std::optional(pii.as_boolean()) : std::nullopt});
  }

  void read_test(const Node& item) {
    const Severity severity =
        item["severity"].as_string("error") == "warn" ? Severity::warn : Severity::error;
    using Kind = DeclaredTest::Kind;
    const std::size_t before = spec_.tests.size();
    for (const Word& column : words(item["not_null"]))
      spec_.tests.push_back({Kind::not_null, {column}, {}, {}, {}, severity});
    for (const Node& columns : item["unique"].items())
      spec_.tests.push_back({Kind::unique, words(columns), {}, {}, {}, severity});
    for (const auto& entry : item["accepted_values"].entries()) {
      std::vector<std::string> values;
      for (const Node& value : entry.value.items()) values.push_back(value.text());
      spec_.tests.push_back({Kind::accepted_values, {word(entry.key)}, std::move(values), {}, {}, severity});
    }
    for (const auto& entry : item["relationships"].entries()) {
      const std::vector<std::string> parts = split(trim(entry.value.text()), '.');
      if (parts.size() != 3 ||
          std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); })) {
        complain(entry.value, "transform.bad_relationship",
                 fmt::format("`{}` does not name a column of a model", entry.value.text()),
                 "write it as layer.model.column, for example clean.customers.customer_id");
        continue;
      }
      spec_.tests.push_back(
          {Kind::relationships, {word(entry.key)}, {}, lower(parts[0] + "." + parts[1]), parts[2], severity});
    }
    const bool said = item["relationships"].exists();
    if (spec_.tests.size() == before && !said)
      complain(item, "transform.empty_test", "this entry tests nothing",
               "add not_null, unique, accepted_values or relationships");
  }

  ModelSpec& spec_;
  const Node& header_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::optional<ModelSpec> parse_model(const std::string& layer, const std::string& name,
                                     const std::string& file, std::string text,
                                     const config::Variables& variables, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.list().size();
  ModelSpec spec;
  spec.layer = layer;
  spec.name = name;
  spec.source = read_sql_file(file, std::move(text));
  if (layer != "warehouse" &&
      std::find(std::begin(lake_layers), std::end(lake_layers), layer) == std::end(lake_layers)) {
    const std::vector<std::string> layers = {"clean", "presentation", "warehouse"};
    std::string hint = did_you_mean_hint(layer, layers);
    if (hint.empty()) hint = "models live in models/clean, models/presentation and models/warehouse";
    diagnostics.add("transform.unknown_layer", fmt::format("there is no layer `{}` for models", layer), hint,
                    {file, 0, 0});
  }
  if (!is_name(name))
    diagnostics.add("transform.bad_name", fmt::format("`{}` cannot be the name of a model", name),
                    "use lower-case letters, digits and _ for the file name", {file, 0, 0});
  Node header = config::parse(spec.source.header, file, variables, diagnostics, spec.source.header_line);
  if (header.exists() && header.kind() != config::Kind::null) {
    const std::size_t before_shape = diagnostics.list().size();
    model_shape().check(header, diagnostics);
    // A header that does not fit its shape cannot be read further: its nodes are not what the parser takes
    // them for.
    if (diagnostics.list().size() == before_shape) Parser(spec, header, diagnostics).parse();
  }
  if (trim(spec.source.sql).empty())
    diagnostics.add("transform.no_sql", fmt::format("{} has no SELECT statement", file),
                    "write one SELECT after the header", {file, 0, 0});
  if (diagnostics.list().size() != before) return std::nullopt;
  return spec;
}

}  // namespace eddy::transform
