#include "transport/mysql/load.h"

#include <mysql.h>

#include <algorithm>
#include <cstring>
#include <exception>

namespace eddy::mysql {
namespace {

struct Stream {
  const std::function<void(std::string&)>& more;
  std::string buffer = {};
  std::size_t read = 0;  // of the buffer
  std::exception_ptr thrown = {};
};

// libmariadb hands the pointer of mysql_set_local_infile_handler() to init, which hands it on to the others.
int begin(void** handle, const char*, void* stream) {
  *handle = stream;
  return 0;
}

int read(void* handle, char* out, unsigned size) {
  Stream& stream = *static_cast<Stream*>(handle);
  if (stream.read == stream.buffer.size()) {
    stream.buffer.clear();
    stream.read = 0;
    try {
      if (!stream.thrown) stream.more(stream.buffer);
    } catch (...) {  // nothing may pass through C; the stream just ends
      stream.thrown = std::current_exception();
      stream.buffer.clear();
    }
  }
  const std::size_t length = std::min<std::size_t>(size, stream.buffer.size() - stream.read);
  std::memcpy(out, stream.buffer.data() + stream.read, length);
  stream.read += length;
  return static_cast<int>(length);
}

void end(void*) {}

int explain(void*, char* message, unsigned size) {
  if (size > 0) message[0] = '\0';
  return 0;
}

}  // namespace

void load(Connection& connection, std::string_view statement, const std::function<void(std::string&)>& more) {
  Stream stream{.more = more};
  mysql_set_local_infile_handler(connection.handle_.get(), begin, read, end, explain, &stream);
  try {
    connection.exec(statement);
  } catch (...) {
    mysql_set_local_infile_default(connection.handle_.get());
    if (stream.thrown) std::rethrow_exception(stream.thrown);
    throw;
  }
  mysql_set_local_infile_default(connection.handle_.get());
  if (stream.thrown) std::rethrow_exception(stream.thrown);
}

bool is_load_forbidden(const MysqlError& error) {
  return error.number() == 1148 || error.number() == 3948 || error.number() == 4166;
}

}  // namespace eddy::mysql
