#include "fault.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace eddy::testing {

std::map<std::string, std::string> environment_of(const Fault& fault, const std::filesystem::path& folder,
                                                  const std::filesystem::path& aside) {
  std::filesystem::create_directories(aside);
  std::filesystem::remove(aside / "last_call");
  // Without a slash at the end: fsync of the folder itself counts as well.
  const auto whole = std::filesystem::canonical(folder);
  const std::string watched = fault.below.empty() ? whole.string() : (whole / fault.below).string();
  std::map<std::string, std::string> environment = {
      {"LD_PRELOAD", EDDY_BINARY_DIR "/lib/libeddy_faults_shim.so"},
      {"EDDY_FAULT_FOLDER", watched},
      {"EDDY_FAULT_REPORT", (aside / "last_call").string()},
      {"EDDY_FAULT_SCRATCH", aside.string()}};
  const auto put = [&](const char* name, std::uint64_t value) {
    if (value != 0) environment[name] = std::to_string(value);
  };
  if (!fault.action.empty()) environment["EDDY_FAULT_ACTION"] = fault.action;
  put("EDDY_FAULT_AT", fault.at);
  put("EDDY_FAULT_COUNT", fault.count);
  put("EDDY_FAULT_SIGNAL", static_cast<std::uint64_t>(fault.signal));
  put("EDDY_FAULT_SEED", fault.seed);
  put("EDDY_FAULT_CLOCK", fault.clock_seconds);
  put("EDDY_FAULT_HASTE", fault.haste);
  put("EDDY_FAULT_PORT", static_cast<std::uint64_t>(fault.port));
  return environment;
}

LastCall last_call(const std::filesystem::path& aside) {
  std::ifstream in(aside / "last_call");
  LastCall call;
  in >> call.number >> call.name;
  std::getline(in >> std::ws, call.file);
  return call;
}

bool full_harness() {
  const char* wanted = std::getenv("EDDY_FAULTS");
  return wanted != nullptr && std::string_view(wanted) == "full";
}

std::uint64_t harness_seed() {
  const char* seed = std::getenv("EDDY_FAULTS_SEED");
  return seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10);
}

}  // namespace eddy::testing
