// The ids of another object's records, by their key: `lookup: {object: companies, by: domain}`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "sync/definition.h"
#include "sync/destination.h"

namespace eddy::sync {

// One looked-up field of one run; keeps what it has found. One thread at a time.
class Lookup {
 public:
  // Throws Error("sync.cannot_read") when the destination cannot read that object by that field.
  Lookup(Destination& destination, const Definition& definition, const BoundColumn& field,
         const config::Node& options);

  // Puts the id in the place of the key, in the rows that write this field. A row whose key is not found is
  // rejected ("lookup.not_found"), gets null, or has the record made first, as `on_miss` says; one whose key
  // is not unique there is rejected ("lookup.ambiguous"). With `only_look` nothing is made, and what would be
  // stands as null. Throws what Reader::read throws.
  void resolve(std::vector<Change>& changes, std::size_t field, std::vector<std::optional<Verdict>>& settled,
               bool only_look = false);

 private:
  void find(const std::vector<Value>& keys);
  void make(const std::vector<Value>& keys);

  const LookupSpec spec_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;           // of on_miss: create
  std::map<std::string, Record> known_;      // by the key's text
  std::map<std::string, Verdict> not_made_;  // why a record could not be made
};

}  // namespace eddy::sync
