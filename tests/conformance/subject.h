// A subject is one destination under test, with its own private system behind it.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/change.h"
#include "sync/destination.h"

namespace eddy::conformance {

// An empty object, ready to be delivered to.
struct Target {
  std::string object;
  Schema key;
  Schema fields;  // at least one of type text
};

class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::unique_ptr<sync::Destination> destination() = 0;
  // key_columns: 1, or more where composite_keys() is true. Each call makes another object, or empties the
  // one there is.
  virtual Target make_object(std::size_t key_columns = 1) = 0;
  virtual bool composite_keys() const { return true; }
  // The n-th valid value for a key column; different n, different values.
  virtual Value key_value(const Column& column, int n) const;
  // Changes one cell so that the system refuses this row, and only because of its data.
  virtual void spoil(const Target& target, Change& change) const = 0;
  // What the system holds now, asked by another way than the destination's own code: a JSON array of objects,
  // one per record, with every key and field of the target as text (canonical(), below) or null.
  virtual nlohmann::json rows(const Target& target) = 0;
  // From now on the system does not answer, or refuses everybody.
  virtual void take_down() = 0;
  virtual bool supports(sync::Mode) const { return true; }
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
};

// One function per file.
NamedSubject postgres_subject();
NamedSubject sqlite_subject();

std::vector<NamedSubject> all_subjects();

// A destination from its settings as YAML, the way the app makes one.
std::unique_ptr<sync::Destination> make_destination(const sync::DestinationType& type,
                                                    const std::string& settings,
                                                    const std::filesystem::path& project);

}  // namespace eddy::conformance
