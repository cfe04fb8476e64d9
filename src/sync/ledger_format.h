// The bytes of a ledger (ledger.h says what they mean): frames around payloads of records, little endian.
//
//   frame    magic "EDYL", sequence number, length, CRC-32C over sequence, length and payload; payload
//   records  one byte of kind, then its fields; a text is a 32-bit length and its bytes
//
// The checksum of every frame after the header starts from the header's own checksum (the salt), so that
// frames of another ledger, left on reused blocks of the disk, never pass for frames of this one.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/checksum.h"
#include "sync/ledger.h"

namespace eddy::sync::ledger_format {

enum Kind : std::uint8_t {
  kind_header = 0,
  kind_verdict = 1,
  kind_intent = 2,
  kind_applied_run = 3,
  kind_end = 4
};

constexpr std::size_t frame_head = 16;              // magic, sequence, length, checksum
constexpr std::size_t frame_bytes_max = 64u << 20;  // what a reader believes

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}
void put_text(std::string& out, std::string_view text);

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
  std::string text();
  bool more() const { return good_ && !bytes_.empty(); }
  bool good() const { return good_; }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

std::string frame(std::uint32_t sequence, std::uint32_t salt, std::string_view payload);

struct Frame {
  std::uint32_t sequence = 0;
  std::string_view payload;
};
// The frame that starts at `at`, when it is whole and its checksum is right.
std::optional<Frame> frame_at(std::string_view bytes, std::size_t at, std::uint32_t salt);
// A later whole frame means that the hole before it is damage, not a write that was cut off.
bool whole_frame_after(std::string_view bytes, std::size_t at, std::uint32_t salt);

std::string header_payload(const LedgerHeader& header);
// Throws Error("sync.ledger_damaged"), naming `file`.
LedgerHeader parse_header(std::string_view payload, const std::filesystem::path& file);
[[noreturn]] void damaged(const std::filesystem::path& file, std::string_view what);

}  // namespace eddy::sync::ledger_format
