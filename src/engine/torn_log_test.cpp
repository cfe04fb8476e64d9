#include "engine/torn_log.h"

#include <gtest/gtest.h>

#include "core/files.h"
#include "engine/database.h"
#include "support/scratch.h"

namespace eddy::engine {
namespace {

namespace fs = std::filesystem;

// Three commits of 3,000 bytes each that stand only in the log, as a process that was killed leaves them.
class TornLogTest : public ::testing::Test {
 protected:
  TornLogTest() {
    auto database = Database::open(scratch_ / "live.duckdb", Options{});
    auto connection = database.connect();
    connection.execute("create table t(n bigint, words varchar); checkpoint");
    for (int n = 1; n <= 3; ++n) {
      connection.execute("insert into t values (" + std::to_string(n) + ", repeat('w', 3000))");
      ends_.push_back(fs::file_size(scratch_ / "live.duckdb.wal"));
    }
    fs::copy(scratch_ / "live.duckdb", file_);
    log_ = read_file(scratch_ / "live.duckdb.wal");
  }
  void put_log() { write_file_atomically(file_.string() + ".wal", log_); }
  std::int64_t rows() {
    auto database = Database::open(file_, Options{});
    auto connection = database.connect();
    return connection.query("select count(*) from t").scalar().as_integer();
  }

  testing::Scratch scratch_;
  fs::path file_ = scratch_ / "copy.duckdb";
  std::string log_;
  std::vector<std::size_t> ends_;  // of the log after each commit
};

TEST_F(TornLogTest, AHoleInWhatWasNeverDurableIsCutOff) {  // F3
  // The second commit's sectors were lost, the third's are there.
  log_.replace(4096, 2048, 2048, '\0');
  put_log();
  EXPECT_EQ(rows(), 1);
  const std::string cut = read_file(file_.string() + ".wal.torn");
  EXPECT_EQ(cut, log_.substr(log_.size() - cut.size()));
  EXPECT_GT(cut.size(), 4000U);
  EXPECT_EQ(rows(), 1);  // and it stays so
}

TEST_F(TornLogTest, AHoleThatHidesTheHeadOfAnEntryIsCutOff) {
  const std::size_t rest = log_.size() - ends_[1];
  log_.replace(ends_[1], rest, rest, '\0');
  put_log();
  EXPECT_EQ(rows(), 2);
}

TEST_F(TornLogTest, AFlippedBitIsDamageAndNothingIsCut) {
  log_[5000] ^= 4;
  put_log();
  try {
    rows();
    FAIL() << "it was opened";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "engine.open_failed");
    EXPECT_FALSE(log_is_torn(file_, e));
  }
  EXPECT_EQ(read_file(file_.string() + ".wal"), log_);
  EXPECT_FALSE(fs::exists(file_.string() + ".wal.torn"));
}

TEST_F(TornLogTest, AWholeLogIsLeftAlone) {
  put_log();
  EXPECT_EQ(rows(), 3);
  EXPECT_FALSE(fs::exists(file_.string() + ".wal.torn"));
}

}  // namespace
}  // namespace eddy::engine
