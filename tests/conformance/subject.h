// A subject is one destination under test, with its own private system behind it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/change.h"
#include "sync/destination.h"

namespace eddy::conformance {

// An empty object, ready to be delivered to.
struct Target {
  std::string object;
  Schema key;
  Schema fields;                          // the first one of type text takes any text
  std::set<std::string> required = {};    // of the fields: no record can be without them; of type text
  std::set<std::string> other_keys = {};  // of the fields: could identify a record as well
};

class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::unique_ptr<sync::Destination> destination() = 0;
  virtual config::Node options() const { return {}; }  // of the sync
  // Each call makes another object, or empties the one there is. key_columns: 1, or 2 where composite keys
  // are not waived.
  virtual Target make_object(std::size_t key_columns = 1) = 0;
  // The n-th valid value for a key column; different n, different values.
  virtual Value key_value(const Column& column, int n) const;
  // Changes one cell so that the system refuses this row, and only because of its data.
  virtual void spoil(const Target& target, Change& change) const = 0;
  // What the system holds now, asked by another way than the destination's own code: a JSON array of objects,
  // one per record, with every key and field of the target as text (canonical(), below) or null.
  virtual nlohmann::json rows(const Target& target) = 0;
  // From now on the system does not answer, or refuses everybody.
  virtual void take_down() = 0;
  // The next request that writes is carried out, but its answer never arrives.
  virtual void lose_the_next_answer() { throw std::logic_error("this subject cannot lose an answer"); }
  virtual bool supports(sync::Removal removal) const { return removal != sync::Removal::archive; }
};

// The text that rows() uses for a value: to_text(), but blobs as base64, JSON reprinted, non-finite reals as
// Infinity, -Infinity, NaN.
std::string canonical(const Value& value);

struct NamedSubject {
  std::string name;  // letters and digits
  std::function<bool()> available;
  std::string missing;  // what to say when it is not available
  std::function<std::unique_ptr<Subject>()> make;
  // Tests of the suite that say nothing about this system, each with the reason. They are shown as skipped.
  std::map<std::string, std::string> waivers = {};
};

// One function per file.
NamedSubject mysql_subject();
NamedSubject postgres_subject();
NamedSubject sqlite_subject();
std::vector<NamedSubject> files_subjects();
std::vector<NamedSubject> webhook_subjects();
std::vector<NamedSubject> saas_subjects();  // the declarative connectors, each before its own eddy-sandbox

std::vector<NamedSubject> all_subjects();

// A destination from its settings as YAML, the way the app makes one.
std::unique_ptr<sync::Destination> make_destination(const sync::DestinationType& type,
                                                    const std::string& settings,
                                                    const std::filesystem::path& project);

}  // namespace eddy::conformance
