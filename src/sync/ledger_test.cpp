#include "sync/ledger.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "core/files.h"
#include "sync/sync_bed.h"

namespace eddy::sync {
namespace {

using eddy::testing::Scratch;
using testing::code_of;

const LedgerHeader header{"people", "plan1", "run1", 7, 1'000'000, false};

struct Contents {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> intents;
  std::vector<RowVerdict> verdicts;
  std::optional<LedgerReading> reading;
};

Contents contents_of(const std::filesystem::path& file) {
  Contents out;
  out.reading = read_ledger(
      file, [&](std::uint64_t first, std::uint64_t n) { out.intents.emplace_back(first, n); },
      [&](const RowVerdict& v) { out.verdicts.push_back(v); });
  return out;
}

std::vector<RowVerdict> applied(std::uint64_t first, std::uint64_t n) {
  std::vector<RowVerdict> out;
  for (std::uint64_t i = 0; i < n; ++i) out.push_back({first + i, RowFate::applied, false, 1, "", "", ""});
  return out;
}

TEST(Ledger, ReadsBackWhatWasRecorded) {
  const Scratch scratch;
  const auto file = scratch / "l/people/run1.ledger";
  {
    Ledger ledger(file, header);
    ledger.intend(0, 100);
    ledger.record(applied(0, 90));
    ledger.record(std::vector<RowVerdict>{{90, RowFate::rejected, false, 3, "BAD", "bad näme", ""},
                                          {91, RowFate::applied, true, 1, "", "", "id-91"}});
    ledger.intend(std::vector<std::uint64_t>{5, 9});
    ledger.end();
  }
  const Contents c = contents_of(file);
  ASSERT_TRUE(c.reading);
  EXPECT_EQ(c.reading->header.plan_id, "plan1");
  EXPECT_EQ(c.reading->header.epoch, 7u);
  EXPECT_TRUE(c.reading->ended);
  EXPECT_EQ(c.reading->torn_bytes, 0u);
  EXPECT_EQ(c.intents, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 100}, {5, 1}, {9, 1}}));
  ASSERT_EQ(c.verdicts.size(), 92u);
  for (std::uint64_t i = 0; i < 90; ++i) EXPECT_EQ(c.verdicts[i].number, i);
  EXPECT_EQ(c.verdicts[90].message, "bad näme");
  EXPECT_EQ(c.verdicts[90].attempts, 3u);
  EXPECT_EQ(c.verdicts[91].destination_id, "id-91");
  EXPECT_TRUE(c.verdicts[91].created);
}

TEST(Ledger, WorkersThatWaitTogetherShareOneWrite) {
  const Scratch scratch;
  constexpr std::uint64_t workers = 8, batches = 200;
  std::uint64_t groups = 0;
  {
    Ledger ledger(scratch / "p/run.ledger", header);
    std::vector<std::jthread> threads;
    for (std::uint64_t w = 0; w < workers; ++w)
      threads.emplace_back([&, w] {
        for (std::uint64_t b = 0; b < batches; ++b) ledger.record(applied((w * batches + b) * 10, 10));
      });
    threads.clear();
    ledger.close();
    groups = ledger.groups();
  }
  EXPECT_LE(groups, workers * batches);
  EXPECT_EQ(contents_of(scratch / "p/run.ledger").verdicts.size(), workers * batches * 10);
}

// Every prefix of the file is what a killed writer may have left: it reads, and never invents a verdict.
TEST(Ledger, ATornTailIsCutOffAtEveryByte) {
  const Scratch scratch;
  const auto file = scratch / "p/run.ledger";
  std::vector<std::size_t> sizes;
  {
    Ledger ledger(file, header);
    sizes.push_back(std::filesystem::file_size(file));
    for (std::uint64_t i = 0; i < 5; ++i) {
      ledger.record(std::vector<RowVerdict>{{i, RowFate::rejected, false, 1, "C", "m", ""}});
      sizes.push_back(std::filesystem::file_size(file));
    }
  }
  const std::string bytes = read_file(file);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = scratch.write("cut.ledger", bytes.substr(0, size));
    const Contents c = contents_of(cut);
    const auto whole =
        static_cast<std::size_t>(std::upper_bound(sizes.begin(), sizes.end(), size) - sizes.begin());
    ASSERT_EQ(c.reading.has_value(), whole > 0) << size;
    ASSERT_EQ(c.verdicts.size(), whole == 0 ? 0 : whole - 1) << size;
  }
}

TEST(Ledger, DamageBeforeTheLastGroupIsRefused) {
  const Scratch scratch;
  const auto file = scratch / "p/run.ledger";
  std::size_t last = 0;
  {
    Ledger ledger(file, header);
    for (std::uint64_t i = 0; i < 4; ++i) {
      last = std::filesystem::file_size(file);
      ledger.record(std::vector<RowVerdict>{{i, RowFate::rejected, false, 1, "CODE", "message", ""}});
    }
  }
  const std::string bytes = read_file(file);
  for (std::size_t at = 0; at < last; ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    EXPECT_EQ(code_of([&] { contents_of(scratch.write("bad.ledger", flipped)); }), "sync.ledger_damaged")
        << at;
  }
  std::string without = bytes;  // a whole group is gone
  without.erase(last - (bytes.size() - last), bytes.size() - last);
  EXPECT_EQ(code_of([&] { contents_of(scratch.write("gap.ledger", without)); }), "sync.ledger_damaged");
}

TEST(Ledger, AFullDiskIsSaidToEveryWorker) {
  EXPECT_EQ(code_of([] { Ledger ledger("/dev/null/people/run.ledger", header); }), "sync.ledger_unwritable");
  const Scratch scratch;
  Ledger ledger(scratch / "p/run.ledger", header);
  ledger.record(applied(0, 1));
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit tight{1'000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  const std::vector<RowVerdict> large = {{1, RowFate::rejected, false, 1, "C", std::string(5'000, 'm'), ""}};
  EXPECT_EQ(code_of([&] { ledger.record(large); }), "sync.ledger_unwritable");
  EXPECT_EQ(code_of([&] { ledger.record(applied(2, 1)); }), "sync.ledger_unwritable");
  setrlimit(RLIMIT_FSIZE, &before);
  ledger.close();
  EXPECT_EQ(contents_of(scratch / "p/run.ledger").verdicts.size(), 1u);
}

}  // namespace
}  // namespace eddy::sync
