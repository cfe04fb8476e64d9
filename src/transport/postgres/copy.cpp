#include "transport/postgres/copy.h"

#include <libpq-fe.h>

namespace eddy::postgres {
namespace {

// After COPY's end libpq hands out its result and then null; only then can the connection be used again.
Result drain(PGconn* connection, auto&& take) {
  pg_result* first = PQgetResult(connection);
  while (pg_result* more = PQgetResult(connection)) PQclear(more);
  return take(first);
}

}  // namespace

CopyIn::CopyIn(Connection& connection, std::string_view copy_statement) : connection_(connection) {
  connection_.exec(copy_statement);
  buffer_.reserve(buffer_bytes + 64 * 1024);
}

CopyIn::~CopyIn() {
  if (!open_ || !connection_.usable()) return;
  PGconn* raw = connection_.connection_.get();
  PQputCopyEnd(raw, "given up");
  while (pg_result* result = PQgetResult(raw)) PQclear(result);
}

void CopyIn::send() {
  if (buffer_.empty()) return;
  if (PQputCopyData(connection_.connection_.get(), buffer_.data(), static_cast<int>(buffer_.size())) != 1) {
    open_ = false;
    connection_.fail(nullptr);  // libpq says no here only when the wire is broken; the server's own errors
                                // wait for the end
  }
  buffer_.clear();
}

std::uint64_t CopyIn::finish() {
  send();
  open_ = false;
  PGconn* raw = connection_.connection_.get();
  if (PQputCopyEnd(raw, nullptr) != 1) connection_.fail(nullptr);
  return drain(raw, [&](pg_result* result) { return connection_.take(result); }).affected();
}

CopyOut::CopyOut(Connection& connection, std::string_view copy_statement) : connection_(connection) {
  connection_.exec(copy_statement);
}

CopyOut::~CopyOut() {
  if (line_ != nullptr) PQfreemem(line_);
  if (!open_) return;
  PGconn* raw = connection_.connection_.get();
  for (char* line = nullptr; PQgetCopyData(raw, &line, 0) > 0;) PQfreemem(line);
  while (pg_result* result = PQgetResult(raw)) PQclear(result);
}

std::optional<std::string_view> CopyOut::next() {
  if (!open_) return std::nullopt;
  if (line_ != nullptr) PQfreemem(line_);
  line_ = nullptr;
  PGconn* raw = connection_.connection_.get();
  const int length = PQgetCopyData(raw, &line_, 0);
  if (length > 0) return std::string_view(line_, static_cast<std::size_t>(length));
  open_ = false;
  drain(raw, [&](pg_result* result) { return connection_.take(result); });
  return std::nullopt;
}

}  // namespace eddy::postgres
