#include "engine/setting.h"

#include "core/error.h"

namespace eddy::engine {

Setting::Setting(Connection& connection, std::string name, const std::string& value)
    : connection_(connection), name_(std::move(name)) {
  connection_.execute("set " + name_ + " = " + quote_literal(value));
}

Setting::~Setting() {
  try {
    connection_.execute("reset " + name_);
  } catch (const Error&) {
    // A transaction that has failed takes no statement any more; who made it ends it, and mostly the program.
  }
}

}  // namespace eddy::engine
