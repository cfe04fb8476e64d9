// COPY in text format, both ways, with large buffers. The Connection must outlive the object and is busy
// while it lives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transport/postgres/connection.h"

namespace eddy::postgres {

// Streams rows into `COPY … FROM STDIN`. The caller appends whole rows to buffer() — cells by
// append_copy_cell(), separated by tabs, ended by a newline — and calls row_done() after each. Memory: one
// buffer of about 256 KiB.
class CopyIn {
 public:
  CopyIn(Connection& connection, std::string_view copy_statement);
  ~CopyIn();  // without finish(): the COPY is cancelled, the connection stays usable (its transaction has
              // failed)
  CopyIn(const CopyIn&) = delete;
  CopyIn& operator=(const CopyIn&) = delete;

  std::string& buffer() { return buffer_; }
  void row_done() {
    if (buffer_.size() >= buffer_bytes) send();
  }
  // Ends the stream and waits for the server's judgement. Returns the rows copied. Throws PostgresError.
  std::uint64_t finish();

 private:
  static constexpr std::size_t buffer_bytes = 256 * 1024;
  void send();
  Connection& connection_;
  std::string buffer_;
  bool open_ = true;
};

// Reads the lines of `COPY … TO STDOUT`.
class CopyOut {
 public:
  CopyOut(Connection& connection, std::string_view copy_statement);
  ~CopyOut();  // before the end: the rest is read and thrown away
  CopyOut(const CopyOut&) = delete;
  CopyOut& operator=(const CopyOut&) = delete;
  // The next line with its newline, still escaped; valid until the next call. nullopt after the last.
  std::optional<std::string_view> next();

 private:
  Connection& connection_;
  char* line_ = nullptr;
  bool open_ = true;
};

}  // namespace eddy::postgres
