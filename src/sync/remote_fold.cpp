#include <fmt/format.h>

#include <array>

#include "core/text.h"
#include "sync/plan_sql.h"
#include "sync/remote_snapshot.h"

namespace eddy::sync {

using warehouse::Dialect;
using warehouse::OwnWarehouse;
using warehouse::Purpose;

namespace {

class FoldingInside {
 public:
  FoldingInside(const OwnWarehouse& own, Dialect& dialect, engine::Connection& connection,
                const Standing& then, const Standing& next)
      : own_(own),
        dialect_(dialect),
        c_(connection),
        then_(then),
        now_(next.definition.value()),
        table_(remote_snapshot(own, now_.sync)),
        keys_(now_.key.size()),
        values_(now_.fields.size()) {}

  void fold(const std::string& rows, const std::string& moment) {
    const bool other_columns = bring_up_table();
    stage(rows);
    if (other_columns) doubt("(1, 3, 4)");
    const std::string same_key = keys_equal("s", "p", keys_);
    moved("replaced", staged_[1] + staged_[2],
          fmt::format("delete from {} as s where exists (select 1 from {} p where p.kind in (1, 2) and {})",
                      table_, stage_, same_key));
    const std::string columns =
        numbered("p.k", keys_) + (values_ == 0 ? "" : ", " + numbered("p.v", values_));
    moved("kept", staged_[0] + staged_[1],
          fmt::format("insert into {} select {}, {}, {} from {} p where p.kind in (0, 1)", table_, columns,
                      dialect_.hash(lettered("p.v", values_), types_of(now_.fields)), moment, stage_));
    if (staged_[3] > 0) moved("left in doubt", staged_[3], doubtful("(3)"));
  }

 private:
  std::string kept_columns(std::string_view letter, const std::vector<BoundColumn>& columns,
                           const char* more) const {
    std::string out;
    for (std::size_t i = 0; i < columns.size(); ++i)
      out += fmt::format("{}{} {}{}, ", letter, i + 1, dialect_.kept_type(columns[i].type), more);
    return out;
  }

  // True when the rows of another mapping, or of other types, were written anew.
  bool bring_up_table() {
    if (!then_.definition) {
      dialect_.execute(fmt::format("create table {}({}{}row_hash {} not null, delivered_at {} not null)",
                                   table_, kept_columns("k", now_.key, " not null"),
                                   kept_columns("v", now_.fields, ""), dialect_.kept_type(Type::integer),
                                   dialect_.kept_type(Type::timestamp)));
      return false;
    }
    if (remote_same_columns(dialect_, then_, now_)) return false;
    const std::string fresh = remote_snapshot(own_, now_.sync + " new");
    const std::string columns = numbered("k", keys_) + (values_ == 0 ? "" : ", " + numbered("v", values_));
    dialect_.execute(fmt::format("drop table if exists {}", fresh));
    dialect_.execute(fmt::format("create table {} as select {}, r as row_hash, delivered_at from {} a", fresh,
                                 columns, remote_aligned(dialect_, own_, then_, now_)));
    dialect_.execute(fmt::format("drop table {}", table_));
    dialect_.execute(
        fmt::format("alter table {} rename to {}", fresh, table_.substr(table_.rfind(".\"") + 1)));
    return true;
  }

  // kind: 0 add, 1 change, 2 remove, all acknowledged; 3 in doubt; 4 planned as a change and not
  // acknowledged.
  void stage(const std::string& rows) {
    std::vector<std::string> empty = {fmt::format("{} as kind", dialect_.literal({}, Type::integer))};
    for (std::size_t i = 0; i < keys_; ++i)
      empty.push_back(fmt::format("{} as k{}", dialect_.literal({}, now_.key[i].type), i + 1));
    for (std::size_t i = 0; i < values_; ++i)
      empty.push_back(fmt::format("{} as v{}", dialect_.literal({}, now_.fields[i].type), i + 1));
    stage_ = dialect_.scratch("eddy_stage", fmt::format("select {} where 1 = 0", join(empty, ", ")));
    auto result = c_.stream(rows);
    EngineRows staged(result);
    dialect_.load(stage_, [&](Row& row) {
      if (!staged.next(row)) return false;
      ++staged_.at(static_cast<std::size_t>(row[0].as_integer()));
      return true;
    });
  }

  std::string doubtful(std::string_view kinds) const {
    return fmt::format(
        "update {} as s set row_hash = 0 where exists (select 1 from {} p where p.kind in {} and {})", table_,
        stage_, kinds, keys_equal("s", "p", keys_));
  }
  // What this delivery was to write of a new field, and did not, is not known to be there.
  void doubt(std::string_view kinds) { dialect_.execute(doubtful(kinds)); }

  void moved(const char* what, std::uint64_t expected, const std::string& sql) {
    if (expected == 0) return;
    const std::uint64_t rows = dialect_.execute(sql);
    if (rows != expected)
      throw Error("sync.unreconciled",
                  fmt::format("sync {}: {} rows were to be {} in {}, but {} were", now_.sync, expected, what,
                              table_, rows),
                  "nothing was folded, the ledger is kept; please report this");
  }

  const OwnWarehouse& own_;
  Dialect& dialect_;
  engine::Connection& c_;
  const Standing& then_;
  const Definition& now_;
  const std::string table_;
  const std::size_t keys_, values_;
  std::string stage_;
  std::array<std::uint64_t, 5> staged_ = {};  // rows by kind
};

}  // namespace

void fold_inside(const OwnWarehouse& own, engine::Connection& connection, const Standing& then,
                 const Standing& next, const std::string& rows, const std::string& moment) {
  const auto dialect = own.open();
  check_rights_inside(*dialect, own);
  dialect->transaction(Purpose::write, [&] {
    // The standing first: whoever else keeps this sync there is found before anything is touched.
    write_remote_standing(*dialect, own, next.definition->sync, next, then.epoch);
    FoldingInside(own, *dialect, connection, then, next).fold(rows, moment);
  });
}

}  // namespace eddy::sync
