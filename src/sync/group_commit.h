// Group commit: many threads append records to one file, and one fdatasync makes the records of all who wait
// durable. While it runs, the next group gathers, so a slow disk makes larger groups instead of a queue.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace eddy::sync {

// write() until all is written, then fdatasync. Throws Error("sync.ledger_unwritable").
void write_durably(int fd, std::string_view bytes, const std::filesystem::path& file);

// Thread-safe, without a thread of its own: of those who wait for a group, one writes it for all (its
// leader). One mutex guards everything but the file, which belongs to the leader; there is at most one at a
// time.
class GroupCommit {
 public:
  // Makes the bytes of a group from its number (from 1) and its records.
  using Framing = std::function<std::string(std::uint32_t number, std::string_view records)>;
  // Takes over the file descriptor. `file` is for errors.
  GroupCommit(int fd, std::filesystem::path file, Framing framing);
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // Returns when the record is durable. Throws Error("sync.ledger_unwritable") once any group could not be
  // written; nothing after it is.
  void append(std::string_view record);
  void close();                  // nobody may be in append(), now or later
  std::uint64_t groups() const;  // written so far

 private:
  void lead(std::unique_lock<std::mutex>& lock);

  int fd_;
  std::filesystem::path file_;
  Framing framing_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable written_[2];  // groups with even and odd numbers: nobody is woken for another's
  std::string pending_;                 // the records of group number gathering_
  std::uint32_t gathering_ = 1;
  std::uint32_t groups_ = 0;  // the last one on disk
  bool led_ = false;          // a leader is writing
  std::string failure_;
};

}  // namespace eddy::sync
