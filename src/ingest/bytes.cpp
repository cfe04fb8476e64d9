#include "ingest/bytes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace eddy::ingest {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t block = 1 << 20;

[[noreturn]] void unreadable(const fs::path& path) {
  throw Error("file.unreadable", fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)),
              "check that it is there and readable");
}

[[noreturn]] void unwritable(const fs::path& path) {
  throw Error("file.unwritable", fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)),
              "check free space and permissions of the lake folder");
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags)
      : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) (flags & O_WRONLY) != 0 ? unwritable(path) : unreadable(path);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

  std::size_t read(char* to, std::size_t bytes) const {
    for (;;) {
      const ssize_t got = ::read(fd_, to, bytes);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) unreadable(path_);
    }
  }

  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) unwritable(path_);
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }

 private:
  fs::path path_;
  int fd_;
};

FileStamp stamp_of(const struct stat& info) {
  return {static_cast<std::uint64_t>(info.st_size),
          info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

// Bytes from..until of the file. The kernel copies (and shares blocks where the file system can); the
// fallback is for file systems and pairs of them that refuse.
void copy_range(const Descriptor& in, const Descriptor& out, const fs::path& from, const fs::path& to,
                off_t at, off_t until, const Cancel& cancel) {
  std::vector<char> buffer;
  while (at < until && !cancel.requested()) {
    const auto wanted = static_cast<std::size_t>(std::min<off_t>(until - at, 64 << 20));
    off_t read_at = at, write_at = at;
    ssize_t done =
        buffer.empty() ? ::copy_file_range(in.get(), &read_at, out.get(), &write_at, wanted, 0) : -1;
    if (done < 0 && (!buffer.empty() || errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
                     errno == EOPNOTSUPP || errno == EPERM)) {
      buffer.resize(block);
      done = ::pread(in.get(), buffer.data(), std::min(wanted, block), at);
      if (done < 0) unreadable(from);
      for (ssize_t written = 0; written < done;) {
        const ssize_t put = ::pwrite(out.get(), buffer.data() + written,
                                     static_cast<std::size_t>(done - written), at + written);
        if (put < 0) unwritable(to);
        written += put;
      }
    }
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) unwritable(to);
    if (done == 0) return;  // it became shorter: the stamp will tell
    at += done;
  }
}

void copy_once(const fs::path& from, const fs::path& to, std::uint64_t bytes, const Cancel& cancel) {
  const Descriptor in(from, O_RDONLY);
  const Descriptor out(to, O_WRONLY | O_CREAT | O_TRUNC);
  const auto size = static_cast<off_t>(bytes);
  const off_t half = size > (64 << 20) ? (size / 2) & ~static_cast<off_t>(block - 1) : 0;
  std::exception_ptr failure;
  std::thread second;
  if (half > 0)
    second = std::thread([&] {
      try {
        copy_range(in, out, from, to, 0, half, cancel);
      } catch (...) {
        failure = std::current_exception();
      }
    });
  try {
    copy_range(in, out, from, to, half, size, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (second.joinable()) second.join();
  if (failure) std::rethrow_exception(failure);
}

[[noreturn]] void damaged(std::string_view kind, std::string_view what, std::uint64_t read,
                          std::uint64_t unpacked) {
  throw Error("ingest.damaged_compression",
              fmt::format("the {} data {} after {} bytes ({} bytes unpacked)", kind, what, with_commas(read),
                          with_commas(unpacked)),
              "fetch the file again");
}

void unpack_gzip(const Descriptor& in, const Descriptor& out, const Cancel& cancel) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  std::vector<char> packed(block), plain(4 * block);
  std::uint64_t read = 0, unpacked = 0;
  bool inside = false;  // of a member; gzip files may be several in a row
  while (const std::size_t got = in.read(packed.data(), packed.size())) {
    stop_if(cancel);
    stream.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(got);
    read += got;
    do {
      // Zeros after the last member are padding of tapes and block devices.
      if (!inside && unpacked > 0 && stream.avail_in > 0 && *stream.next_in == 0) {
        ++stream.next_in;
        --stream.avail_in;
        continue;
      }
      inside = true;
      stream.next_out = reinterpret_cast<Bytef*>(plain.data());
      stream.avail_out = static_cast<uInt>(plain.size());
      const int code = inflate(&stream, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        damaged("gzip", "is damaged", read - stream.avail_in, unpacked);
      const std::size_t made = plain.size() - stream.avail_out;
      out.write({plain.data(), made});
      unpacked += made;
      if (code == Z_STREAM_END) {
        inside = false;
        inflateReset(&stream);
      }
    } while (stream.avail_in > 0 || (inside && stream.avail_out == 0));
  }
  if (inside) damaged("gzip", "breaks off", read, unpacked);
}

void unpack_zstd(const Descriptor& in, const Descriptor& out, const Cancel& cancel) {
  const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                             ZSTD_freeDStream);
  std::vector<char> packed(block), plain(4 * block);
  std::uint64_t read = 0, unpacked = 0;
  std::size_t expected = 0;  // 0: a frame is complete
  while (const std::size_t got = in.read(packed.data(), packed.size())) {
    stop_if(cancel);
    ZSTD_inBuffer input{packed.data(), got, 0};
    bool more = true;
    while (input.pos < input.size || more) {
      ZSTD_outBuffer output{plain.data(), plain.size(), 0};
      if (input.pos == input.size && expected == 0) break;
      expected = ZSTD_decompressStream(stream.get(), &output, &input);
      if (ZSTD_isError(expected) != 0)
        damaged("zstd", fmt::format("is damaged ({})", ZSTD_getErrorName(expected)), read + input.pos,
                unpacked);
      out.write({plain.data(), output.pos});
      unpacked += output.pos;
      more = output.pos == output.size;
    }
    read += got;
  }
  if (expected != 0) damaged("zstd", "breaks off", read, unpacked);
}

}  // namespace

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor in(path, O_RDONLY);
  struct stat info {};
  if (::fstat(in.get(), &info) != 0) unreadable(path);
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, in.get(), 0);
  if (data == MAP_FAILED) unreadable(path);
  data_ = static_cast<const char*>(data);
  ::madvise(data, size_, MADV_SEQUENTIAL);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

FileStamp stamp_of(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) unreadable(path);
  return stamp_of(info);
}

FileStamp copy_unchanged(const fs::path& from, const fs::path& to, const Cancel& cancel) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const FileStamp before = stamp_of(from);
    copy_once(from, to, before.bytes, cancel);
    stop_if(cancel);
    if (stamp_of(from) == before && fs::file_size(to) == before.bytes) return before;
  }
  throw Error(
      "ingest.file_changing", fmt::format("{} changes while it is read", from.string()),
      "let its writer finish first; a writer that renames the finished file into place is always safe");
}

Compression compression_of(const fs::path& path) {
  const Descriptor in(path, O_RDONLY);
  char first[4] = {};
  const std::string_view magic(first, in.read(first, sizeof first));
  if (magic.starts_with("\x1f\x8b")) return Compression::gzip;
  if (magic == "\x28\xb5\x2f\xfd") return Compression::zstd;
  return Compression::none;
}

void unpack(const fs::path& from, const fs::path& to, Compression compression, const Cancel& cancel) {
  const Descriptor in(from, O_RDONLY);
  const Descriptor out(to, O_WRONLY | O_CREAT | O_TRUNC);
  if (compression == Compression::gzip) unpack_gzip(in, out, cancel);
  if (compression == Compression::zstd) unpack_zstd(in, out, cancel);
}

std::string sha256_of_file(const fs::path& path, const Cancel& cancel) {
  const Descriptor in(path, O_RDONLY);
  std::vector<char> buffer(block);
  Sha256 hash;
  while (const std::size_t got = in.read(buffer.data(), buffer.size())) {
    stop_if(cancel);
    hash.update({buffer.data(), got});
  }
  return hash.hex_digest();
}

void stop_if(const Cancel& cancel) {
  if (cancel.requested()) throw Error("run.cancelled", "interrupted; nothing of this load was kept");
}

bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    const unsigned char lead = byte(i);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > bytes.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    // Overlong forms, surrogates and what lies beyond U+10FFFF.
    if ((lead == 0xE0 && byte(i + 1) < 0xA0) || (lead == 0xED && byte(i + 1) > 0x9F) ||
        (lead == 0xF0 && byte(i + 1) < 0x90) || (lead == 0xF4 && byte(i + 1) > 0x8F))
      return false;
    i += length;
  }
  return true;
}

}  // namespace eddy::ingest
