// What a query prints, apart from whoever reads it: a thread writes to stdout, and rows that nobody takes yet
// wait in memory, and beyond that in a file. So a query ends, and lets go of the data, when it has computed
// its result, however slowly that is read.
//
// Thread rule: one thread calls write() and finish().
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace eddy::app {

class QueryOutput {
 public:
  // `folder`: where the file is made when it is needed. It has no name there and ends with the process.
  explicit QueryOutput(std::filesystem::path folder);
  ~QueryOutput();  // what was not yet printed is not printed any more, unless finish() was called
  QueryOutput(const QueryOutput&) = delete;
  QueryOutput& operator=(const QueryOutput&) = delete;

  // Redacts. False: stdout was closed, nobody wants more. Throws Error("query.no_room").
  bool write(std::string_view text);
  void finish();  // waits until all of it is printed. Throws Error("query.no_room")

 private:
  void print();
  void put_into_file(std::string_view text);
  std::string take();

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string memory_;  // older than what is in the file
  int file_ = -1;
  std::uint64_t file_begin_ = 0, file_end_ = 0;  // bytes of it that wait
  bool ended_ = false, closed_ = false, unreadable_ = false;
  std::jthread printer_;  // last: it uses all the others
};

}  // namespace eddy::app
