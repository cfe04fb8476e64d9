// What a service has been given, object by object, record by record. Not thread-safe: a service is called
// under a lock.
#pragma once

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"

namespace eddy::sandbox {

using Json = nlohmann::json;

struct Record {
  std::string id;
  Json fields = Json::object();  // exactly the names the service uses; no null values
  Clock::WallTime created;
  Clock::WallTime updated;
  int writes = 0;  // how often it was written, the creation included
  bool operator==(const Record&) const = default;
};

// The text by which values are compared: strings as they are, numbers and booleans printed, null "".
std::string text_of(const Json& value);

// The records of one object in the order they were created.
class Table {
 public:
  struct Index {
    std::string field;
    bool fold_case = false;
  };
  using Records = std::map<std::uint64_t, Record>;  // by order of creation

  explicit Table(std::vector<Index> indexes = {});

  Record& add(std::string id, const Json& fields, Clock::WallTime now);
  // Merges; a null value removes the field.
  void change(Record& record, const Json& changes, Clock::WallTime now);
  bool remove(std::string_view id,
              std::optional<Clock::WallTime> now = {});  // without a time it is not remembered

  Record* by_id(std::string_view id);
  // Every record whose field has this text, in order of creation. By index when there is one.
  std::vector<Record*> find(std::string_view field, std::string_view value);
  Record* first(std::string_view field, std::string_view value);  // nullptr when none

  // Keeps what is changed or removed from now on for that long, so that `as_of` can tell it.
  void remember_for(std::chrono::milliseconds duration) { remembered_for_ = duration; }
  // The records in order of creation as they were then, as far as that is remembered. Good until the next
  // change.
  std::vector<const Record*> as_of(Clock::WallTime then) const;

  const Records& records() const { return records_; }
  Records& records() { return records_; }
  std::size_t size() const { return records_.size(); }
  void restore(Record record);  // as it was, at the end

 private:
  struct Lookup {
    Index index;
    std::unordered_multimap<std::string, std::uint64_t> places;
  };
  struct Former {
    Record record;
    Clock::WallTime until;
  };
  void remember(std::uint64_t place, Clock::WallTime now);
  static std::string fold(const Index& index, std::string_view text);
  void index_record(std::uint64_t place, const Record& record);
  void unindex_record(std::uint64_t place, const Record& record);

  Records records_;
  std::unordered_map<std::string, std::uint64_t> by_id_;
  std::vector<Lookup> lookups_;
  std::uint64_t next_place_ = 1;
  std::chrono::milliseconds remembered_for_{0};
  std::map<std::uint64_t, std::deque<Former>> former_;  // by place, oldest first
};

// All tables of one service.
class Store {
 public:
  void declare(const std::string& object, std::vector<Table::Index> indexes);
  Table& table(const std::string& object);                // made on first use
  void remember_for(std::chrono::milliseconds duration);  // all tables, those made later too
  const std::map<std::string, Table>& tables() const { return tables_; }
  std::uint64_t next_number() { return ++last_number_; }  // for ids; never given twice
  void clear();
  bool changed_since_saved = false;

  Json to_json() const;
  void from_json(const Json& saved);  // replaces everything

 private:
  std::map<std::string, Table> tables_;
  std::map<std::string, std::vector<Table::Index>> declared_;
  std::uint64_t last_number_ = 0;
  std::chrono::milliseconds remembered_for_{0};
};

// How a record is shown under /_sandbox: its fields, and _id, _created_at, _updated_at, _writes.
Json shown(const Record& record);

}  // namespace eddy::sandbox
