// What binding a sync asks of the place where its model lives: Eddy's engine, or a warehouse of the user's
// own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sync/definition.h"

namespace eddy::sync {

class Binding {
 public:
  virtual ~Binding() = default;
  // The model's columns. Throws Error("sync.unknown_model").
  virtual std::vector<std::string> columns(const SyncSpec& spec) = 0;
  // Mappings that bind() will be asked for: one question may answer for all of them.
  virtual void look_ahead(const std::vector<Mapping>&, const std::string& /*from*/) {}
  // The mapping with its types; `from` is " from …" or "". Throws Error in the words of the place.
  virtual BoundColumn bind(const Mapping& mapping, const std::string& from) = 0;
  virtual Row constants(const std::vector<BoundColumn>& columns) = 0;
  virtual std::string hash_algorithm() = 0;  // of Definition
};

std::unique_ptr<Binding> engine_binding(warehouse::Session& session, engine::Connection& connection);
std::unique_ptr<Binding> remote_binding(const warehouse::OwnWarehouse& own);  // remote_binding.cpp

// SQL of an expression as a part of a larger one, whatever it ends with.
std::string guarded(const std::string& expression);
// sync.unknown_model, with a guess among `known`.
[[noreturn]] void unknown_model(const SyncSpec& spec, const std::vector<std::string>& known,
                                const std::string& otherwise);

}  // namespace eddy::sync
