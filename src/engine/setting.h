// A setting of the engine for the time of a statement.
#pragma once

#include <string>

#include "engine/database.h"

namespace eddy::engine {

// Holds for the whole database, not for the connection alone; goes back to the engine's own value, at the
// latest when it dies. One of a name at a time.
class Setting {
 public:
  // Throws what the engine throws.
  Setting(Connection& connection, std::string name, const std::string& value);
  ~Setting();
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  Connection& connection_;
  const std::string name_;
};

}  // namespace eddy::engine
