// eddy: see ARCHITECTURE.md for the way through the code.
#include <csignal>

#include "app/commands.h"

namespace {

eddy::Cancel cancel;

// The first Ctrl-C lets what is in flight finish; the second ends the process as the shell expects.
extern "C" void on_signal(int signal) {
  cancel.request();
  std::signal(signal, SIG_DFL);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe or socket is an error value, not a death
  return eddy::app::run_command_line(argc, argv, cancel);
}
