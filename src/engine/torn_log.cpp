#include "engine/torn_log.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "core/files.h"

namespace eddy::engine {

namespace {

constexpr std::size_t sector = 512;  // what a disk writes whole or not at all, at least
constexpr std::size_t head = 16;     // of an entry: its length and its checksum

// "Corrupt WAL file: entry at byte position 1121 computed checksum …": where its head ends.
std::optional<std::size_t> place_of_bad_entry(const std::string& message) {
  constexpr std::string_view words = "Corrupt WAL file: entry at byte position ";
  const std::size_t at = message.find(words);
  if (at == std::string::npos) return std::nullopt;
  std::size_t place = 0;
  const char* first = message.data() + at + words.size();
  if (std::from_chars(first, message.data() + message.size(), place).ec != std::errc() || place < head)
    return std::nullopt;
  return place - head;
}

// A part of a sector of the entry, from a place on, that was never written.
bool has_hole(std::string_view log, std::size_t entry) {
  if (entry + head > log.size()) return false;
  std::uint64_t length = 0;
  std::memcpy(&length, log.data() + entry, sizeof length);
  const std::size_t end =
      entry + head + static_cast<std::size_t>(std::min<std::uint64_t>(length, log.size() - entry - head));
  for (std::size_t from = entry; from < end;) {
    const std::size_t to = std::min((from / sector + 1) * sector, log.size());
    const std::string_view part = log.substr(from, to - from);
    if (part.size() >= head && part.find_first_not_of('\0') == std::string_view::npos) return true;
    from = to;
  }
  return false;
}

std::filesystem::path log_of(const std::filesystem::path& database) { return database.string() + ".wal"; }

}  // namespace

bool log_is_torn(const std::filesystem::path& database, const Error& refusal) {
  const auto place = place_of_bad_entry(refusal.message());
  return place && std::filesystem::exists(log_of(database)) && has_hole(read_file(log_of(database)), *place);
}

bool cut_torn_log(const std::filesystem::path& database, const Error& refusal) {
  if (!log_is_torn(database, refusal)) return false;
  const std::filesystem::path log = log_of(database);
  const std::string bytes = read_file(log);
  const std::size_t place = *place_of_bad_entry(refusal.message());
  write_file_atomically(log.string() + ".torn", bytes.substr(place));
  write_file_atomically(log, bytes.substr(0, place));
  return true;
}

}  // namespace eddy::engine
