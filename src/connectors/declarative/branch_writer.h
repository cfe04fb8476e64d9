// Upserts for services that have none: each row's record is looked up by its key, then updated or made
// (`branch` in connector.yml). Also updates, and removals, by another key than the service's own id.
//
// What can go wrong in between, and what comes of it:
//   several records have the key          the row is rejected, and the candidates are named
//   two rows of a run find one record     the second is rejected: they would overwrite each other for ever
//   made meanwhile, by somebody else      the refusal names the record (`on_conflict`): it is read, and
//                                         updated when it has the row's key
//   the answer of a create is lost        in doubt; when sync sends the row again it is looked up again
//
// Where the lookup `lags`, that it finds nobody proves nothing about a record that this project may have made
// within that time: a row that was delivered before, or may have been, waits until the search would show it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/lookup_reader.h"
#include "connectors/declarative/recent_creates.h"
#include "connectors/declarative/writer.h"

namespace eddy::connectors {

// How records are found; its parts belong to the spec.
struct BranchLookup {
  sync::Reading reading;
  const LookupSpec* lookup = nullptr;
};

// An operation that may be a branch: without `by_key` it is one like any other.
struct Branch {
  const OperationSpec* operation = nullptr;
  std::optional<BranchLookup> by_key;
  std::optional<BranchLookup> by_id;  // to look at a record that is in the way
};

class BranchWriter final : public sync::Writer {
 public:
  // `remove` without an operation: removals are not sent. `folder` of the connection, see RecentCreates.
  BranchWriter(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session, sync::Delivery delivery,
               Branch write, Branch remove, const std::filesystem::path& folder);

  sync::Limits limits() const override;
  sync::Answer deliver(std::span<const Change> changes) override;
  // Without looking: what is sent in either case.
  std::vector<std::string> preview(std::span<const Change> changes) override;
  bool inserts_are_repeatable() const override { return known_->inserts_are_repeatable(); }

 private:
  // One call of deliver().
  struct Round {
    std::span<const Change> changes;
    bool removal = false;
    const Branch& branch;
    RowIds ids;
    std::vector<std::size_t> found, missing;  // places in the changes
    sync::Answer answer;
    bool sent = false;                                             // something may have been applied
    std::optional<std::chrono::milliseconds> wait = std::nullopt;  // until the search shows what was made
  };
  const Branch& branch_for(std::span<const Change> changes) const;
  std::unique_ptr<LookupReader> reader(const BranchLookup& lookup) const;
  void look(Round& round);
  void sort(Round& round, std::size_t place, const LookupReader::Found& found);
  void sort_missing(Round& round, std::size_t place);
  // A search that lags may not show the record of this row yet: then how long it must wait.
  std::optional<std::chrono::milliseconds> hidden_for(const Change& change) const;
  void make(Round& round);
  void send(DeclarativeWriter& writer, Round& round, const std::vector<std::size_t>& places);
  // After the records that were not there have been made.
  void remember(const Round& round, Clock::MonotonicTime shown_from);
  void resolve_conflicts(Round& round);
  bool has_the_key(const Branch& branch, const Change& change, const std::string& id, Verdict& refusal) const;
  // False when another row of this run has that record.
  bool claim(const std::string& id, const Change& change, std::string& other);

  std::shared_ptr<const Spec> spec_;
  std::shared_ptr<Session> session_;
  sync::Delivery delivery_;
  Branch write_, remove_;
  std::unique_ptr<DeclarativeWriter> known_;  // of records that are there, and of operations without a branch
  std::unique_ptr<DeclarativeWriter> new_;    // nullptr: none are made
  std::optional<RecentCreates> recent_;       // where the lookup lags
  mutable std::mutex mutex_;                  // of what follows, by the key's text
  std::map<std::string, std::string> made_;   // the ids of records made in this run
  std::map<std::string, std::string> owners_;         // id: the key that has it
  std::map<std::string, Clock::MonotonicTime> lost_;  // made perhaps: when a search would show it
};

}  // namespace eddy::connectors
