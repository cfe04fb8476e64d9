// Content of warehouse tables: dimensions with surrogate keys, facts with looked-up keys, tables with
// declared keys.
//
// All of these work on temp tables of the connection: `eddy_staged` holds what the model's SELECT gave,
// `eddy_content` what the table shall hold. Columns are taken from the catalog as it is when they are called.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/database.h"
#include "transform/model_spec.h"
#include "transform/warehouse_table.h"
#include "warehouse/session.h"

namespace eddy::transform {

constexpr std::string_view staged_table = "eddy_staged";
constexpr std::string_view content_table = "eddy_content";
constexpr std::int64_t unknown_member = 0;

// Facts without a member, per surrogate column.
struct UnknownCount {
  std::string column;
  std::uint64_t null = 0;       // the fact has no natural key
  std::uint64_t not_found = 0;  // it has one that the dimension does not know
};

struct Content {
  TableDefinition table;  // what the warehouse table must look like
  std::uint64_t rows = 0;
  std::uint64_t kept = 0;  // rows the model no longer gives but that stay
  std::vector<UnknownCount> unknown;
};

// Makes eddy_content. Throws Error with a place in the model's file: transform.unknown_column,
// transform.unknown_table, transform.key_null, transform.key_duplicate (with examples),
// transform.key_changed, transform.column_taken, transform.unknown_value.
//
// dimension: <name>_key BIGINT in front, stable between builds; new members are numbered in the order of
// their natural key; member 0
//   is the unknown member. A member once numbered stays, with its last values, even when the model no longer
//   gives it: facts may refer to it.
// fact: one BIGINT column per lookup in front; 0 where there is no such member.
// table: as the model gives it; rows that vanished from the model but that other tables still refer to stay
// until those let go of them.
Content make_content(engine::Connection& connection, const ModelSpec& spec);

// NULLs and duplicates in `columns` of `from` (a table or a FROM item), said with up to 5 examples. Does
// nothing when there are none.
void check_key(engine::Connection& connection, const ModelSpec& spec, const std::string& from,
               const std::vector<std::string>& columns, const SourcePosition& at);

// Called when the engine refused eddy_content: names the constraint, the table and up to 5 offending rows.
// Gives `error` back when it finds no reason.
Error explain_violation(engine::Connection& connection, const ModelSpec& spec, const TableDefinition& table,
                        const Error& error);

}  // namespace eddy::transform
