#include "sync/story.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sync/fold.h"
#include "sync/plan_sql.h"
#include "sync/remote_difference.h"
#include "sync/remote_snapshot.h"

namespace eddy::sync {

using nlohmann::json;

namespace {

using Fields = std::vector<std::pair<std::string, Value>>;

constexpr int model_rows_max = 5;  // of one key, which should have one

json to_json(const Fields& fields) {
  json out = json::object();
  for (const auto& [field, value] : fields) out[field] = value.to_json();
  return out;
}

class Telling {
 public:
  Telling(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec, Clock& clock,
          const std::string& typed)
      : session_(session), c_(connection), spec_(spec), clock_(clock), typed_(typed) {
    story_.sync = spec.name;
  }

  Story tell() {
    recover(session_, c_, spec_.name, clock_);
    read_chapters();
    read_snapshot();
    read_model();
    read_reject();
    if (story_.key.empty())
      throw Error(
          "sync.row_unknown",
          fmt::format("nothing is known of a row {} of sync {}: neither model nor snapshot has it, nor "
                      "any plan that is kept",
                      typed_, spec_.name),
          "write the key as the destination gets it; of a composite one a JSON array: '[1, \"eu\"]'");
    return std::move(story_);
  }

 private:
  void known_as(const std::string& key) {
    if (story_.key.empty()) story_.key = key;
  }

  void read_chapters() {
    for (const Row& row :
         c_.query("select p.id, d.run_id, d.delivered_at, d.complete from sync_db.main.plans p "
                  "left join sync_db.main.deliveries d on d.plan_id = p.id where p.sync = ? "
                  "order by p.id",
                  {Value::text(spec_.name)})
             .rows()) {
      Plan plan = load_plan(c_, row[0].as_string());
      auto change = row_of(c_, plan, typed_);
      if (!change) continue;
      json key = json::array();
      for (const Value& value : change->key) key.push_back(value.to_json());
      known_as(key.dump());
      Chapter& chapter = story_.chapters.emplace_back();
      chapter.change = std::move(*change);
      if (!row[1].is_null()) {
        chapter.run_id = row[1].as_string();
        chapter.delivered_at = row[2].as_string();
        chapter.verdict = read_verdict(plan.id, chapter.change.number, row[3].as_boolean());
      }
      chapter.plan = std::move(plan);
    }
  }

  std::optional<RowVerdict> read_verdict(const std::string& plan_id, std::uint64_t number, bool complete) {
    const auto rows = c_.query(fmt::format("select fate::bigint, attempts::bigint, code, message, "
                                           "destination_id, created from {} where number = {}",
                                           outcome_table(plan_id), number))
                          .rows();
    if (rows.empty()) {
      if (!complete) return std::nullopt;
      return RowVerdict{number, RowFate::applied, false, 1, {}, {}, {}};
    }
    const Row& r = rows.front();
    return RowVerdict{number,
                      static_cast<RowFate>(r[0].as_integer()),
                      r[5].as_boolean(),
                      static_cast<std::uint32_t>(r[1].as_integer()),
                      r[2].as_string(),
                      r[3].as_string(),
                      r[4].as_string()};
  }

  void read_snapshot() {
    const Standing standing = read_standing(c_, spec_.name);
    if (!standing.definition) return;
    bring_snapshot_home(session_, c_, spec_.name);
    const Definition& then = *standing.definition;
    const std::string values = then.fields.empty() ? "" : ", " + numbered("v", then.fields.size());
    const auto rows =
        c_.query(fmt::format("select {}, row_hash = 0, delivered_at{} from {} where {}", key_json("", then),
                             values, snapshot_table(spec_.name), key_is("", then, typed_)))
            .rows();
    if (rows.empty()) return;
    const Row& r = rows.front();
    known_as(r[0].as_string());
    story_.certain = !r[1].as_boolean();
    story_.acknowledged_at = r[2].to_text();
    story_.snapshot.emplace();
    for (std::size_t i = 0; i < then.fields.size(); ++i)
      story_.snapshot->emplace_back(then.fields[i].field, r[3 + i]);
  }

  // What the model says, and what of it a run would send.
  void read_model() {
    try {
      read_model_rows(bind(session_, c_, spec_));
      const Plan plan = make_plan(session_, c_, spec_, clock_, {.key = typed_});
      if (auto change = row_of(c_, plan, typed_)) {
        json key = json::array();
        for (const Value& value : change->key) key.push_back(value.to_json());
        known_as(key.dump());
        story_.next_request = changes(c_, plan, change->number, 1);
        story_.next.emplace();
        story_.next->change = std::move(*change);
        story_.next->plan = plan;
      }
      forget_plan(c_, plan.id);  // it was made to look at one row
    } catch (const Error& error) {
      story_.model_note = error.message();
    }
  }

  void read_model_rows(const Definition& now) {
    std::string model = "(" + desired_sql(now) + ")";
    std::string condition = key_is("", now, typed_);
    if (session_.own() != nullptr) {
      RemoteModel(*session_.own()->open(), c_, now).bring_rows_of(typed_);
      model = "eddy_desired";
      condition = "true";
    }
    const std::string values = now.fields.empty() ? "" : ", " + numbered("v", now.fields.size());
    for (const Row& r : c_.query(fmt::format("select {}{} from {} where {} limit {}", key_json("", now),
                                             values, model, condition, model_rows_max))
                            .rows()) {
      known_as(r[0].as_string());
      Fields& fields = story_.model.emplace_back();
      for (std::size_t i = 0; i < now.fields.size(); ++i) fields.emplace_back(now.fields[i].field, r[1 + i]);
    }
  }

  void read_reject() {
    std::vector<std::string> keys = typed_keys(typed_);
    if (!story_.key.empty()) keys.push_back(story_.key);
    for (const std::string& key : keys)
      session_.store().each_reject({.sync = spec_.name, .key = key}, [&](const state::Reject& reject) {
        story_.reject = reject;
        story_.reject_state = state_of(reject, spec_.mode == Mode::insert);
        known_as(reject.key);
      });
  }

  warehouse::Session& session_;
  engine::Connection& c_;
  const SyncSpec& spec_;
  Clock& clock_;
  const std::string& typed_;
  Story story_;
};

}  // namespace

Story tell_story(warehouse::Session& session, engine::Connection& connection, const SyncSpec& spec,
                 Clock& clock, const std::string& typed) {
  return Telling(session, connection, spec, clock, typed).tell();
}

json to_json(const Chapter& chapter) {
  json out = to_json(chapter.change, chapter.plan.definition);
  out["plan"] = chapter.plan.id;
  out["kind"] = name_of(chapter.plan.kind);
  out["made_at"] = chapter.plan.made_at;
  if (chapter.run_id.empty()) return out;
  out["run"] = chapter.run_id;
  out["delivered_at"] = chapter.delivered_at;
  out["verdict"] = chapter.verdict ? json(name_of(chapter.verdict->fate)) : json("not_sent");
  if (!chapter.verdict) return out;
  out["attempts"] = chapter.verdict->attempts;
  out["created"] = chapter.verdict->created;
  out["code"] = chapter.verdict->code;
  out["message"] = chapter.verdict->message;
  out["destination_id"] = chapter.verdict->destination_id;
  return out;
}

json to_json(const Story& story) {
  json plans = json::array(), model = json::array();
  for (const Chapter& chapter : story.chapters) plans.push_back(to_json(chapter));
  for (const Fields& row : story.model) model.push_back(to_json(row));
  json out = {{"sync", story.sync},
              {"key", json::parse(story.key, nullptr, false)},
              {"plans", plans},
              {"model", model},
              {"model_note", story.model_note},
              {"snapshot", nullptr},
              {"reject", nullptr},
              {"next", nullptr}};
  if (story.snapshot)
    out["snapshot"] = {{"fields", to_json(*story.snapshot)},
                       {"certain", story.certain},
                       {"acknowledged_at", story.acknowledged_at}};
  if (story.reject)
    out["reject"] = {{"state", name_of(story.reject_state)}, {"code", story.reject->code},
                     {"message", story.reject->message},     {"attempts", story.reject->attempts},
                     {"runs", story.reject->runs},           {"first_seen", story.reject->first_seen},
                     {"last_seen", story.reject->last_seen}, {"run", story.reject->run_id},
                     {"operation", story.reject->operation}};
  if (story.next) out["next"] = to_json(*story.next);
  return out;
}

}  // namespace eddy::sync
