#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/text.h"
#include "sync/binding.h"
#include "sync/remote.h"

namespace eddy::sync {

namespace {

using warehouse::Dialect;
using warehouse::NativeColumn;
using warehouse::Word;

std::optional<Word> word_of(Normalization step) {
  switch (step) {
    case Normalization::trim:
      return Word::trim;
    case Normalization::lower:
      return Word::lower;
    case Normalization::upper:
      return Word::upper;
    case Normalization::email:
      return Word::email;
    case Normalization::e164:
      break;
  }
  return std::nullopt;
}

class RemoteBinding final : public Binding {
 public:
  explicit RemoteBinding(const warehouse::OwnWarehouse& own) : own_(own), dialect_(own.open()) {}

  std::vector<std::string> columns(const SyncSpec& spec) override {
    std::vector<std::string> out;
    try {
      for (const NativeColumn& column :
           dialect_->describe("select * from " + model_relation(spec.model, spec.model_sql)))
        out.push_back(column.name);
    } catch (const Error& error) {
      if (error.code() != "warehouse.refused") throw;
      if (!spec.model_sql.empty())
        throw Error(spec.node["model"]["sql"].complaint("sync.bad_model", error.message(), error.hint()));
      const std::vector<std::string> known = dialect_->relations();
      if (std::find(known.begin(), known.end(), spec.model) != known.end()) throw;
      unknown_model(
          spec, known,
          fmt::format("it is looked for in connection `{}` ({}); write schema.table as it is spelled "
                      "there, and make sure the role may use the schema",
                      own_.connection, dialect_->identity()));
    }
    return out;
  }

  void look_ahead(const std::vector<Mapping>& mappings, const std::string& from) override {
    try {
      std::vector<std::string> expressions, cells;
      for (const Mapping& mapping : mappings) {
        expressions.push_back(normalized(mapping));
        cells.push_back(fmt::format("{} as value{}", expressions.back(), cells.size()));
      }
      const auto described = dialect_->describe("select " + join(cells, ", ") + from);
      if (described.size() != mappings.size()) return;
      for (std::size_t i = 0; i < mappings.size(); ++i)
        known_.insert_or_assign(expressions[i] + from, described[i]);
    } catch (const Error&) {
      // One of them is wrong: asked one by one, they say which.
    }
  }

  BoundColumn bind(const Mapping& mapping, const std::string& from) override {
    const std::string expression = normalized(mapping);
    const NativeColumn column = describe(expression, from);
    BoundColumn out{mapping.field, mapping.expression, kept_engine_type(column.type),
                    column.type,   mapping.when_null,  mapping.write,
                    mapping.drift, mapping.lookup};
    if (!mapping.normalize.empty() || mapping.hashed) out.expression = expression;
    out.normalize = mapping.normalize;
    out.remote = warehouse::in_form(column.form, expression);
    out.remote_key = warehouse::in_form(column.key_form, expression);
    return out;
  }

  Row constants(const std::vector<BoundColumn>& columns) override {
    std::vector<std::string> cells;
    for (const BoundColumn& column : columns) cells.push_back(column.remote);
    Row out;
    dialect_->stream("select " + join(cells, ", "), types_of(columns), [&](const Row& row) { out = row; });
    return out;
  }
  std::string hash_algorithm() override { return dialect_->hash_algorithm(); }

 private:
  NativeColumn describe(const std::string& expression, const std::string& from) {
    if (const auto known = known_.find(expression + from); known != known_.end()) return known->second;
    const auto described = dialect_->describe(fmt::format("select {} as value{}", expression, from));
    if (described.size() != 1) throw Error("warehouse.refused", "it is not one SQL expression");
    return described.front();
  }

  // `normalize:` and the hashing of personal data belong to what is compared.
  std::string normalized(const Mapping& mapping) {
    std::vector<Normalization> steps = mapping.normalize;
    if (mapping.hashed && steps.empty()) steps = {Normalization::trim, Normalization::lower};
    std::string sql = guarded(mapping.expression);
    for (const Normalization step : steps) {
      const std::optional<Word> word = word_of(step);
      if (!word)
        throw Error(
            "sync.normalize_unsupported",
            fmt::format("`normalize: {}` exists in Eddy's own warehouse only, and this model is in `{}`",
                        name_of(step), own_.connection),
            "keep the number in that form in the model, or leave `normalize` out");
      sql = dialect_->normalized(*word, sql);
    }
    return mapping.hashed ? dialect_->normalized(Word::sha256, sql) : sql;
  }

  const warehouse::OwnWarehouse& own_;
  const std::unique_ptr<Dialect> dialect_;
  std::map<std::string, NativeColumn> known_;  // expression and from -> what it is
};

}  // namespace

std::unique_ptr<Binding> remote_binding(const warehouse::OwnWarehouse& own) {
  return std::make_unique<RemoteBinding>(own);
}

}  // namespace eddy::sync
