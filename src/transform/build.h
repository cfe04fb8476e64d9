// Builds one model and makes it visible: a new Parquet version, a view, or the content of a warehouse table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/progress.h"
#include "lake/publish.h"
#include "transform/model_spec.h"
#include "transform/star.h"
#include "warehouse/session.h"

namespace eddy::transform {

struct BuildResult {
  std::string relation;    // "warehouse.dim_customer"
  std::string version;     // new_id() of this build, as in the catalog
  std::uint64_t rows = 0;  // without a dimension's unknown member; 0 for a view
  std::uint64_t kept =
      0;  // rows the model no longer gives but that stay (dimension members; rows others refer to)
  std::vector<UnknownCount> unknown;  // of a fact, per dimension
  std::vector<std::string> rebuilt;   // warehouse tables that refer to this one and were put back around it
  std::string summary;                // "1,204 rows; 3 without customer_key"
};

// Builds `spec` on a connection of its own; several models may be built at the same time. All or nothing:
// until the commit at the very end readers see the old content, and a failure leaves it in place. Tells
// `progress` rows while it works (advanced() under the model's relation; started() and finished() are the
// caller's). Needs a Session with Access::write.
//
// Throws transform.unknown_relation (with did-you-mean), transform.sql and the codes of star.h and
// warehouse_table.h with a place in the model's file; engine.interrupted when `cancel` asked;
// engine.out_of_memory; file.unwritable.
//
// A lake model's older versions beyond `retention` are removed after the commit.
BuildResult build_model(warehouse::Session& session, const ModelSpec& spec, const std::string& run_id,
                        Clock& clock, Progress& progress, const Cancel& cancel,
                        const lake::Retention& retention = {});

}  // namespace eddy::transform
