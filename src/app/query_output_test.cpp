#include "app/query_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <future>

#include "support/scratch.h"

namespace eddy::app {
namespace {

// stdout is a pipe for as long as it lives.
class PipedStdout {
 public:
  PipedStdout() : kept_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ::dup2(ends_[1], STDOUT_FILENO);
    ::close(ends_[1]);
  }
  ~PipedStdout() {
    std::fflush(stdout);
    ::dup2(kept_, STDOUT_FILENO);
    ::close(kept_);
    close_reading();
    std::clearerr(stdout);
  }
  std::string read(std::size_t bytes) const {
    std::string out;
    std::array<char, 65536> piece{};
    while (out.size() < bytes) {
      const ssize_t n = ::read(ends_[0], piece.data(), std::min(piece.size(), bytes - out.size()));
      if (n <= 0) break;
      out.append(piece.data(), static_cast<std::size_t>(n));
    }
    return out;
  }
  void close_reading() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  int kept_;
  std::array<int, 2> ends_{-1, -1};
};

std::string line(int number) { return std::to_string(number) + std::string(1'000, 'x') + "\n"; }

TEST(QueryOutput, KeepsWhatNobodyTakesYetInItsOrder) {
  const eddy::testing::Scratch scratch;
  constexpr int lines = 20'000;  // five times what stays in memory
  std::string expected;
  for (int i = 0; i < lines; ++i) expected += line(i);
  PipedStdout out;
  QueryOutput output(scratch / "spill");
  // All of it is handed over before anything is read.
  for (int i = 0; i < lines; ++i) ASSERT_TRUE(output.write(line(i)));
  auto reader = std::async(std::launch::async, [&] { return out.read(expected.size()); });
  output.finish();
  EXPECT_TRUE(reader.get() == expected);
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "spill"));
}

TEST(QueryOutput, EndsWhenNobodyWantsMore) {
  const eddy::testing::Scratch scratch;
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  {
    PipedStdout out;
    out.close_reading();
    QueryOutput output(scratch / "spill");
    for (int i = 0; output.write(line(i)); ++i) {
    }
    output.finish();
  }
  ::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace eddy::app
