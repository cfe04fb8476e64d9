#include "sync/difference.h"

#include <fmt/format.h>

#include <optional>

#include "core/text.h"
#include "engine/setting.h"
#include "sync/plan_sql.h"
#include "sync/remote_difference.h"
#include "sync/remote_snapshot.h"

namespace eddy::sync {

namespace {

constexpr int examples_max = 5;

std::uint64_t count(engine::Connection& c, const std::string& sql) {
  return static_cast<std::uint64_t>(c.query(sql).scalar().as_integer());
}

// Rows of the model can be read twice and come out the same: files and tables can, a view may compute
// anything.
bool repeatable(warehouse::Session& session, const std::string& model) {
  if (model.starts_with("raw.") || model.starts_with("warehouse.")) return true;
  const auto version = session.store().current_model(model);
  return version && !version->path.starts_with("view:");
}

class Differing {
 public:
  Differing(warehouse::Session& session, engine::Connection& connection, const Definition& definition,
            const Standing& standing, Extent extent, bool refreshed, RemoteModel* remote)
      : session_(session),
        c_(connection),
        definition_(definition),
        standing_(standing),
        extent_(extent),
        refreshed_(refreshed),
        remote_(remote),
        keys_(definition.key.size()),
        values_(definition.fields.size()) {}

  Difference find() {
    algorithm_ = remote_ != nullptr ? definition_.hash_algorithm : hash_algorithm(c_);
    if (standing_.definition)
      out_.snapshot = count(c_, "select count(*) from " + snapshot_table(definition_.sync));
    desired_ = "(" + desired_sql(definition_) + ")";
    if (remote_ != nullptr) {
      out_.snapshot == 0 ? remote_->bring_rows() : remote_->bring_keys();
      out_.hashed = true;
      desired_ = "eddy_desired";
    } else if (!definition_.model_sql.empty() || !repeatable(session_, definition_.model)) {
      c_.execute("create or replace temp table eddy_desired as select * from " + desired_);
      desired_ = "eddy_desired";
    }
    count_source();
    if (out_.snapshot == 0) {
      first_run();
    } else {
      find_hits();
      drop_duplicates();
      out_.added = hits(0);
      out_.changed = hits(1);
      out_.removed = hits(2);
      fetch_values();
    }
    return std::move(out_);
  }

 private:
  std::string keys(std::string_view prefix = "") const { return numbered(fmt::format("{}k", prefix), keys_); }
  std::string values(std::string_view prefix) const { return numbered(fmt::format("{}v", prefix), values_); }
  std::string comma() const { return values_ == 0 ? "" : ", "; }
  bool all() const { return extent_ == Extent::all_rows; }
  // An insert is over with its delivery: what it delivered before is no difference.
  bool keys_only() const { return definition_.mode == Mode::insert; }
  std::string theirs() const { return refreshed_ && values_ > 0 ? ", " + numbered("t", values_) : ""; }

  std::string snapshot() const {
    std::string aligned = aligned_snapshot(standing_, definition_, algorithm_);
    if (!refreshed_) return aligned;
    // What a person has changed is looked at whatever our hash says; what is gone is sent whole.
    return fmt::format(
        "(select s.* replace (case when x.k1 is null then s.h else 0 end as h, s.suspect or "
        "coalesce(x.missing, "
        "false) as suspect), coalesce(x.drifted, '') as drifted, coalesce(x.missing, false) as missing{} "
        "from {} s left join eddy_drift x on {})",
        values_ == 0 ? "" : ", " + numbered("x.t", values_), aligned, keys_equal("s", "x", keys_));
  }

  void count_source() {
    // Of a single key the count of its values is often known without reading them.
    const std::string with_key =
        keys_ == 1 ? "count(k1)" : fmt::format("count(*) filter (where not {})", any_key_null("", keys_));
    const auto rows = c_.query(fmt::format("select count(*), {} from {}", with_key, desired_)).rows();
    out_.source = static_cast<std::uint64_t>(rows[0][0].as_integer());
    out_.null_key = out_.source - static_cast<std::uint64_t>(rows[0][1].as_integer());
    if (out_.null_key == 0) return;
    if (remote_ != nullptr) {
      out_.examples = remote_->null_key_examples(examples_max);
      return;
    }
    auto examples =
        c_.query(fmt::format("select {} from {} where {} limit {}", payload_json("", "0", definition_),
                             desired_, any_key_null("", keys_), examples_max));
    for (const Row& row : examples.rows()) out_.examples.push_back({"null_key", row[0].as_string()});
  }

  // Everything is new: one pass over the model finds double keys, another is the relation itself.
  void first_run() {
    const bool doubled =
        !c_.query(fmt::format("select 1 from {} where not {} group by {} having count(*) > 1 limit 1",
                              desired_, any_key_null("", keys_), keys()))
             .rows()
             .empty();
    if (doubled) list_duplicates();
    out_.added = out_.source - out_.null_key - out_.duplicate_key;
    const std::string without =
        doubled ? fmt::format(" and not exists (select 1 from eddy_duplicates x where {})",
                              keys_equal("d", "x", keys_))
                : "";
    out_.relation =
        fmt::format("(select 0::utinyint as op, d.*{}, false as suspect from {} d where not {}{})",
                    former(""), desired_, any_key_null("d.", keys_), without);
  }

  // With room for the snapshot's keys and hashes in memory, the model's values travel through the join, and
  // the model is read once. Without it they would be spilled with the rows; then only keys are joined, and
  // the values are fetched afterwards for what differs.
  bool snapshot_fits() {
    constexpr double bytes_per_row = 48;  // key, hash and place in the engine's join table
    constexpr double share_of_memory = 0.6;
    const double limit =
        static_cast<double>(c_.query("select case when current_setting('memory_limit') like '% %' then "
                                     "replace(replace(replace(replace(current_setting('memory_limit'), ' "
                                     "TiB', 'e12'), ' GiB', 'e9'), "
                                     "' MiB', 'e6'), ' KiB', 'e3')::double else 0 end::bigint")
                                .scalar()
                                .as_integer());
    return static_cast<double>(out_.snapshot) * bytes_per_row < limit * share_of_memory;
  }

  void find_hits() {
    carried_ = remote_ == nullptr && snapshot_fits();
    // The snapshot is to be the side that is held in memory; the model streams past it.
    std::optional<engine::Setting> sides;
    if (carried_) sides.emplace(c_, "disabled_optimizers", "build_side_probe_side");
    const engine::Setting any_order(c_, "preserve_insertion_order", "false");
    join_with_snapshot();
  }

  void join_with_snapshot() {
    std::vector<std::string> either;
    for (std::size_t i = 1; i <= keys_; ++i)
      either.push_back(fmt::format("coalesce(d.k{0}, s.k{0}) as k{0}", i));
    const bool compare = !keys_only() && !all();
    c_.execute(fmt::format(
        "create or replace temp table eddy_hits as "
        "select case when d.k1 is null then 2 when s.k1 is null then 0 else 1 end::utinyint as op, "
        "{either}{carried} "
        "from (select {keys}{hash}{values} from {desired} where not {null}) d "
        "full outer join (select {keys}, h from {snapshot}) s on {equal} where {wanted}",
        fmt::arg("either", join(either, ", ")), fmt::arg("keys", keys()),
        fmt::arg("carried", carried_ ? comma() + values("d.") : ""),
        fmt::arg("values", carried_ ? comma() + values("") : ""),
        fmt::arg("hash", !compare      ? ""
                         : out_.hashed ? ", h"
                                       : ", " + hash_of("", values_) + " as h"),
        fmt::arg("desired", desired_), fmt::arg("null", any_key_null("", keys_)),
        fmt::arg("snapshot", snapshot()), fmt::arg("equal", keys_equal("d", "s", keys_)),
        fmt::arg("wanted",
                 all() ? "d.k1 is not null"
                       : std::string("d.k1 is null or s.k1 is null") + (compare ? " or d.h <> s.h" : ""))));
  }

  std::uint64_t hits(int op) {
    return count(c_, fmt::format("select count(*) from eddy_hits where op = {}", op));
  }

  // The snapshot's keys are unique. So among the rows found in it a key is doubled exactly when more rows of
  // the model than of the snapshot have met; among the others only the adds need grouping. No pass over all
  // rows is spent on the usual case.
  void drop_duplicates() {
    const std::uint64_t added = hits(0);
    const bool among_met =
        all()
            ? c_.query(fmt::format("select 1 from eddy_hits group by {} having count(*) > 1 limit 1", keys()))
                      .rows()
                      .size() > 0
            : out_.source - out_.null_key - added != out_.snapshot - hits(2);
    const bool among_added =
        added > 1 &&
        !c_.query(fmt::format("select 1 from eddy_hits where op = 0 group by {} having count(*) > 1 limit 1",
                              keys()))
             .rows()
             .empty();
    if (!among_met && !among_added) return;
    list_duplicates();
    c_.execute(fmt::format("delete from eddy_hits using eddy_duplicates x where {}",
                           keys_equal("eddy_hits", "x", keys_)));
  }

  void list_duplicates() {
    c_.execute(
        fmt::format("create or replace temp table eddy_duplicates as select {0}, count(*) as n from {1} "
                    "where not {2} group by {0} having count(*) > 1",
                    keys(), desired_, any_key_null("", keys_)));
    out_.duplicate_key = count(c_, "select coalesce(sum(n), 0)::bigint from eddy_duplicates");
    auto examples = c_.query(fmt::format("select {}, n from eddy_duplicates order by n desc, {} limit {}",
                                         key_json("", definition_), keys(), examples_max));
    for (const Row& row : examples.rows())
      out_.examples.push_back({"duplicate_key", fmt::format("{{\"key\":{},\"rows\":{}}}", row[0].as_string(),
                                                            row[1].as_integer())});
  }

  void fetch_values() {
    constexpr std::uint64_t few = 2'000'000;
    const std::string theirs_too = refreshed_ ? ", d.drifted, d.missing" + theirs() : "";
    // A few rows with their values are held in memory while the snapshot streams past them.
    if (carried_ && out_.added + out_.changed + out_.removed <= few) {
      out_.relation = fmt::format(
          "(select h.op, {0}{1}{2}{3}, d.suspect{4} from eddy_hits h join {5} d on {6} where h.op > 0 "
          "union all by name select *, false as suspect{7} from eddy_hits where op = 0)",
          keys("h."), comma(), values("h."), former("d.v"), theirs_too, snapshot(),
          keys_equal("h", "d", keys_), refreshed_ ? ", '' as drifted, false as missing" : "");
      return;
    }
    if (!carried_) fetch_new_values();
    c_.execute(fmt::format(
        "create or replace temp table eddy_old as select {}{}{}, d.suspect{} from eddy_hits h join {} d on "
        "{} where h.op > 0",
        keys("d."), comma(), values("d."), theirs_too, snapshot(), keys_equal("h", "d", keys_)));
    out_.relation = fmt::format(
        "(select h.op, {}{}{}{}{}, {} as suspect{} from eddy_hits h {} left join eddy_old o on {})",
        keys("h."), comma(), values(carried_ ? "h." : "n."), former("o.v"), out_.hashed ? ", n.h" : "",
        "coalesce(o.suspect, false)",
        refreshed_ ? ", coalesce(o.drifted, '') as drifted, coalesce(o.missing, false) as missing" + theirs()
                   : "",
        carried_ ? "" : "left join eddy_new n on " + keys_equal("h", "n", keys_),
        keys_equal("h", "o", keys_));
  }

  // The acknowledged values as o1…, from the columns with this prefix; "": there are none.
  std::string former(const std::string& prefix) const {
    std::string old;
    for (std::size_t i = 1; i <= values_; ++i)
      old += prefix.empty()
                 ? fmt::format(", cast(null as {}) as o{}", definition_.fields[i - 1].engine_type, i)
                 : fmt::format(", {0}{1} as o{1}", prefix, i);
    return old;
  }

  void fetch_new_values() {
    if (remote_ != nullptr)
      remote_->bring_hits(out_.added + out_.changed, out_.source);
    else
      c_.execute(fmt::format(
          "create or replace temp table eddy_new as select {}{}{} from eddy_hits h join {} d on {} "
          "where h.op < 2",
          keys("d."), comma(), values("d."), desired_, keys_equal("h", "d", keys_)));
    if (count(c_, "select count(*) from eddy_new") != out_.added + out_.changed)
      throw Error(
          "sync.model_unstable",
          fmt::format("{} gave different rows when it was read twice; nothing was planned",
                      definition_.model),
          "remove what changes from call to call (random(), a file being written), or use `materialize: "
          "table`");
  }

  warehouse::Session& session_;
  engine::Connection& c_;
  const Definition& definition_;
  const Standing& standing_;
  const Extent extent_;
  const bool refreshed_;
  RemoteModel* const remote_;  // nullptr: the model is in the engine
  const std::size_t keys_, values_;
  bool carried_ = false;  // eddy_hits holds the new values
  std::string algorithm_;
  std::string desired_;
  Difference out_;
};

}  // namespace

Difference find_difference(warehouse::Session& session, engine::Connection& connection,
                           const Definition& definition, const Standing& standing, Extent extent,
                           bool refreshed) {
  const auto find = [&](RemoteModel* remote) {
    return Differing(session, connection, definition, standing, extent, refreshed, remote).find();
  };
  if (session.own() == nullptr) return find(nullptr);
  const bool inside = keeps_inside(session, connection, definition.sync);
  if (inside) {
    if (!refreshed) return find_difference_inside(*session.own(), connection, definition, standing, extent);
    bring_snapshot_home(session, connection, definition.sync);
  }
  Difference out;
  const auto dialect = session.own()->open();
  dialect->transaction(warehouse::Purpose::read, [&] {
    RemoteModel remote(*dialect, connection, definition);
    out = find(&remote);
  });
  out.hashed = !inside;
  return out;
}

void forget_difference(engine::Connection& c) {
  for (const char* table : {"desired", "hits", "new", "old", "duplicates"})
    c.execute(fmt::format("drop table if exists eddy_{}", table));
}

}  // namespace eddy::sync
