// The sandbox's own pages under /_sandbox, the same on every port: what was received, what was asked, faults,
// reset.
#pragma once

#include <functional>
#include <vector>

#include "sandbox/door.h"

namespace eddy::sandbox {

// Thread-safe as its parts are.
class Desk {
 public:
  // `restart` brings everything back to how it was started, without records.
  Desk(std::vector<Door*> doors, Faults& faults, std::function<void()> restart);
  static bool is_for(const IncomingRequest& request);  // /_sandbox…
  Reply handle(const IncomingRequest& request);

 private:
  Reply summary() const;
  Reply stats() const;
  Reply change_faults(const IncomingRequest& request);
  Reply show_records(Door& door, const std::string& object, const IncomingRequest& request);
  Reply add_records(Door& door, const std::string& object, const IncomingRequest& request);
  Door* door_named(const std::string& name) const;

  std::vector<Door*> doors_;
  Faults& faults_;
  std::function<void()> restart_;
};

}  // namespace eddy::sandbox
