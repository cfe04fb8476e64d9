#include "transport/sqlite/seals.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/checksum.h"

namespace eddy::sqlite {
namespace {

std::string_view bytes_of(const void* data, int size) {
  return size == 0 ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

// Type and length stand before the bytes, so that no two rows run together to the same.
std::uint32_t add(std::uint32_t sum, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  const auto put = [&](char kind, std::string_view bytes) {
    const std::string head = fmt::format("{}{}:", kind, bytes.size());
    sum = crc32c(bytes, crc32c(head, sum));
  };
  if (type == SQLITE_INTEGER)
    put('i', std::to_string(sqlite3_value_int64(value)));
  else if (type == SQLITE_NULL)
    put('n', {});
  else if (type == SQLITE_FLOAT)
    put('f', fmt::format("{:a}", sqlite3_value_double(value)));
  else if (const void* data = type == SQLITE_TEXT ? static_cast<const void*>(sqlite3_value_text(value))
                                                  : sqlite3_value_blob(value);
           true)
    put(type == SQLITE_TEXT ? 't' : 'b', bytes_of(data, sqlite3_value_bytes(value)));
  return sum;
}

void seal(sqlite3_context* context, int count, sqlite3_value** values) {
  std::uint32_t sum = 0;
  for (int i = 0; i < count; ++i) sum = add(sum, values[i]);
  sqlite3_result_int64(context, sum);
}

void intact(sqlite3_context* context, int count, sqlite3_value** values) {
  std::uint32_t sum = 0;
  for (int i = 0; i < count; ++i)
    if (i != 1) sum = add(sum, values[i]);
  if (count > 1 && sqlite3_value_type(values[1]) == SQLITE_INTEGER && sqlite3_value_int64(values[1]) == sum)
    return sqlite3_result_int(context, 1);
  const auto* table = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  const std::string said =
      fmt::format("a row of {} does not fit its checksum", table == nullptr ? "?" : table);
  sqlite3_result_error(context, said.c_str(), -1);
  sqlite3_result_error_code(context, SQLITE_CORRUPT);
}

}  // namespace

void define_seals(Database& database) {
  database.add_function("eddy_seal", seal);
  database.add_function("eddy_intact", intact);
}

}  // namespace eddy::sqlite
