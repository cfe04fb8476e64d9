#include "sync/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace eddy::sync {

namespace {

constexpr std::uint32_t frame_magic = 0x4C594445;  // "EDYL"
constexpr std::uint32_t format_version = 1;
constexpr std::size_t frame_head = 16;  // magic, sequence, length, checksum
constexpr std::size_t group_bytes_max =
    4u << 20;  // workers wait for their group: a bound on memory, not on throughput
constexpr std::size_t frame_bytes_max = 64u << 20;  // what a reader believes
constexpr std::array<std::string_view, 5> fates = {"applied", "rejected", "in_doubt", "gave_up",
                                                   "not_applied"};

enum Kind : std::uint8_t {
  kind_header = 0,
  kind_verdict = 1,
  kind_intent = 2,
  kind_applied_run = 3,
  kind_end = 4
};

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

// Reads what put() wrote; good() is false once something did not fit.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T get() {
    T value{};
    if (bytes_.size() < sizeof(T)) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  std::string text() {
    const auto length = get<std::uint32_t>();
    if (length > bytes_.size()) {
      good_ = false;
      return {};
    }
    std::string out(bytes_.substr(0, length));
    bytes_.remove_prefix(length);
    return out;
  }
  bool more() const { return good_ && !bytes_.empty(); }
  bool good() const { return good_; }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

std::string frame(std::uint32_t sequence, std::uint32_t salt, std::string_view payload) {
  std::string out;
  out.reserve(frame_head + payload.size());
  put(out, frame_magic);
  put(out, sequence);
  put(out, static_cast<std::uint32_t>(payload.size()));
  put(out, crc32c(payload, crc32c({out.data() + 4, 8}, salt)));
  out.append(payload);
  return out;
}

struct Frame {
  std::uint32_t sequence = 0;
  std::string_view payload;
};

// The frame that starts at `at`, when it is whole and its checksum is right.
std::optional<Frame> frame_at(std::string_view bytes, std::size_t at, std::uint32_t salt) {
  if (at + frame_head > bytes.size()) return std::nullopt;
  Cursor head(bytes.substr(at, frame_head));
  const auto magic = head.get<std::uint32_t>(), sequence = head.get<std::uint32_t>(),
             length = head.get<std::uint32_t>(), sum = head.get<std::uint32_t>();
  if (magic != frame_magic || length > frame_bytes_max || at + frame_head + length > bytes.size())
    return std::nullopt;
  const std::string_view payload = bytes.substr(at + frame_head, length);
  if (crc32c(payload, crc32c(bytes.substr(at + 4, 8), salt)) != sum) return std::nullopt;
  return Frame{sequence, payload};
}

// A later whole frame means that the hole before it is damage, not a write that was cut off.
bool whole_frame_after(std::string_view bytes, std::size_t at, std::uint32_t salt) {
  char magic[4];
  std::memcpy(magic, &frame_magic, 4);
  for (std::size_t next = bytes.find({magic, 4}, at + 1); next != std::string_view::npos;
       next = bytes.find({magic, 4}, next + 1))
    if (frame_at(bytes, next, salt)) return true;
  return false;
}

[[noreturn]] void damaged(const std::filesystem::path& file, std::string_view what) {
  throw Error("sync.ledger_damaged", fmt::format("{} is damaged: {}; nothing was sent", file.string(), what),
              "restore the folder .eddy from a backup; the file records what a former run has delivered");
}

std::string header_payload(const LedgerHeader& h) {
  std::string out;
  put(out, static_cast<std::uint8_t>(kind_header));
  put(out, format_version);
  put_text(out, h.sync);
  put_text(out, h.plan_id);
  put_text(out, h.run_id);
  put(out, h.epoch);
  put(out, h.rows);
  put(out, static_cast<std::uint8_t>(h.unsafe));
  return out;
}

LedgerHeader parse_header(std::string_view payload, const std::filesystem::path& file) {
  Cursor in(payload);
  const auto kind = in.get<std::uint8_t>();
  const auto version = in.get<std::uint32_t>();
  if (kind != kind_header || version != format_version)
    damaged(file, fmt::format("it does not begin as a ledger of version {}", format_version));
  LedgerHeader h;
  h.sync = in.text();
  h.plan_id = in.text();
  h.run_id = in.text();
  h.epoch = in.get<std::uint64_t>();
  h.rows = in.get<std::uint64_t>();
  h.unsafe = in.get<std::uint8_t>() != 0;
  if (!in.good() || in.more()) damaged(file, "its header is not as it should be");
  return h;
}

}  // namespace

std::string_view name_of(RowFate fate) { return fates[static_cast<std::size_t>(fate)]; }

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0x82F63B78u ^ (c >> 1) : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t crc = ~seed;
  for (const char byte : bytes) crc = table[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

namespace {

void write_all(int fd, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      throw Error("sync.ledger_unwritable",
                  fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)),
                  "free space on its disk, then run again");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(fd) != 0)
    throw Error("sync.ledger_unwritable",
                fmt::format("cannot make {} durable: {}", file.string(), std::strerror(errno)),
                "check its disk, then run again");
}

}  // namespace

Ledger::Ledger(std::filesystem::path file, const LedgerHeader& header) : file_(std::move(file)) {
  std::error_code ignored;  // open() below says what is wrong
  std::filesystem::create_directories(file_.parent_path(), ignored);
  fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0)
    throw Error("sync.ledger_unwritable",
                fmt::format("cannot create {}: {}", file_.string(), std::strerror(errno)),
                "check the folder's permissions and free space");
  try {
    const std::string payload = header_payload(header);
    salt_ = crc32c(payload);
    write_all(fd_, frame(0, 0, payload), file_);
    sync_path(file_.parent_path());
    sync_path(file_.parent_path().parent_path());
  } catch (...) {
    ::close(fd_);
    throw;
  }
  writer_ = std::thread([this] { write_groups(); });
}

Ledger::~Ledger() {
  try {
    close();
  } catch (const Error&) {
    // Whoever waited for a record has been told already.
  }
}

namespace {
// Applied, and nothing to say about it: rows like these, one after another, are written as one record.
bool silent(const RowVerdict& v) {
  return v.fate == RowFate::applied && v.code.empty() && v.message.empty() && v.destination_id.empty();
}
}  // namespace

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
  append(std::move(out));
}

namespace {
void put_intent(std::string& out, std::uint64_t first, std::uint64_t count) {
  put(out, static_cast<std::uint8_t>(kind_intent));
  put(out, first);
  put(out, count);
}
}  // namespace

void Ledger::intend(std::uint64_t first, std::uint64_t count) {
  std::string out;
  put_intent(out, first, count);
  append(std::move(out));
}

void Ledger::intend(std::span<const std::uint64_t> numbers) {
  std::string out;
  for (const std::uint64_t number : numbers) put_intent(out, number, 1);
  append(std::move(out));
}

void Ledger::end() { append(std::string(1, static_cast<char>(kind_end))); }

void Ledger::append(std::string record) {
  std::unique_lock lock(mutex_);
  durable_changed_.wait(lock, [&] {
    return !failure_.empty() || pending_.empty() || pending_.size() + record.size() <= group_bytes_max;
  });
  if (failure_.empty()) {
    pending_ += record;
    const std::uint64_t ticket = ++taken_;
    pending_changed_.notify_one();
    durable_changed_.wait(lock, [&] { return !failure_.empty() || durable_ >= ticket; });
  }
  if (!failure_.empty())
    throw Error("sync.ledger_unwritable", failure_, "free space on its disk, then run again");
}

void Ledger::write_groups() {
  std::unique_lock lock(mutex_);
  for (;;) {
    pending_changed_.wait(lock, [&] { return closing_ || !pending_.empty(); });
    if (pending_.empty()) return;
    const std::string group = std::exchange(pending_, {});
    const std::uint64_t ticket = taken_;
    lock.unlock();
    std::string failure;
    try {
      write_all(fd_, frame(sequence_, salt_, group), file_);
    } catch (const Error& error) {
      failure = error.message();
    }
    lock.lock();
    ++sequence_;
    ++groups_;
    durable_ = ticket;
    if (!failure.empty()) failure_ = failure;
    durable_changed_.notify_all();
    if (!failure_.empty()) return;
  }
}

void Ledger::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  pending_changed_.notify_one();
  if (writer_.joinable()) writer_.join();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

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
