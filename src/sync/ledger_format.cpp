#include "sync/ledger_format.h"

#include <fmt/format.h>

#include <array>

#include "core/error.h"

namespace eddy::sync {

namespace ledger_format {

namespace {
constexpr std::uint32_t frame_magic = 0x4C594445;  // "EDYL"
constexpr std::uint32_t format_version = 1;
}  // namespace

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

std::string Cursor::text() {
  const auto length = get<std::uint32_t>();
  if (length > bytes_.size()) {
    good_ = false;
    return {};
  }
  std::string out(bytes_.substr(0, length));
  bytes_.remove_prefix(length);
  return out;
}

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

bool whole_frame_after(std::string_view bytes, std::size_t at, std::uint32_t salt) {
  char magic[4];
  std::memcpy(magic, &frame_magic, 4);
  for (std::size_t next = bytes.find({magic, 4}, at + 1); next != std::string_view::npos;
       next = bytes.find({magic, 4}, next + 1))
    if (frame_at(bytes, next, salt)) return true;
  return false;
}

void damaged(const std::filesystem::path& file, std::string_view what) {
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

}  // namespace ledger_format
}  // namespace eddy::sync
