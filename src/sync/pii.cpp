#include "sync/pii.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.h"
#include "engine/sql_reading.h"
#include "sync/normalization.h"

namespace eddy::sync {
namespace {

using engine::ColumnReferences;

// Whether a name may stand for the column: `email`, `p.email`, `presentation.people.email`, `email.domain`;
// or for the whole row, by the name of its table. Aliases and structs are not told apart: rather one field
// too many than one too few.
bool may_be(const std::vector<std::string>& name, const std::string& relation, const std::string& column) {
  return lower(name.back()) == relation.substr(relation.find('.') + 1) ||
         std::any_of(name.begin(), name.end(),
                     [&](const std::string& part) { return lower(part) == column; });
}

// "presentation.people.email" …, of the model and of the relations in subqueries.
std::vector<std::string> columns_read(const ColumnReferences& references, const std::string& model,
                                      const PersonalColumns& personal) {
  std::set<std::string> relations = {lower(model)};
  for (const engine::TableReference& table : references.tables)
    relations.insert(lower(table.schema + "." + table.name));
  std::vector<std::string> out;
  for (const std::string& relation : relations) {
    const auto columns = personal.find(relation);
    if (columns == personal.end()) continue;
    for (const std::string& column : columns->second)
      if (references.every_column ||
          std::any_of(references.names.begin(), references.names.end(),
                      [&](const auto& name) { return may_be(name, relation, column); }))
        out.push_back(relation + "." + column);
  }
  return out;
}

std::string hashed_sql(const Mapping& mapping) {
  const std::string text = mapping.normalize.empty()
                               ? normalized_sql(fmt::format("({}\n)::varchar", mapping.expression),
                                                {Normalization::trim, Normalization::lower}, "")
                               : normalized_sql(mapping.expression, mapping.normalize, mapping.phone_region);
  return fmt::format("eddy_sha256({})", text);
}

Diagnostic blocked(const Mapping& mapping, const SyncSpec& spec, const std::vector<std::string>& columns) {
  const std::string why = columns.empty()
                              ? "is marked as personal data"
                              : fmt::format("reads {}, marked as personal data", join(columns, ", "));
  return mapping.node.complaint(
      "sync.pii_blocked",
      fmt::format("`{}` {}; `{}` takes none (pii: block)", mapping.field, why, spec.destination),
      fmt::format(
          "leave the field out; or let the connection take it hashed (pii: hash); or say that the value "
          "is not personal: {}: {{value: …, pii: false}}",
          mapping.field));
}

class Guard {
 public:
  Guard(engine::Connection& connection, const SyncSpec& spec, const PersonalColumns& personal,
        PiiPolicy policy, Diagnostics& diagnostics, bool remote)
      : connection_(connection),
        spec_(spec),
        personal_(personal),
        policy_(policy),
        diagnostics_(diagnostics),
        remote_(remote) {}

  std::vector<Mapping> guarded(std::vector<Mapping> mappings) {
    for (Mapping& mapping : mappings) guard(mapping);
    return mappings;
  }

 private:
  void guard(Mapping& mapping) {
    if (mapping.pii == Pii::no) return;
    if (remote_) {
      if (mapping.pii != Pii::yes) return;
      mapping.hashed = policy_ == PiiPolicy::hash;
      if (policy_ == PiiPolicy::block) diagnostics_.add(blocked(mapping, spec_, {}));
      return;
    }
    try {
      const ColumnReferences references = engine::column_references(connection_, mapping.expression);
      const std::vector<std::string> columns = columns_read(references, spec_.model, personal_);
      if (columns.empty() && mapping.pii != Pii::yes) return;
      if (policy_ == PiiPolicy::block) {
        diagnostics_.add(blocked(mapping, spec_, columns));
      } else if (!references.hashed) {
        mapping.expression = hashed_sql(mapping);
        mapping.normalize.clear();
      }
    } catch (const Error& e) {
      diagnostics_.add(mapping.node.complaint(
          "sync.bad_expression",
          fmt::format("the expression of `{}` cannot be used: {}", mapping.field, e.message()),
          "write one SQL expression over the columns of the model"));
    }
  }

  engine::Connection& connection_;
  const SyncSpec& spec_;
  const PersonalColumns& personal_;
  PiiPolicy policy_;
  Diagnostics& diagnostics_;
  const bool remote_;
};

}  // namespace

std::string_view name_of(PiiPolicy policy) {
  constexpr std::array<std::string_view, 3> names = {"allow", "hash", "block"};
  return names[static_cast<std::size_t>(policy)];
}

SyncSpec with_pii_policy(engine::Connection& connection, SyncSpec spec, const PersonalColumns& personal,
                         PiiPolicy policy, Diagnostics& diagnostics, bool remote) {
  if (policy == PiiPolicy::allow) return spec;
  SyncSpec out = spec;
  Guard guard(connection, spec, personal, policy, diagnostics, remote);
  out.key = guard.guarded(spec.key);
  out.fields = guard.guarded(spec.fields);
  out.removed_values = guard.guarded(spec.removed_values);
  return out;
}

}  // namespace eddy::sync
