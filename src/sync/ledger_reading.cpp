#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/error.h"
#include "core/text.h"
#include "sync/ledger_format.h"

namespace eddy::sync {

using namespace ledger_format;

namespace {
constexpr std::array<std::string_view, 5> fates = {"applied", "rejected", "in_doubt", "gave_up",
                                                   "not_applied"};
}  // namespace

std::string_view name_of(RowFate fate) { return fates[static_cast<std::size_t>(fate)]; }

namespace {

// The file as memory; its pages come and go as they are read, so a large ledger costs no memory.
class Mapped {
 public:
  explicit Mapped(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd < 0 || ::fstat(fd, &info) != 0) {
      if (fd >= 0) ::close(fd);
      throw Error("sync.ledger_damaged",
                  fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)),
                  "check the permissions of .eddy/ledger");
    }
    size_ = static_cast<std::size_t>(info.st_size);
    if (size_ > 0) data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    ::close(fd);
    if (data_ == MAP_FAILED)
      throw Error("sync.ledger_damaged",
                  fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)));
  }
  ~Mapped() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

RowVerdict read_verdict(Cursor& in) {
  RowVerdict v;
  v.number = in.get<std::uint64_t>();
  const auto fate = in.get<std::uint8_t>();
  v.created = in.get<std::uint8_t>() != 0;
  v.attempts = in.get<std::uint32_t>();
  v.code = in.text();
  v.message = in.text();
  v.destination_id = in.text();
  v.fate = static_cast<RowFate>(fate);
  return v;
}

// The records of one frame; false when one of them is not as it should be.
bool read_records(std::string_view payload, std::uint64_t rows, bool& ended,
                  const std::function<void(std::uint64_t, std::uint64_t)>& intent,
                  const std::function<void(const RowVerdict&)>& verdict) {
  Cursor in(payload);
  while (in.more()) {
    const auto kind = in.get<std::uint8_t>();
    if (kind == kind_intent) {
      const auto first = in.get<std::uint64_t>(), count = in.get<std::uint64_t>();
      if (!in.good() || first > rows || count > rows - first) return false;
      intent(first, count);
    } else if (kind == kind_verdict) {
      const RowVerdict v = read_verdict(in);
      if (!in.good() || static_cast<std::size_t>(v.fate) >= fates.size() || v.number >= rows) return false;
      verdict(v);
    } else if (kind == kind_applied_run) {
      RowVerdict v;
      v.number = in.get<std::uint64_t>();
      const auto count = in.get<std::uint64_t>();
      v.created = in.get<std::uint8_t>() != 0;
      v.attempts = in.get<std::uint32_t>();
      if (!in.good() || v.number > rows || count > rows - v.number) return false;
      for (const std::uint64_t end = v.number + count; v.number < end; ++v.number) verdict(v);
    } else if (kind == kind_end) {
      ended = true;
    } else {
      return false;
    }
  }
  return in.good();
}

}  // namespace

std::optional<LedgerReading> read_ledger(const std::filesystem::path& file,
                                         const std::function<void(std::uint64_t, std::uint64_t)>& intent,
                                         const std::function<void(const RowVerdict&)>& verdict) {
  const Mapped mapped(file);
  const std::string_view bytes = mapped.bytes();
  const auto first = frame_at(bytes, 0, 0);
  if (!first) {
    // The header is made durable before the first row leaves: without it nothing has left.
    if (bytes.size() <= 64 * 1024 && bytes.find(std::string_view("EDYL"), 4) == std::string_view::npos)
      return std::nullopt;
    damaged(file, "its header cannot be read");
  }
  LedgerReading reading;
  reading.header = parse_header(first->payload, file);
  const std::uint32_t salt = crc32c(first->payload);
  std::size_t at = frame_head + first->payload.size();
  for (std::uint32_t expected = 1; at < bytes.size(); ++expected) {
    const auto next = frame_at(bytes, at, salt);
    if (!next) {
      if (whole_frame_after(bytes, at, salt))
        damaged(file, fmt::format("a record group in the middle (byte {}) cannot be read", at));
      break;
    }
    if (next->sequence != expected) damaged(file, fmt::format("record group {} is missing", expected));
    if (!read_records(next->payload, reading.header.rows, reading.ended, intent, verdict))
      damaged(file, fmt::format("record group {} is not as it should be", expected));
    at += frame_head + next->payload.size();
  }
  reading.torn_bytes = bytes.size() - at;
  reading.digest = sha256_hex(bytes.substr(0, at));
  return reading;
}

}  // namespace eddy::sync
