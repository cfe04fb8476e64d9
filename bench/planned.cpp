#include "planned.h"

#include <fmt/format.h>

#include <stdexcept>

#include "connectors/declarative/library.h"
#include "core/files.h"
#include "core/text.h"
#include "sync/field_policies.h"
#include "sync/fold.h"
#include "sync/snapshot.h"

namespace eddy::bench {

namespace {

sync::SyncSpec contacts_sync() {
  Diagnostics diagnostics;
  auto spec =
      sync::parse_sync("contacts",
                       yaml("model: presentation.rows\ndestination: crm\nobject: contacts\nkey: {email: "
                            "email}\nfields: {number: number, name: name, city: city, ltv: ltv, orders: "
                            "orders, active: active, signup: signup}\nguards: {first_run: 100000000}\n"),
                       diagnostics);
  diagnostics.throw_if_any();
  return *spec;
}

}  // namespace

config::Node yaml(const std::string& text) {
  Diagnostics diagnostics;
  auto node = config::parse(text, "bench", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return node;
}

std::string customers_sql(std::uint64_t rows) {
  return fmt::format(
      "select 'customer' || i || '@example.com' as email, i as number, 'Name ' || md5(i::varchar)[1:12] as "
      "name, "
      "['Prague','Paris','Lagos','Lima','Osaka'][1 + i % 5] as city, "
      "((i * 31 % 100000) / 100.0)::double as ltv, (i % 50)::integer as orders, i % 3 = 0 as active, (date "
      "'2020-01-01' + (i % 2000)::int)::date as signup from range({}) t(i)",
      rows);
}

namespace {
std::shared_ptr<const connectors::Spec> connector_in(const std::string& folder) {
  const auto file = std::filesystem::path(EDDY_SOURCE_DIR) / folder / "connector.yml";
  return std::make_shared<const connectors::Spec>(
      connectors::parse_connector(read_file(file), file.string()));
}
}  // namespace

std::shared_ptr<const connectors::Spec> null_connector() { return connector_in("bench/connectors/null"); }
std::shared_ptr<const connectors::Spec> shipped_connector(const std::string& name) {
  return connector_in("connectors/" + name);
}

Planned::Planned(const std::filesystem::path& folder, std::uint64_t rows)
    : places_{folder, folder / ".eddy", folder / "lake", folder / "warehouse.duckdb"},
      store_(state::Store::open(places_.dot_eddy / "state.db")),
      spec_(contacts_sync()) {
  store_->begin_run({"bench", "run", "", "running", "", "", ""});
  store_->commit_model({"presentation.rows", "v1", "view:" + customers_sql(rows), rows, "", "", "bench"});
  session_.emplace(places_, *store_,
                   engine::Options{.memory_limit = "1GB", .spill_folder = folder / "spill", .threads = 0},
                   warehouse::Access::read);
  connection_.emplace(session_->connect());
  sync::open_sync_database(*session_, *connection_);
  plan_ = sync::make_plan(*session_, *connection_, spec_, system_clock());
}

const Cancel& Planned::never() {
  static const Cancel cancel;
  return cancel;
}

sync::Delivery Planned::delivery() const { return sync::delivery_of(plan_.definition, spec_.options); }

sync::Tally Planned::deliver(sync::Destination& destination, const Cancel& cancel) {
  const auto writer = destination.open(delivery());
  const std::string run = new_id();
  sync::Ledger ledger(sync::ledger_file(*session_, spec_.name, run),
                      {spec_.name, plan_.id, run, plan_.epoch, plan_.counts.planned(), false});
  const auto end =
      sync::deliver(*connection_, plan_, *writer, ledger, policy_, system_clock(), silent_progress(), cancel);
  if (end.failure) throw *end.failure;
  if (end.tally.applied != plan_.counts.planned() && !cancel.requested())
    throw std::runtime_error(fmt::format("{} of {} rows applied", end.tally.applied, plan_.counts.planned()));
  return end.tally;
}

}  // namespace eddy::bench
