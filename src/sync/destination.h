// What sync asks of a destination. One suite of tests (tests/conformance) runs over every implementation.
//
// The life of a delivery: the app makes a Destination from a connection; sync reads describe() to check the
// mapping, opens one Writer for one run of one sync, and calls deliver() from several worker threads until
// the plan is sent.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/shape.h"
#include "core/cancel.h"
#include "core/change.h"
#include "core/clock.h"

namespace eddy::sync {

enum class Mode {
  upsert,
  update,
  insert
};  // update never creates; insert never looks for an existing record
// What a destination does with delivered rows that have left the model. What else `removed:` can say
// (sync_spec.h) reaches it as updates.
enum class Removal { ignore, erase, archive };
std::string_view name_of(Mode mode);

struct FieldSchema {
  std::string name;
  Type type = Type::text;
  std::string native_type = {};  // the destination's own word: "picklist", "VARCHAR(80)"
  bool required = false;         // needed to create a record
  bool writable = true;
  bool key = false;                       // can identify a record
  std::size_t length_max = 0;             // characters; 0: no limit known
  std::vector<std::string> options = {};  // allowed values; empty: any
  bool unique = true;  // of a key: no two records there share a value; otherwise several matches are a reject
  bool operator==(const FieldSchema&) const = default;
};

struct ObjectSchema {
  std::string name;
  std::vector<FieldSchema> fields;
  bool open = false;  // fields not listed here may exist (the service describes only a part, or accepts any)
  bool operator==(const ObjectSchema&) const = default;
};

// What is asked of records that are there already.
struct Reading {
  std::string object;
  Schema key;     // destination fields that match a record; at least one
  Schema fields;  // what to read, with the type in which it is wanted; may be empty: only whether it is there
  config::Node options;  // the sync's `options:` map; may be missing
};

// The answer for one key.
struct Record {
  std::size_t matches = 0;  // 0: there is none; more than 1: the key does not tell them apart
  std::string id;           // the destination's own id of the first match; "" when it has none
  Row fields;               // of the first match, one per asked field, null where empty; no cells without one
};

// What one sync wants written; fixed for the run.
struct Delivery {
  std::string object;
  Mode mode = Mode::upsert;
  Removal removed = Removal::ignore;
  Schema key;     // destination fields that match a record, with the type of their values; at least one
  Schema fields;  // the other destination fields, with the type of their values; may be empty
  config::Node
      options;       // the sync's `options:` map, checked against DestinationType::options; may be missing
  std::string sync;  // name of the sync: for staging tables, idempotency keys and logs
  std::uint64_t rows = 0;  // in the plan that is to be delivered; 0: nobody knows yet
  std::string plan = {};   // its id; "" when there is none: a record that a lookup makes
  // Rows of it that may have arrived before -> the occasion on which they did (occasions.h).
  std::shared_ptr<const std::map<std::uint64_t, std::string>> sent_before = nullptr;
  bool first = false;  // nothing is known to be delivered: it never was, or all of it was forgotten
};

// Sync never sends more than this at once. 0 means no limit.
struct Limits {
  std::size_t batch_rows_max = 100;
  std::size_t batch_bytes_max = 0;  // of the rows' text, before the destination's own encoding
  std::size_t workers_max = 1;      // deliver() is called by at most so many threads at a time
  std::size_t removes_max = 0;      // rows of a batch of removes; 0: as batch_rows_max
};

struct Answer {
  std::vector<Verdict> verdicts;  // exactly one per change, in the order of the changes
  // The destination refused the request as a whole because of some row in it, and applied nothing. Sync then
  // halves the batch until the bad row stands alone; the verdicts are used only when the batch was a single
  // row.
  bool refused_whole = false;
  // With Outcome::retry: do not send to this destination before so long. Otherwise sync backs off by itself.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
  // With Outcome::retry for every row: nothing left this machine, because a limit had to be kept. That is no
  // attempt.
  bool held_back = false;
  // What a person who looks on should know of ("bulk jobs are not enabled: one call per row"). Sync tells
  // each once in a run. Secrets redacted.
  std::vector<std::string> notes = {};
};

class Writer {
 public:
  virtual ~Writer() = default;
  virtual Limits limits() const = 0;
  // Sends a batch: either only removes, or only adds and changes; no key twice; never two batches with one
  // key at a time. Thread-safe up to limits().workers_max. Wire failures are verdicts, not exceptions:
  // nothing was applied -> retry, may have been applied -> in_doubt. Throws Error only when going on is
  // pointless (credentials refused, object gone, disk full); nothing of that batch was applied then.
  virtual Answer deliver(std::span<const Change> changes) = 0;
  // The bodies that deliver() would send, for people: one text per request, secrets redacted. Sends nothing.
  virtual std::vector<std::string> preview(std::span<const Change> changes) = 0;
  // With mode insert: true when sending an add again cannot make a second record, because it carries a key
  // by which the destination knows it (sync::idempotency_key). The other modes may always be repeated.
  virtual bool inserts_are_repeatable() const { return false; }
  // After the last batch of a run that was not interrupted: release staging tables and the like.
  virtual void finish() {}
};

// Reads records by their keys: for `write: if_empty` and `on_create`, lookups, rows in doubt, and drift.
// Changes nothing. One thread at a time.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::size_t keys_max() const = 0;  // per call of read()
  // One Record per key, in order. Throws Error("destination.unavailable") when asking again later may help,
  // another Error when it does not.
  virtual std::vector<Record> read(std::span<const Row> keys) = 0;
};

// What a connection's credentials must allow.
struct Permission {
  std::string what;  // "write contacts"
  bool granted = true;
  std::string missing = {};  // what is missing, and where to get it
};

class Destination {
 public:
  virtual ~Destination() = default;
  // For `eddy doctor`: reach it, log in, change nothing. Returns one line for people ("PostgreSQL 15.20,
  // database crm"). Throws Error that says what to do.
  virtual std::string check() = 0;
  // What check() has looked at, one by one; asks the destination. Throws as check() does, but not for what is
  // missing. Empty: it cannot be told apart from the rest.
  virtual std::vector<Permission> permissions() { return {}; }
  virtual std::vector<std::string>
  objects() = 0;  // names that describe() knows; may be partial where unbounded
  // nullopt: the destination has no such object. Throws Error when it cannot be asked.
  virtual std::optional<ObjectSchema> describe(const std::string& object) = 0;
  // From now on objects() and describe() ask the destination itself, where they have answered from what was
  // kept of it (schema_cache.h). True when that may change an answer already given.
  virtual bool ask_anew() { return false; }
  // True when describe() cannot tell for a sync with these options, because open() makes the object or finds
  // it elsewhere: open() alone then checks object and fields.
  virtual bool checked_by_open(const config::Node&) const { return false; }
  // Checks that the delivery can be done (mode, key) and prepares it. Throws Error("destination.…").
  virtual std::unique_ptr<Writer> open(const Delivery& delivery) = 0;
  // True when a former delivery was acknowledged but not finished (Writer::finish), because its run was
  // killed: sync then opens a writer and finishes it, also when there is nothing to send.
  virtual bool unfinished(const Delivery&) { return false; }
  // nullptr: records of that object cannot be read by that key. Throws Error("destination.…").
  virtual std::unique_ptr<Reader> reader(const Reading&) { return nullptr; }
};

// For destinations that recognise what they have been sent before (Idempotency-Key, messageId, insertId): 64
// hex digits. With mode insert they name the row of this sync for ever, as it is inserted once. Otherwise
// they name this change of it: the same when it is sent again because it may have arrived, in this run or
// after a crash in the next, and another one whenever the row has changed anew (occasions.h).
std::string idempotency_key(const Delivery& delivery, const Change& change);

// What a connector may touch besides its own wire.
struct Surroundings {
  Clock& clock;
  const Cancel& cancel;
  std::filesystem::path project;  // relative paths in a connection are relative to this folder
  // Where processes on this project share what they know of this connection's limits
  // (transport/http/pacing.h), and the connection's name there. Empty: nothing is shared with other
  // processes.
  std::filesystem::path pace_folder = {};
  std::string connection = {};
  // Where a destination keeps what it must know after a crash, in <jobs_folder>/<connection>. Empty: it
  // cannot.
  std::filesystem::path jobs_folder = {};
};

// How one connection type is announced: one line per compiled connector in app/registry.cpp, one folder per
// declarative one.
struct DestinationType {
  std::string type;        // "hubspot", as in `type:` of connections.yml
  std::string summary;     // one line
  config::Shape settings;  // of the connection, without `type`
  config::Shape options;   // of the sync's `options:`; an object shape, perhaps without fields
  std::function<std::unique_ptr<Destination>(const config::Node& settings, const Surroundings&)> make;
};

}  // namespace eddy::sync
