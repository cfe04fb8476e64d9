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
#include <thread>

namespace eddy::sync {

// write() until all is written, then fdatasync. Throws Error("sync.ledger_unwritable").
void write_durably(int fd, std::string_view bytes, const std::filesystem::path& file);

// Thread-safe; has one thread of its own. Everything but the file itself is guarded by one mutex; the file is
// touched by the own thread only, until close() has joined it.
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
  void close();                  // waits for what is pending; append() must not be called afterwards
  std::uint64_t groups() const;  // written so far

 private:
  void write_groups();

  int fd_;
  std::filesystem::path file_;
  Framing framing_;
  mutable std::mutex mutex_;
  std::condition_variable pending_changed_, room_;
  std::condition_variable durable_[2];  // of groups with even and odd numbers: nobody is woken for another's
  std::string pending_;                 // the records of group number gathering_
  std::uint32_t gathering_ = 1;
  std::uint32_t groups_ = 0;  // the last one on disk
  std::string failure_;
  bool closing_ = false;
  std::thread writer_;
};

}  // namespace eddy::sync
