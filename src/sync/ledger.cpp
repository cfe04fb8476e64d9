#include "sync/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "sync/ledger_format.h"

namespace eddy::sync {

using namespace ledger_format;

namespace {

// Creates the file with its header, durably with its folder entry.
int create(const std::filesystem::path& file, std::string_view header) {
  std::error_code ignored;  // open() below says what is wrong
  std::filesystem::create_directories(file.parent_path(), ignored);
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0)
    throw Error("sync.ledger_unwritable",
                fmt::format("cannot create {}: {}", file.string(), std::strerror(errno)),
                "check the folder's permissions and free space");
  try {
    write_durably(fd, frame(0, 0, header), file);
    sync_path(file.parent_path());
    sync_path(file.parent_path().parent_path());
  } catch (...) {
    ::close(fd);
    throw;
  }
  return fd;
}

void put_intent(std::string& out, std::uint64_t first, std::uint64_t count) {
  put(out, static_cast<std::uint8_t>(kind_intent));
  put(out, first);
  put(out, count);
}

// Applied, and nothing to say about it: rows like these, one after another, are written as one record.
bool silent(const RowVerdict& v) {
  return v.fate == RowFate::applied && v.code.empty() && v.message.empty() && v.destination_id.empty();
}
}  // namespace

Ledger::Ledger(std::filesystem::path file, const LedgerHeader& header) {
  const std::string payload = header_payload(header);
  const int fd = create(file, payload);
  commits_.emplace(fd, std::move(file),
                   [salt = crc32c(payload)](std::uint32_t number, std::string_view records) {
                     return frame(number, salt, records);
                   });
}

void Ledger::record(std::span<const RowVerdict> verdicts) {
  if (verdicts.empty()) return;
  std::string out;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const RowVerdict& v = verdicts[i];
    std::size_t end = i;
    while (end < verdicts.size() && silent(verdicts[end]) && verdicts[end].number == v.number + (end - i) &&
           verdicts[end].created == v.created && verdicts[end].attempts == v.attempts)
      ++end;
    if (end > i + 1) {
      put(out, static_cast<std::uint8_t>(kind_applied_run));
      put(out, v.number);
      put(out, static_cast<std::uint64_t>(end - i));
      put(out, static_cast<std::uint8_t>(v.created));
      put(out, v.attempts);
      i = end - 1;
      continue;
    }
    put(out, static_cast<std::uint8_t>(kind_verdict));
    put(out, v.number);
    put(out, static_cast<std::uint8_t>(v.fate));
    put(out, static_cast<std::uint8_t>(v.created));
    put(out, v.attempts);
    put_text(out, v.code);
    put_text(out, v.message);
    put_text(out, v.destination_id);
  }
  commits_->append(out);
}

void Ledger::intend(std::uint64_t first, std::uint64_t count) {
  std::string out;
  put_intent(out, first, count);
  commits_->append(out);
}

void Ledger::intend(std::span<const std::uint64_t> numbers) {
  std::string out;
  for (std::size_t i = 0, next; i < numbers.size(); i = next) {
    for (next = i + 1; next < numbers.size() && numbers[next] == numbers[next - 1] + 1;) ++next;
    put_intent(out, numbers[i], next - i);
  }
  commits_->append(out);
}

void Ledger::end() { commits_->append(std::string(1, static_cast<char>(kind_end))); }

}  // namespace eddy::sync
