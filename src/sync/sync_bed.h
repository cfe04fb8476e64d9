// For tests of this folder: a project in a scratch folder, a model as a warehouse table, and a destination
// that does as it is told.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "core/text.h"
#include "support/scratch.h"
#include "sync/apply.h"
#include "sync/plan_sql.h"

namespace eddy::sync::testing {

inline std::string text_of(const Row& row) {
  std::vector<std::string> parts;
  for (const Value& value : row) parts.push_back(value.is_null() ? "null" : value.to_text());
  return join(parts, "|");
}

inline std::string text_of(const Change& change) {  // "add 1=Ada|7"
  return std::string(name_of(change.operation)) + " " + text_of(change.key) +
         (change.fields.empty() ? "" : "=" + text_of(change.fields));
}

// Holds records by key, keeps every request, and answers as `script` says; without one it applies everything.
class ScriptedDestination final : public Destination {
 public:
  using Script = std::function<Answer(std::span<const Change>)>;

  Limits limits{100, 0, 1};
  Script script;
  ObjectSchema object{"people", {}, true};
  std::map<std::string, std::string> records;  // key -> fields
  std::vector<std::vector<Change>> requests;
  std::map<std::string, int> applications;  // key -> how often it was applied
  int opened = 0, finished = 0, readings = 0;
  std::set<std::string> doubled;  // keys that two records have
  bool reading_fails = false;
  Delivery delivery;
  std::vector<Delivery> deliveries;  // every open()
  bool readable = false;
  ScriptedDestination* updates = nullptr;              // where writers of mode update go, when it is set
  std::map<std::string, ScriptedDestination*> others;  // objects that can be looked up; ids are "id-<key>"

  // Applies the changes as a real destination would: only the changed fields are taken.
  Answer apply(std::span<const Change> changes) {
    const std::lock_guard lock(mutex_);
    Answer answer;
    for (const Change& change : changes) {
      const std::string key = text_of(change.key);
      ++applications[key];
      const bool fresh = !records.contains(key);
      if (change.operation == Operation::remove) {
        records.erase(key);
      } else {
        if (fresh) records[key] = text_of(Row(change.fields.size()));
        merge(records[key], change);
      }
      answer.verdicts.push_back(Verdict::applied({}, fresh && change.operation != Operation::remove));
    }
    return answer;
  }

  std::vector<std::string> sent() const {  // "add 1|Ada" …, in the order of sending
    std::vector<std::string> out;
    for (const auto& request : requests)
      for (const Change& change : request) out.push_back(text_of(change));
    return out;
  }
  void forget_requests() { requests.clear(); }

  std::string check() override { return "scripted"; }
  std::vector<std::string> objects() override { return {"people"}; }
  std::optional<ObjectSchema> describe(const std::string& name) override {
    return name == object.name ? std::optional(object) : std::nullopt;
  }
  std::unique_ptr<Writer> open(const Delivery& d) override {
    ++opened;
    deliveries.push_back(d);
    if (d.mode == Mode::update && updates) return std::make_unique<ScriptedWriter>(*updates);
    delivery = d;
    return std::make_unique<ScriptedWriter>(*this);
  }
  bool unfinished(const Delivery&) override { return finished < opened; }
  std::unique_ptr<Reader> reader(const Reading& reading) override {
    if (const auto other = others.find(reading.object); other != others.end())
      return std::make_unique<ScriptedReader>(*other->second, reading);
    return readable ? std::make_unique<ScriptedReader>(*this, reading) : nullptr;
  }

 private:
  class ScriptedWriter final : public Writer {
   public:
    explicit ScriptedWriter(ScriptedDestination& owner) : owner_(owner) {}
    Limits limits() const override { return owner_.limits; }
    Answer deliver(std::span<const Change> changes) override {
      {
        const std::lock_guard lock(owner_.mutex_);
        owner_.requests.emplace_back(changes.begin(), changes.end());
      }
      return owner_.script ? owner_.script(changes) : owner_.apply(changes);
    }
    std::vector<std::string> preview(std::span<const Change> changes) override {
      std::vector<std::string> out;
      for (const Change& change : changes) out.push_back(text_of(change));
      return out;
    }
    void finish() override { ++owner_.finished; }

   private:
    ScriptedDestination& owner_;
  };

  class ScriptedReader final : public Reader {
   public:
    ScriptedReader(ScriptedDestination& owner, Reading reading)
        : owner_(owner), reading_(std::move(reading)) {}
    std::size_t keys_max() const override { return 50; }
    std::vector<Record> read(std::span<const Row> keys) override {
      const std::lock_guard lock(owner_.mutex_);
      ++owner_.readings;
      if (owner_.reading_fails) throw Error("destination.unavailable", "503 from crm");
      std::vector<Record> out;
      for (const Row& key : keys) {
        Record& record = out.emplace_back();
        const auto found = owner_.records.find(text_of(key));
        if (found == owner_.records.end()) continue;
        record.matches = owner_.doubled.contains(found->first) ? 2 : 1;
        record.id = "id-" + found->first;
        const std::vector<std::string> cells = split(found->second, '|');
        for (const Column& column : reading_.fields)
          for (std::size_t i = 0; i < owner_.delivery.fields.size(); ++i)
            if (owner_.delivery.fields[i].name == column.name)
              record.fields.push_back(cells.at(i) == "null" ? Value() : Value::text(cells.at(i)));
      }
      return out;
    }

   private:
    ScriptedDestination& owner_;
    const Reading reading_;
  };

  static void merge(std::string& record, const Change& change) {
    std::vector<std::string> fields = split(record, '|');
    fields.resize(change.fields.size(), "null");
    for (std::size_t i = 0; i < change.fields.size(); ++i)
      if (change.changed[i] && !change.keeps(i))
        fields[i] = change.fields[i].is_null() ? "null" : change.fields[i].to_text();
    record = join(fields, "|");
  }

  std::mutex mutex_;
};

inline SyncSpec spec_of(const std::string& yaml, const std::string& name = "people") {
  Diagnostics diagnostics;
  const config::Node node =
      config::parse(yaml, "syncs/" + name + ".yml", config::no_variables(), diagnostics);
  auto spec = parse_sync(name, node, diagnostics);
  diagnostics.throw_if_any();
  return *spec;
}

inline const std::string people_yaml =
    "model: warehouse.people\ndestination: crm\nobject: people\nkey: {id: id}\nfields: {name: name, score: "
    "score}\n";

class Bed {
 public:
  explicit Bed(std::filesystem::path folder = {})
      : folder_(folder.empty() ? scratch_.path() : std::move(folder)) {
    open();
  }

  void open() {
    std::filesystem::create_directories(folder_ / ".eddy");
    store = state::Store::open(folder_ / ".eddy" / "state.db");
    engine::Options options;
    options.threads = 2;
    session = std::make_unique<warehouse::Session>(
        warehouse::Places{folder_, folder_ / ".eddy", folder_ / "lake", folder_ / "warehouse.duckdb"}, *store,
        options, warehouse::Access::write);
  }
  void close() {
    session.reset();
    store.reset();
  }
  void reopen() {
    close();
    open();
  }

  // The model's rows: "select … as id, … as name, … as score".
  void model(const std::string& select, const std::string& name = "people") {
    auto c = session->connect();
    c.execute("create or replace table warehouse_db.warehouse." + name + " as " + select);
    session->refresh_warehouse_table(c, name);
  }

  SyncResult run(const SyncSpec& spec, const ApplyOptions& options = {}) {
    return run_sync(*session, spec, destination, next_run(), clock, silent_progress(), *cancel, options);
  }
  Plan plan(const SyncSpec& spec) { return plan_sync(*session, spec, clock); }
  std::string next_run() { return "run" + std::to_string(++runs_); }

  std::vector<Row> query(const std::string& sql) {
    auto c = session->connect();
    open_sync_database(*session, c);
    return c.query(sql).rows();
  }
  // The snapshot as the destination keeps its records; rows marked as doubtful have "?" in front.
  std::map<std::string, std::string> snapshot(const SyncSpec& spec) {
    auto c = session->connect();
    open_sync_database(*session, c);
    std::map<std::string, std::string> out;
    const Standing standing = read_standing(c, spec.name);
    if (!standing.definition) return out;
    const std::size_t keys = standing.definition->key.size(), values = standing.definition->fields.size();
    for (const Row& row :
         c.query("select row_hash = 0, " + numbered("k", keys) +
                 (values == 0 ? "" : ", " + numbered("v", values)) + " from " + snapshot_table(spec.name))
             .rows()) {
      const auto value_at = row.begin() + 1 + static_cast<std::ptrdiff_t>(keys);
      out[text_of({row.begin() + 1, value_at})] =
          (row[0].as_boolean() ? "?" : "") + text_of({value_at, row.end()});
    }
    return out;
  }

  const std::filesystem::path& folder() const { return folder_; }

  ManualClock clock;
  std::unique_ptr<Cancel> cancel = std::make_unique<Cancel>();
  ScriptedDestination destination;
  std::unique_ptr<state::Store> store;
  std::unique_ptr<warehouse::Session> session;

 private:
  eddy::testing::Scratch scratch_;
  std::filesystem::path folder_;
  int runs_ = 0;
};

// The stable code of the Error that `action` throws, "" when it throws none.
inline std::string code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

}  // namespace eddy::sync::testing
