// A sync bound to its model: which columns are delivered, with which types. It is stored with every plan and
// snapshot, so that a later run can see what was changed in the file or in the model.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/database.h"
#include "sync/sync_spec.h"
#include "warehouse/session.h"

namespace eddy::sync {

struct BoundColumn {
  std::string field;        // at the destination
  std::string expression;   // SQL over the model's columns
  std::string engine_type;  // what the expression gives, in the engine's words
  Type type = Type::text;   // what the destination meets
  WhenNull when_null = WhenNull::write;
  Write write = Write::always;
  OnDrift drift = OnDrift::ours;
  std::optional<LookupSpec> lookup = std::nullopt;
  std::vector<Normalization> normalize = {};  // is part of `expression` already
  std::string phone_region = {};
  // In a warehouse of the user's own: its SQL of the kept form, and of the one of a key (dialect.h).
  std::string remote = {}, remote_key = {};
  bool operator==(const BoundColumn&) const = default;
};

struct Definition {
  std::string sync, model, destination, object;
  Mode mode = Mode::upsert;
  Removed removed = Removed::ignore;
  std::vector<BoundColumn> key, fields;
  std::vector<BoundColumn> removed_values = {};  // of Removed::set: constants
  Row removed_row = {};                          // their values
  bool send_all = false;
  std::string model_sql = {};       // when the model is written in the sync itself
  std::string hash_algorithm = {};  // when rows are hashed in a warehouse of the user's own

  Schema key_schema() const;
  Schema field_schema() const;
  bool operator==(
      const Definition& other) const;  // of what was written down: removed_row is computed from it
};

nlohmann::json to_json(const Definition& definition);
Definition definition_from_json(const nlohmann::json& json);

// Asks the engine, or the user's own warehouse, for the type of every expression. Throws Error with every
// problem found: sync.unknown_model, sync.bad_expression (with the position in the file and a did-you-mean),
// sync.bad_key_type.
Definition bind(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec);

// The model as a FROM clause names it: "presentation"."customers", or a query of its own.
std::string model_relation(const std::string& model, const std::string& model_sql);

// `select <key> as k1 …, <fields> as v1 … from <model>`: what the destination should hold. Also for reading
// dependencies.
std::string desired_sql(const SyncSpec& spec);
std::string desired_sql(const Definition& definition);

}  // namespace eddy::sync
