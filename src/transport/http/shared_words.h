// A few 64-bit words and some flags that processes share through a small file; without a file they belong to
// this object alone.
//
// Nothing of a dead process stays behind: locks and flags are open-file-description locks (fcntl(2),
// F_OFD_SETLK), which the kernel drops when the process ends, however it ends. The file is read and written
// with pread and pwrite, never mapped, so that somebody who cuts it short cannot raise SIGBUS here. It need
// not survive a reboot, so it is never synced; the id of the boot is part of its head, unless its words are
// `lasting`: then they are read again after a reboot, or anew when it tore them. A damaged, foreign or
// deleted file is made anew; where that cannot be done (read-only folder, a holder that was stopped in the
// middle), the object goes on alone: limits are then kept within this process, and the service's own refusals
// do the rest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <vector>

namespace eddy::http {

// Thread-safe: the mutex excludes the threads of this process (which share one file description, and would
// not exclude each other by file locks), the file lock excludes the other processes.
class SharedWords {
 public:
  enum class Life { boot, lasting };
  // `count` words, all 0 at first. `shape` names their meaning: processes whose words mean something else do
  // not share them. Empty `file`: private. Never throws for what the file system does.
  SharedWords(std::filesystem::path file, std::uint64_t shape, std::size_t count, Life life = Life::boot);
  ~SharedWords();
  SharedWords(const SharedWords&) = delete;
  SharedWords& operator=(const SharedWords&) = delete;

  // All words for one holder at a time, in this process and in all others. Held for microseconds: no
  // sleeping, no wire. A holder that is killed in between leaves words that are each old or new, never torn.
  class Held {
   public:
    explicit Held(SharedWords& owner);
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    std::int64_t get(std::size_t index) const;
    void set(std::size_t index, std::int64_t value);

   private:
    SharedWords& owner_;
    std::unique_lock<std::mutex> lock_;
  };

  // Flag number `index` for this object; false when another process has it. Not for two threads of this
  // process to compete for: the owner keeps count itself. drop_flag() gives it back.
  bool raise_flag(std::size_t index);
  void drop_flag(std::size_t index);

  bool shared() const;  // a file is in use

 private:
  void open_file();
  void lock_file();
  bool file_is_ours() const;
  void make_anew();
  void go_alone();

  const std::filesystem::path file_;
  const std::uint64_t shape_;
  const std::size_t count_;
  const std::int64_t boot_;   // 0: any
  mutable std::mutex mutex_;  // guards what follows, and the file against this process's threads
  int fd_ = -1;
  std::vector<std::int64_t> own_;  // the words while there is no file
};

}  // namespace eddy::http
