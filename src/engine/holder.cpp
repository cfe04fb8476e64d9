#include "engine/holder.h"

namespace eddy::engine {

// The engine's words: `Could not set lock on file "x": Conflicting lock is held in /usr/bin/duckdb (PID 123)
// by user ada. See also …`. Where it cannot find out, the part after the colon is another.
std::optional<std::string> holder_of_file(const Error& error) {
  const std::string& message = error.message();
  if (message.find("Could not set lock on file") == std::string::npos) return std::nullopt;
  constexpr std::string_view held_in = "lock is held in ", with_pid = " (PID ";
  const auto from = message.find(held_in);
  const auto pid = message.find(with_pid, from == std::string::npos ? message.size() : from);
  const auto end = message.find(')', pid == std::string::npos ? message.size() : pid);
  if (end == std::string::npos) return "unknown process";
  const auto name = from + held_in.size(), number = pid + with_pid.size();
  return "pid " + message.substr(number, end - number) + ", " + message.substr(name, pid - name);
}

}  // namespace eddy::engine
