#include "app/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/clock.h"
#include "core/secrets.h"
#include "core/text.h"

namespace eddy::app {

Terminal::Terminal(bool wants_color) {
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  const bool able = term != nullptr && std::strcmp(term, "dumb") != 0;
  const bool color = wants_color && able && (no_color == nullptr || *no_color == '\0');
  out_terminal_ = ::isatty(STDOUT_FILENO) != 0;
  out_color_ = color && out_terminal_;
  err_color_ = color && ::isatty(STDERR_FILENO) != 0;
  err_live_ = able && ::isatty(STDERR_FILENO) != 0;
}

std::string Terminal::styled(bool color, Style style, std::string_view text) {
  if (!color || style == Style::plain) return std::string(text);
  constexpr const char* codes[] = {"0", "1", "2", "32", "33", "31", "36"};
  return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(style)], text);
}

int Terminal::width() const {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

void print_out(std::string_view text) {
  const std::string safe = redact(text);
  std::fwrite(safe.data(), 1, safe.size(), stdout);
  std::fflush(stdout);
}

void print_err(std::string_view text) {
  const std::string safe = redact(text);
  std::fwrite(safe.data(), 1, safe.size(), stderr);
}

namespace {

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

class JsonProgress final : public Progress {
 public:
  void started(std::string_view node) override { emit({{"type", "node_started"}, {"node", node}}); }
  void advanced(std::string_view, std::uint64_t) override {}
  void finished(std::string_view node, NodeStatus status, std::uint64_t rows,
                std::string_view summary) override {
    emit({{"type", "node_finished"},
          {"node", node},
          {"status", name_of(status)},
          {"rows", rows},
          {"summary", summary}});
  }
  void note(std::string_view message) override { emit({{"type", "note"}, {"message", message}}); }

 private:
  void emit(nlohmann::json event) {
    event["@timestamp"] = format_utc(system_clock().now());
    const std::lock_guard lock(mutex_);
    print_out(event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  std::mutex mutex_;
};

// Lines of finished nodes scroll by; below them, on a terminal, one line per running node is drawn again ten
// times a second.
class PeopleProgress final : public Progress {
 public:
  PeopleProgress(const Terminal& terminal, bool failures_only)
      : terminal_(terminal), failures_only_(failures_only) {
    if (terminal_.err_is_live() && !failures_only_)
      painter_ = std::jthread([this](const std::stop_token& stop) { paint_until(stop); });
  }
  ~PeopleProgress() override {
    if (painter_.joinable()) {
      painter_.request_stop();
      wake_.notify_all();
      painter_.join();
    }
    const std::lock_guard lock(mutex_);
    erase();
  }

  void started(std::string_view node) override {
    const std::lock_guard lock(mutex_);
    running_.push_back({std::string(node), 0, std::chrono::steady_clock::now()});
  }

  void advanced(std::string_view node, std::uint64_t rows) override {
    const std::lock_guard lock(mutex_);
    for (Running& r : running_)
      if (r.node == node) r.rows = rows;
  }

  void finished(std::string_view node, NodeStatus status, std::uint64_t rows,
                std::string_view summary) override {
    const std::lock_guard lock(mutex_);
    double seconds = 0;
    running_.remove_if([&](const Running& r) {
      if (r.node != node) return false;
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - r.since).count();
      return true;
    });
    if (failures_only_ && status != NodeStatus::failed && status != NodeStatus::held) return;
    std::string text(summary);
    if (text.empty()) text = with_commas(rows) + " rows";
    erase();
    print_err(fmt::format(
        "{}  {}  {:<44} {}{}\n", terminal_.err_style(Style::dim, time_of_day()), label(status), node, text,
        seconds >= 0.05 ? terminal_.err_style(Style::dim, fmt::format("  {:.1f}s", seconds)) : ""));
    paint();
  }

  void note(std::string_view message) override {
    const std::lock_guard lock(mutex_);
    erase();
    print_err(fmt::format("{}  {}\n", terminal_.err_style(Style::dim, time_of_day()), message));
    paint();
  }

 private:
  struct Running {
    std::string node;
    std::uint64_t rows;
    std::chrono::steady_clock::time_point since;
  };

  std::string label(NodeStatus status) const {
    switch (status) {
      case NodeStatus::ok:
        return terminal_.err_style(Style::green, "OK  ");
      case NodeStatus::failed:
        return terminal_.err_style(Style::red, "FAIL");
      case NodeStatus::skipped:
        return terminal_.err_style(Style::dim, "SKIP");
      case NodeStatus::warned:
        return terminal_.err_style(Style::yellow, "WARN");
      case NodeStatus::held:
        return terminal_.err_style(Style::yellow, "HELD");
      case NodeStatus::interrupted:
        return terminal_.err_style(Style::yellow, "STOP");
    }
    return {};
  }

  void paint_until(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      erase();
      paint();
      wake_.wait_for(lock, std::chrono::milliseconds{100});
    }
  }

  void erase() {
    for (; painted_ > 0; --painted_) std::fputs("\x1b[1A\x1b[2K", stderr);
  }

  void paint() {
    if (!painter_.joinable()) return;
    const int width = terminal_.width();
    for (const Running& r : running_) {
      const double seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - r.since).count();
      std::string line = fmt::format("  … {:<44}", r.node);
      if (r.rows > 0)
        line += fmt::format(
            " {} rows  {}/s", with_commas(r.rows),
            with_commas(static_cast<std::uint64_t>(static_cast<double>(r.rows) / std::max(seconds, 0.001))));
      line += fmt::format("  {:.1f}s", seconds);
      if (line.size() > static_cast<std::size_t>(width)) line.resize(static_cast<std::size_t>(width));
      print_err(line + "\n");
      ++painted_;
    }
    std::fflush(stderr);
  }

  const Terminal& terminal_;
  const bool failures_only_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::list<Running> running_;
  int painted_ = 0;
  std::jthread painter_;
};

}  // namespace

std::unique_ptr<Progress> make_progress(ProgressForm form, const Terminal& terminal) {
  if (form == ProgressForm::json) return std::make_unique<JsonProgress>();
  return std::make_unique<PeopleProgress>(terminal, form == ProgressForm::quiet);
}

}  // namespace eddy::app
