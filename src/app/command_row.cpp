// row: everything that is known of one row of a sync.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "app/deliver_plans.h"
#include "app/plan_view.h"
#include "app/sync_request.h"
#include "core/error.h"
#include "core/secrets.h"
#include "core/text.h"
#include "sync/field_policies.h"
#include "sync/story.h"

namespace eddy::app {
namespace {

using nlohmann::json;
using sync::Chapter;

// What the requests for a row look like. They are not kept: they follow from the plan, and are written again
// from it, as the connector writes them today. A destination that cannot be
// reached is tried once for each form that the sync has had.
class Requests {
 public:
  Requests(const Workspace& workspace, const sync::SyncSpec& spec, bool offline)
      : asked_(ask(workspace, spec, offline)), spec_(spec), note_(asked_.note) {}

  // Of a plan that was carried out.
  std::vector<std::string> sent(const sync::Sending& sending, const sync::Definition& definition,
                                const std::vector<Change>& rows) {
    return shown(sending, definition, rows, sync::open_writer_of_the_past);
  }
  // Of what a run would send now: the record is read as that run would read it.
  std::vector<std::string> next(const sync::Definition& definition, const std::vector<Change>& rows) {
    failed_for_.reset();
    return shown({}, definition, rows, sync::open_writer_for);
  }
  // Why requests are missing; "" when they are not.
  std::string note() const { return asked_.destination ? note_ : asked_.note; }

 private:
  std::vector<std::string> shown(const sync::Sending& sending, const sync::Definition& definition,
                                 const std::vector<Change>& rows, decltype(sync::open_writer_for)& open) {
    std::vector<std::string> out;
    if (rows.empty() || !asked_.destination || failed_for_ == definition) return out;
    try {
      const auto writer = open(sending, *asked_.destination, definition, spec_.options);
      for (const std::string& request : writer->preview(rows)) out.push_back(redact(request));
    } catch (const Error& error) {
      note_ = error.message();
      failed_for_ = definition;
    }
    return out;
  }
  static AskedDestination ask(const Workspace& workspace, const sync::SyncSpec& spec, bool offline) {
    try {
      AskedDestination asked = ask_destination(workspace, spec, offline);
      if (asked.destination) asked.note = "";
      return asked;
    } catch (const Error& error) {
      return {nullptr, std::nullopt, error.message()};
    }
  }

  AskedDestination asked_;
  const sync::SyncSpec& spec_;
  std::string note_;
  std::optional<sync::Definition> failed_for_;
};

std::string fields_text(const std::vector<std::pair<std::string, Value>>& fields) {
  std::vector<std::string> parts;
  for (const auto& [field, value] : fields)
    parts.push_back(
        fmt::format("{}: {}", field, value.to_json().dump(-1, ' ', false, json::error_handler_t::replace)));
  return parts.empty() ? "the key only" : join(parts, ", ");
}

std::string verdict_text(const Chapter& chapter) {
  if (chapter.run_id.empty()) return "shown, never sent";
  if (!chapter.verdict) return "not sent: its turn did not come";
  const sync::RowVerdict& v = *chapter.verdict;
  std::string out;
  switch (v.fate) {
    case sync::RowFate::applied:
      out = sync::is_sent(chapter.plan.kind) ? "applied" : "taken as applied";
      break;
    case sync::RowFate::rejected:
      out = "rejected";
      break;
    case sync::RowFate::in_doubt:
      out = "in doubt";
      break;
    case sync::RowFate::gave_up:
    case sync::RowFate::not_applied:
      out = "given up";
      break;
  }
  if (v.created) out += ", a new record";
  if (!v.destination_id.empty()) out += ", id " + v.destination_id;
  if (v.attempts > 1) out += fmt::format(", at attempt {}", v.attempts);
  if (!v.code.empty() || !v.message.empty()) out += fmt::format(": {} {}", v.code, v.message);
  return out;
}

std::string indented(const std::string& text) {
  std::string out;
  for (const std::string& line : split(trim(text), '\n')) out += "      " + line + "\n";
  return out;
}

class StoryText {
 public:
  StoryText(const Terminal& terminal, const sync::Story& story) : t_(terminal), story_(story) {}

  std::string head() const {
    std::string out =
        fmt::format("{}  row {}\n", t_.out_style(Style::bold, "sync." + story_.sync), story_.key);
    out += "  model      " + model_text() + "\n";
    out += "  snapshot   " + snapshot_text() + "\n";
    if (story_.reject) {
      const state::Reject& r = *story_.reject;
      out +=
          t_.out_style(Style::yellow,
                       fmt::format("  {:<10} {} {}; {} attempt{} in {} run{} from {} to {}, last in run {}",
                                   replace_all(std::string(sync::name_of(story_.reject_state)), "_", " "),
                                   r.code, r.message, r.attempts, r.attempts == 1 ? "" : "s", r.runs,
                                   r.runs == 1 ? "" : "s", r.first_seen, r.last_seen, r.run_id)) +
          "\n";
    }
    return out;
  }

  std::string chapter(const Chapter& c, const std::vector<std::string>& requests) const {
    std::string out = c.run_id.empty()
                          ? fmt::format("\n{}  plan {}\n", c.plan.made_at, c.plan.id)
                          : fmt::format("\n{}  run {}  plan {}\n", c.delivered_at, c.run_id, c.plan.id);
    if (c.plan.kind != sync::PlanKind::sync) out += fmt::format("  {}\n", sync::name_of(c.plan.kind));
    out += change_text(t_, c.plan, c.change);
    out += "    " + verdict_text(c) + "\n";
    for (const std::string& request : requests) out += t_.out_style(Style::dim, indented(request));
    return out;
  }

  std::string next(const std::vector<std::string>& requests) const {
    if (!story_.next) return "\nnow\n  nothing would be sent\n";
    std::string out = "\nnow\n" + change_text(t_, story_.next->plan, story_.next->change);
    out += "    would be sent by the next run\n";
    for (const std::string& request : requests) out += t_.out_style(Style::dim, indented(request));
    return out;
  }

 private:
  std::string model_text() const {
    if (!story_.model_note.empty()) return "cannot be read: " + story_.model_note;
    if (story_.model.empty()) return "has no such row";
    if (story_.model.size() > 1) return "has this key more than once: invalid, not sent";
    return fields_text(story_.model.front());
  }
  std::string snapshot_text() const {
    if (!story_.snapshot) return "nothing was acknowledged";
    return fmt::format("{} (acknowledged {}{})", fields_text(*story_.snapshot), story_.acknowledged_at,
                       story_.certain ? "" : "; not certain, an answer was lost since");
  }

  const Terminal& t_;
  const sync::Story& story_;
};

}  // namespace

int row(const Context& context, const RowOptions& options) {
  Workspace workspace(context);
  const sync::SyncSpec& spec = find_sync(workspace.project(), options.sync);
  workspace.lock("row");
  auto connection = workspace.session().connect();
  const sync::Story story =
      sync::tell_story(workspace.session(), connection, spec, system_clock(), options.key);
  Requests requests(workspace, spec, options.offline);
  const auto requests_of = [&](const Chapter& chapter) {
    if (chapter.run_id.empty() || !sync::is_sent(chapter.plan.kind)) return std::vector<std::string>{};
    return requests.sent(sync::sending_of(connection, chapter.plan), chapter.plan.definition,
                         sync::changes(connection, chapter.plan, chapter.change.number, 1));
  };
  json out = sync::to_json(story);
  const StoryText text(context.terminal, story);
  std::string told = text.head();
  for (std::size_t i = 0; i < story.chapters.size(); ++i) {
    const std::vector<std::string> texts = requests_of(story.chapters[i]);
    out["plans"][i]["requests"] = texts;
    told += text.chapter(story.chapters[i], texts);
  }
  std::vector<std::string> next;
  if (story.next) next = requests.next(story.next->plan.definition, story.next_request);
  if (story.next) out["next"]["requests"] = next;
  told += text.next(next);
  out["requests_note"] = requests.note();
  if (!requests.note().empty()) told += fmt::format("\nrequests are not shown: {}\n", requests.note());
  print_out(context.json ? out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n" : told);
  return exit_done;
}

}  // namespace eddy::app
