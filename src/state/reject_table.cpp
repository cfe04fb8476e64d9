#include "state/reject_table.h"

#include <fmt/format.h>

#include "state/sealed_table.h"

namespace eddy::state {

using sqlite::Statement;
using sqlite::Transaction;

namespace {

constexpr std::string_view columns =
    "sync, key, operation, outcome, code, message, payload, payload_hash, first_seen, last_seen, run_id, "
    "attempts, runs, status";

constexpr std::string_view condition =
    "(?1 = '' or sync = ?1) and (?2 = '' or key = ?2) and (?3 = '' or code = ?3) and "
    "(?4 = '' or outcome = ?4) and (?5 = '' or status = ?5) and (?6 = 1 or status <> 'settled')";

void bind(Statement& s, const RejectQuery& q) {
  s.bind(1, q.sync).bind(2, q.key).bind(3, q.code).bind(4, q.outcome).bind(5, q.status);
  s.bind(6, std::int64_t{q.settled_too ? 1 : 0});
}

Reject reject_at(const Statement& s) {
  return {s.text(0),
          s.text(1),
          s.text(2),
          s.text(3),
          s.text(4),
          s.text(5),
          s.text(6),
          s.text(7),
          s.text(8),
          s.text(9),
          s.text(10),
          static_cast<int>(s.integer(11)),
          static_cast<int>(s.integer(12)),
          s.text(13)};
}

}  // namespace

void RejectTable::put(const std::vector<Reject>& rejects) {
  Transaction transaction(db_);
  // A fold that is repeated after a crash must not count the same attempt twice. What was settled is over: if
  // it is refused again, that is a new story.
  const std::string again = "rejects.payload_hash = excluded.payload_hash and rejects.status <> 'settled'";
  const auto counted = [&](const std::string& once_more, const std::string& anew) {
    return fmt::format(
        "case when rejects.run_id = excluded.run_id then rejects.{} when {} then {} else {} end",
        once_more.substr(0, once_more.find(' ')), again, "rejects." + once_more, anew);
  };
  std::vector<std::pair<std::string_view, std::string>> changes;
  for (const std::string_view column : {"operation", "outcome", "code", "message", "payload", "last_seen",
                                        "run_id", "status", "payload_hash"})
    changes.emplace_back(column, fmt::format("excluded.{}", column));
  changes.emplace_back("attempts", counted("attempts + excluded.attempts", "excluded.attempts"));
  changes.emplace_back("runs", counted("runs + 1", "1"));
  changes.emplace_back(
      "first_seen", fmt::format("case when {} then rejects.first_seen else excluded.first_seen end", again));
  Statement s(db_, fmt::format("{} on conflict (sync, key) do update set {} where {}", rejects_table.insert(),
                               rejects_table.set(changes), rejects_table.intact()));
  for (const Reject& r : rejects) {
    s.bind(1, r.sync).bind(2, r.key).bind(3, r.operation).bind(4, r.outcome).bind(5, r.code);
    s.bind(6, r.message).bind(7, r.payload).bind(8, r.payload_hash).bind(9, r.first_seen);
    s.bind(10, r.last_seen).bind(11, r.run_id).bind(12, std::int64_t{r.attempts}).bind(13, r.status);
    s.bind(14, std::int64_t{1}).run();
  }
  transaction.commit();
}

void RejectTable::settle(const std::string& sync, const std::vector<std::string>& keys) {
  Transaction transaction(db_);
  Statement s(db_, fmt::format("update rejects set {} where sync = ?1 and key = ?2 and {}",
                               rejects_table.set({{"status", "'settled'"}}), rejects_table.intact()));
  for (const std::string& key : keys) s.bind(1, sync).bind(2, key).run();
  transaction.commit();
}

void RejectTable::settle_all(const std::string& sync) {
  Statement s(db_, fmt::format("update rejects set {} where sync = ?1 and status <> 'settled' and {}",
                               rejects_table.set({{"status", "'settled'"}}), rejects_table.intact()));
  s.bind(1, sync).run();
}

void RejectTable::park(const std::string& sync, int runs_max) {
  Statement s(db_,
              fmt::format("update rejects set {} where sync = ?1 and status = 'open' and outcome = 'retry' "
                          "and runs >= ?2 and {}",
                          rejects_table.set({{"status", "'parked'"}}), rejects_table.intact()));
  s.bind(1, sync).bind(2, std::int64_t{runs_max}).run();
}

std::uint64_t RejectTable::replay(const RejectQuery& query) {
  Statement s(db_, fmt::format("update rejects set {} where {} and {}",
                               rejects_table.set({{"status", "'replay'"}, {"runs", "0"}}), condition,
                               rejects_table.intact()));
  bind(s, query);
  s.run();
  return db_.changes();
}

void RejectTable::release(const std::string& sync, const std::vector<std::string>& keys,
                          const std::string& code, const std::string& message) {
  Transaction transaction(db_);
  Statement s(db_,
              fmt::format("update rejects set {} where sync = ?1 and key = ?2 and outcome = 'in_doubt' and "
                          "status <> 'settled' and {}",
                          rejects_table.set({{"outcome", "'retry'"},
                                             {"status", "'replay'"},
                                             {"runs", "0"},
                                             {"code", "?3"},
                                             {"message", "?4"}}),
                          rejects_table.intact()));
  for (const std::string& key : keys) s.bind(1, sync).bind(2, key).bind(3, code).bind(4, message).run();
  transaction.commit();
}

std::uint64_t RejectTable::count(const RejectQuery& query) {
  Statement s(db_,
              fmt::format("select count(*) from rejects where {} and {}", condition, rejects_table.intact()));
  bind(s, query);
  s.step();
  return static_cast<std::uint64_t>(s.integer(0));
}

std::uint64_t RejectTable::forget_settled(const std::string& before) {
  Statement s(db_, fmt::format("delete from rejects where status = 'settled' and last_seen < ?1 and {}",
                               rejects_table.intact()));
  s.bind(1, before).run();
  return db_.changes();
}

std::vector<Reject> RejectTable::page(const RejectQuery& query, const Place& behind, std::size_t limit) {
  Statement s(db_, fmt::format("select {} from rejects where (sync, key) > (?7, ?8) and {} and {} order by "
                               "sync, key limit ?9",
                               columns, condition, rejects_table.intact()));
  bind(s, query);
  s.bind(7, behind.sync).bind(8, behind.key).bind(9, static_cast<std::int64_t>(limit));
  std::vector<Reject> out;
  while (s.step()) out.push_back(reject_at(s));
  return out;
}

}  // namespace eddy::state
