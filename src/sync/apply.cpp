#include "sync/apply.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/damage.h"
#include "sync/field_policies.h"
#include "sync/guards.h"
#include "sync/remote_snapshot.h"
#include "sync/schema_checks.h"

namespace eddy::sync {

namespace {

std::string status_of(const DeliveryEnd& end) {
  if (end.failure) return "failed";
  if (end.interrupted) return "interrupted";
  return end.tally.applied == end.tally.planned ? "done" : "done_with_rejects";
}

SyncResult carry_out(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
                     Destination& destination, Plan plan, const std::string& run_id, Clock& clock,
                     Progress& progress, const Cancel& cancel, const ApplyOptions& options) {
  SyncResult result;
  result.tally.planned = plan.counts.planned();
  if (!plan.holds.empty() && !options.approved) {
    result.status = "held";
    result.tally.not_sent = result.tally.planned;
    for (const Hold& hold : plan.holds)
      result.failure.push_back(
          {"sync.held_" + hold.code,
           fmt::format("sync {} is held: {}", spec.name, hold.message),
           fmt::format(
               "look at it with `eddy plan -s sync.{}`; then `eddy apply --approve {}`, or change the guard",
               spec.name, plan.id),
           {},
           {}});
    result.plan = std::move(plan);
    return result;
  }
  if (plan.counts.planned() > 0) check_undamaged(session, connection, spec.name);
  move_snapshot(session, connection, spec.name);
  result.status = "done";
  // Without a row to send there may still be something to remember: another mapping, a reject that is none
  // any more.
  if (plan.counts.planned() > 0 || plan.definition_changed || plan.settled > 0) {
    const auto file = ledger_file(session, spec.name, run_id);
    std::unique_ptr<Writer> writer;
    bool unsafe = plan.definition.mode == Mode::insert;
    if (plan.counts.planned() > 0) {
      writer = open_writer_for(sending_of(connection, plan), destination, plan.definition, spec.options);
      unsafe = unsafe && !writer->inserts_are_repeatable();
    }
    {
      Ledger ledger(file, {spec.name, plan.id, run_id, plan.epoch, plan.counts.planned(), unsafe});
      if (writer) {
        DeliveryEnd end = deliver(connection, plan, *writer, ledger, options.retry, clock, progress, cancel);
        result.tally = end.tally;
        result.status = status_of(end);
        if (end.failure) result.failure = end.failure->diagnostics();
      } else {
        ledger.end();
      }
    }
    fold(session, connection, file, clock);
  }
  // A run that was killed may have told the destination all, and left it before the last step.
  if (plan.counts.planned() == 0 && destination.unfinished(delivery_of(plan.definition, spec.options)))
    open_writer(destination, plan.definition, spec.options)->finish();
  if (plan.kind == PlanKind::sync && plan.counts.left_out == 0 && result.status.starts_with("done"))
    remember_run(session.store(), spec.name, {plan.counts.source, plan.counts.duplicate_key});
  result.plan = std::move(plan);
  return result;
}

}  // namespace

NodeStatus SyncResult::node_status() const {
  if (status == "done") return NodeStatus::ok;
  if (status == "done_with_rejects") return NodeStatus::warned;
  if (status == "interrupted") return NodeStatus::interrupted;
  return status == "held" ? NodeStatus::held : NodeStatus::failed;
}

nlohmann::json details(const SyncResult& r) {
  nlohmann::json out = to_json(r.plan.counts);
  const Tally& t = r.tally;
  nlohmann::json reasons = nlohmann::json::object();
  for (const auto& [reason, rows] : r.plan.invalid_reasons) reasons[reason] = rows;
  out.update({{"status", r.status},
              {"kind", name_of(r.plan.kind)},
              {"invalid_reasons", reasons},
              {"plan", r.plan.id},
              {"sent", t.sent},
              {"applied", t.applied},
              {"created", t.created},
              {"rejected", t.rejected},
              {"in_doubt", t.in_doubt},
              {"gave_up", t.gave_up},
              {"not_sent", t.not_sent},
              {"requests", t.requests},
              {"doubt_found", r.doubtful.found},
              {"doubt_absent", r.doubtful.absent}});
  return out;
}

std::string summary(const SyncResult& r) {
  std::string out = summary(r.plan.counts);
  const auto add = [&](std::uint64_t rows, const char* what) {
    if (rows > 0) out += fmt::format(", {} {}", with_commas(rows), what);
  };
  add(r.tally.rejected, "rejected");
  add(r.tally.in_doubt, "in doubt");
  add(r.tally.gave_up, "given up");
  add(r.tally.not_sent, r.status == "held" ? "held" : "not sent");
  add(r.plan.counts.rejected_before, "rejected before");
  add(r.plan.counts.in_doubt_before, "in doubt before");
  add(r.plan.counts.parked, "parked");
  add(r.doubtful.found, "found there after all");
  return out;
}

Plan plan_sync(warehouse::Session& session, const SyncSpec& spec, Clock& clock, const PlanRequest& request) {
  auto connection = session.connect();
  Plan plan;
  with_damage_said(spec.name, [&] {
    recover(session, connection, spec.name, clock);
    plan = make_plan(session, connection, spec, clock, request);
  });
  return plan;
}

Plan make_checked_plan(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
                       Destination* destination, std::optional<ObjectSchema>& object, Clock& clock,
                       PlanRequest request) {
  request.object = object ? &*object : nullptr;
  Plan plan = make_plan(session, connection, spec, clock, request);
  // What the destination allows may have grown since it was asked.
  if (plan.counts.bad_value + plan.counts.rejected_before == 0 || !object || destination == nullptr ||
      !destination->ask_anew())
    return plan;
  const ObjectSchema before = *object;
  object = check_mapping(spec, *destination);
  request.object = object ? &*object : nullptr;
  if (object && *object == before) return plan;
  forget_plan(connection, plan.id);
  return make_plan(session, connection, spec, clock, request);
}

SyncResult run_sync(warehouse::Session& session, const SyncSpec& spec, Destination& destination,
                    const std::string& run_id, Clock& clock, Progress& progress, const Cancel& cancel,
                    const ApplyOptions& options) {
  auto connection = session.connect();
  SyncResult result;
  with_damage_said(spec.name, [&] {
    recover(session, connection, spec.name, clock);
    std::optional<ObjectSchema> object = check_mapping(spec, destination);
    const LookedUp doubtful = look_up_doubtful(session, connection, spec, destination, run_id, clock);
    result =
        carry_out(session, connection, spec, destination,
                  make_checked_plan(session, connection, spec, &destination, object, clock, options.request),
                  run_id, clock, progress, cancel, options);
    result.doubtful = doubtful;
  });
  return result;
}

SyncResult apply_plan(warehouse::Session& session, const SyncSpec& spec, Destination& destination,
                      const std::string& plan_id, const std::string& run_id, Clock& clock, Progress& progress,
                      const Cancel& cancel, const ApplyOptions& options) {
  auto connection = session.connect();
  SyncResult result;
  with_damage_said(spec.name, [&] {
    const Standing standing = recover(session, connection, spec.name, clock);
    Plan plan = load_plan(connection, plan_id);
    Definition now = bind(session, connection, spec);
    check_fresh(plan, standing.epoch, now);
    check_mapping(spec, destination);
    plan.definition = std::move(now);
    result = carry_out(session, connection, spec, destination, std::move(plan), run_id, clock, progress,
                       cancel, options);
  });
  return result;
}

}  // namespace eddy::sync
