// A plan as people read it: on a terminal, and as Markdown for a pull request.
#pragma once

#include <string>

#include "app/commands.h"
#include "engine/database.h"
#include "sync/drift.h"
#include "sync/plan.h"
#include "sync/sync_spec.h"

namespace eddy::app {

// The format of the file that `eddy plan --out` writes.
constexpr int plan_file_version = 1;

struct PlanView {
  const sync::SyncSpec& spec;
  const sync::Plan& plan;
  std::string schema_note;             // why the destination's schema was not looked at; "" when it was
  const sync::Drift* drift = nullptr;  // of --refresh
  std::size_t examples = 5;            // rows shown of each kind
  std::string schema_age = {};         // "read 3 h ago", when the destination was not asked for it now
};

// Both read the example rows from the stored plan.
std::string plan_text(const Terminal& terminal, engine::Connection& connection, const PlanView& view);
std::string plan_markdown(engine::Connection& connection, const PlanView& view);

// "id=7, region=eu"
std::string key_text(const sync::Plan& plan, const Row& key);
// One change, field by field, before → after; a line each, indented.
std::string change_text(const Terminal& terminal, const sync::Plan& plan, const sync::PlannedChange& change);

}  // namespace eddy::app
