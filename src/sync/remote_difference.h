// What differs between a model in a warehouse of the user's own and the acknowledged snapshot.
#pragma once

#include "sync/difference.h"
#include "sync/remote.h"

namespace eddy::sync {

// Snapshots inside: the full outer join runs in the warehouse, in one moment of it; only the rows that differ
// come here, into temp table eddy_hits. Same contract as find_difference().
Difference find_difference_inside(const warehouse::OwnWarehouse& own, engine::Connection& connection,
                                  const Definition& definition, const Standing& standing, Extent extent);

// Snapshots outside: keys and hashes come here and are compared with the snapshot in the engine; then the
// values of the rows that differ are asked for by their keys. Inside one transaction of the dialect.
class RemoteModel {
 public:
  RemoteModel(warehouse::Dialect& dialect, engine::Connection& connection, const Definition& definition)
      : dialect_(dialect), c_(connection), definition_(definition) {}

  void bring_keys();  // temp table eddy_desired: k…, h
  void bring_rows();  // temp table eddy_desired: k…, v…, h
  // Temp table eddy_new: k…, v…, h of the `rows` keys in eddy_hits that are adds or changes.
  void bring_hits(std::uint64_t rows, std::uint64_t source);
  // As bring_rows(), of one key as a person types it: its text, or a JSON array of a composite one.
  void bring_rows_of(const std::string& typed);
  std::vector<InvalidExample> null_key_examples(std::size_t rows_max);

 private:
  std::uint64_t bring(const std::string& table, const std::string& select, bool values);
  std::string select(bool values) const;

  warehouse::Dialect& dialect_;
  engine::Connection& c_;
  const Definition& definition_;
};

}  // namespace eddy::sync
