// What goes wrong in a run of the program: the C++ side of shim/shim.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace eddy::testing {

struct Fault {
  std::string action =
      {};                // before | after | half | lost | torn | full | error | signal; empty: only counting
  std::uint64_t at = 0;  // the number of the call at which it happens; 0: never
  std::uint64_t count = 0;  // full, error: how many calls fail; 0: all from there on
  int signal = 0;
  std::string below = {};  // only paths of the project that begin so: ".eddy/ledger"
  std::uint64_t seed = 0;
  std::uint64_t clock_seconds = 0;  // the wall clock jumps to and fro by up to so much
  std::uint64_t haste = 0;          // its monotonic clock runs so many times as fast, and its sleeps with it
  int port = 0;                     // what is sent to this port counts as well
};

// The environment that makes it happen to a program that works in `folder`. `aside` is a folder of the test
// on the same file system.
std::map<std::string, std::string> environment_of(const Fault& fault, const std::filesystem::path& folder,
                                                  const std::filesystem::path& aside);

// The last call the shim counted in that run.
struct LastCall {
  std::uint64_t number = 0;
  std::string name, file;
};
LastCall last_call(const std::filesystem::path& aside);

// EDDY_FAULTS=full: every n, every seed. Otherwise the part that `make test` has time for.
bool full_harness();
// EDDY_FAULTS_SEED, for trying others.
std::uint64_t harness_seed();

}  // namespace eddy::testing
