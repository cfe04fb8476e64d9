#include "transport/mysql/connection.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysql.h>

#include <charconv>
#include <cstdlib>
#include <new>

#include "core/text.h"

namespace eddy::mysql {
namespace {

// A statement that stores anything but the value it was given fails or warns under this mode, whatever the
// server's own is. NO_AUTO_VALUE_ON_ZERO: the key 0 is the key 0, not "the next number".
constexpr std::string_view sql_mode =
    "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,"
    "NO_ENGINE_SUBSTITUTION";

unsigned seconds_of(std::chrono::milliseconds duration) {
  return static_cast<unsigned>(std::max<long long>(1, (duration.count() + 999) / 1000));
}

std::string place_of(const ConnectOptions& options) {
  return options.socket.empty() ? fmt::format("{}:{}", options.host, options.port) : options.socket.string();
}

// Numbers by which the server, or an authentication plugin, says that this login will never do.
bool is_login_refused(unsigned number) {
  for (const unsigned known : {1044U, 1045U, 1049U, 1130U, 1227U, 1251U, 1275U, 1524U, 1698U, 1820U, 1862U,
                               2049U, 2059U, 2061U, 3118U, 3159U, 3955U, 4151U})
    if (known == number) return true;
  return false;
}

[[noreturn]] void fail_to_connect(st_mysql* handle, const ConnectOptions& options) {
  const unsigned number = mysql_errno(handle);
  const std::string message = mysql_error(handle), where = place_of(options);
  if (is_login_refused(number))
    throw MysqlError("mysql.login_refused", number, mysql_sqlstate(handle),
                     fmt::format("MySQL at {} refused the login: {}", where, message),
                     "check user, password and database of the connection");
  if (number == CR_SSL_CONNECTION_ERROR)
    throw MysqlError("mysql.login_refused", number, mysql_sqlstate(handle),
                     fmt::format("MySQL at {} cannot be reached over TLS: {}", where, message),
                     "check `tls` and `tls_ca` of the connection, and the server's certificate");
  throw MysqlError(
      "mysql.unreachable", number, mysql_sqlstate(handle),
      fmt::format("MySQL at {} cannot be reached: {}", where, message),
      "check host and port of the connection, and that the server runs and takes connections from here");
}

// "2026-11-23 10:53:42.500000" -> "2026-11-23T10:53:42.5Z"
std::string utc_text(std::string_view text) {
  std::string out(text);
  if (out.size() > 10) out[10] = 'T';
  if (out.find('.') != std::string::npos) {
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
  }
  return out + 'Z';
}

// A bit field travels as its bytes, most significant first.
std::int64_t bits_of(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8U | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(number);
}

Value integer_or_decimal(std::string_view text) {
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  return end.ec == std::errc() ? Value::integer(number) : Value::decimal(std::string(text));
}

bool is_zero_date(std::string_view text) {
  return text.starts_with("0000-") || text.find("-00") < 8;  // also 2026-00-10 and 2026-01-00
}

bool is_marked_as_json(const MYSQL_FIELD& field) {
  MARIADB_CONST_STRING format{nullptr, 0};
  return mariadb_field_attr(&format, &field, MARIADB_FIELD_ATTR_FORMAT_NAME) == 0 &&
         std::string_view(format.str, format.length) == "json";
}

// "… at row 37"
std::size_t row_named_in(std::string_view message) {
  constexpr std::string_view words = " at row ";
  const auto at = message.rfind(words);
  std::size_t row = 0;
  if (at != std::string_view::npos)
    std::from_chars(message.data() + at + words.size(), message.data() + message.size(), row);
  return row;
}

}  // namespace

Result::Result(st_mysql_res* result) : result_(result) {
  if (result_ == nullptr) return;
  rows_.reserve(mysql_num_rows(result_.get()));
  while (MYSQL_ROW cells = mysql_fetch_row(result_.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result_.get());
    auto& row = rows_.emplace_back();
    for (std::size_t i = 0; i < columns(); ++i)
      row.push_back(cells[i] == nullptr ? std::string_view() : std::string_view(cells[i], lengths[i]));
  }
}

void Result::Free::operator()(st_mysql_res* result) const { mysql_free_result(result); }

std::size_t Result::columns() const { return result_ ? mysql_num_fields(result_.get()) : 0; }
std::string Result::column_name(std::size_t column) const {
  return mysql_fetch_field_direct(result_.get(), static_cast<unsigned>(column))->name;
}
bool Result::is_null(std::size_t row, std::size_t column) const {
  return rows_[row][column].data() == nullptr;
}
std::string_view Result::text(std::size_t row, std::size_t column) const { return rows_[row][column]; }

Value Result::value(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) return {};
  const std::string_view in = text(row, column);
  const MYSQL_FIELD& field = *mysql_fetch_field_direct(result_.get(), static_cast<unsigned>(column));
  constexpr unsigned binary_charset = 63;
  switch (field.type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
      return integer_or_decimal(in);
    case MYSQL_TYPE_BIT:
      return Value::integer(bits_of(in));
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
      return Value::real(std::strtod(std::string(in).c_str(), nullptr));
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return Value::decimal(std::string(in));
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
      return is_zero_date(in) ? Value() : Value::date(std::string(in));
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      return is_zero_date(in) ? Value() : Value::timestamp(utc_text(in));
    case MYSQL_TYPE_JSON:
      return Value::json(std::string(in));
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_STRING:
      if (is_marked_as_json(field)) return Value::json(std::string(in));
      return field.charsetnr == binary_charset ? Value::blob(std::string(in)) : Value::text(std::string(in));
    default:
      return Value::text(std::string(in));
  }
}

void Connection::Close::operator()(st_mysql* handle) const { mysql_close(handle); }

Connection::Connection(const ConnectOptions& options) : database_(options.database), user_(options.user) {
  // The library's own start is not thread-safe; a static is made once.
  static const int started = mysql_library_init(0, nullptr, nullptr);
  if (started != 0) throw std::bad_alloc();
  // On a unix socket there is nobody in between.
  const bool tls_wanted = options.tls != Tls::disable && options.socket.empty();
  try {
    connect(options, tls_wanted);
  } catch (const MysqlError& error) {
    if (options.tls != Tls::prefer || error.number() != CR_SSL_CONNECTION_ERROR) throw;
    connect(options, false);
  }
  settle_session();
}

void Connection::connect(const ConnectOptions& options, bool with_tls) {
  handle_.reset(mysql_init(nullptr));
  if (!handle_) throw std::bad_alloc();
  st_mysql* handle = handle_.get();
  const unsigned connect_timeout = seconds_of(options.connect_timeout);
  const unsigned read_timeout = seconds_of(options.read_timeout);
  const unsigned on = 1;
  const my_bool yes = 1, verify = options.tls == Tls::verify;
  const unsigned protocol = options.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
  mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &read_timeout);
  mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &read_timeout);
  mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &on);
  mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "eddy");
  if (with_tls) {
    mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (!options.tls_ca.empty()) mysql_options(handle, MYSQL_OPT_SSL_CA, options.tls_ca.c_str());
  }
  const std::string socket = options.socket.string();
  if (mysql_real_connect(handle, options.host.c_str(), options.user.c_str(), options.password.c_str(),
                         options.database.empty() ? nullptr : options.database.c_str(), options.port,
                         socket.empty() ? nullptr : socket.c_str(), 0) == nullptr)
    fail_to_connect(handle, options);
  // The library goes on in clear text when the server has no TLS, even when told to insist.
  if (with_tls && options.tls != Tls::prefer && !is_encrypted())
    throw MysqlError("mysql.login_refused", 0, "",
                     fmt::format("MySQL at {} offers no TLS", place_of(options)),
                     "set it up there, or allow `tls: prefer`");
  usable_ = true;
}

void Connection::settle_session() {
  exec(fmt::format(
      "set session sql_mode = '{}', time_zone = '+00:00', sql_notes = 1, max_error_count = 65535", sql_mode));
  // Rows of warnings are read out of English words.
  exec("set session lc_messages = 'en_US'");
}

Result Connection::exec(std::string_view sql) {
  if (mysql_real_query(handle_.get(), sql.data(), sql.size()) != 0) fail();
  st_mysql_res* result = mysql_store_result(handle_.get());
  if (result == nullptr && mysql_field_count(handle_.get()) != 0) fail();
  return Result(result);
}

std::uint64_t Connection::affected() const { return mysql_affected_rows(handle_.get()); }
std::size_t Connection::warning_count() const { return mysql_warning_count(handle_.get()); }

std::vector<Warning> Connection::warnings() {
  const Result shown = exec("show warnings");
  std::vector<Warning> warnings;
  for (std::size_t i = 0; i < shown.rows(); ++i) {
    Warning warning{
        .number = static_cast<unsigned>(std::strtoul(std::string(shown.text(i, 1)).c_str(), nullptr, 10)),
        .message = std::string(shown.text(i, 2))};
    warning.row = row_named_in(warning.message);
    warnings.push_back(std::move(warning));
  }
  return warnings;
}

bool Connection::is_mariadb() const { return mariadb_connection(handle_.get()) != 0; }

std::string Connection::server_version() const {
  const std::string text = mysql_get_server_info(handle_.get());
  return text.substr(0, text.find('-'));  // without "-MariaDB-0+deb12u1"
}

bool Connection::is_encrypted() const { return mysql_get_ssl_cipher(handle_.get()) != nullptr; }

void Connection::fail() {
  MysqlError error("mysql.refused", mysql_errno(handle_.get()), mysql_sqlstate(handle_.get()),
                   mysql_error(handle_.get()));
  if (!error.is_connection_lost()) throw error;
  usable_ = false;
  throw MysqlError("mysql.connection_lost", error.number(), "",
                   "the connection to MySQL was lost: " + error.message());
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.exec("start transaction");
}

Transaction::~Transaction() {
  if (!open_ || !connection_.usable()) return;
  try {
    connection_.exec("rollback");
  } catch (const MysqlError&) {
    // The wire broke: the server rolls back by itself.
  }
}

void Transaction::commit() {
  open_ = false;
  try {
    connection_.exec("commit");
  } catch (const MysqlError& error) {
    if (connection_.usable()) throw;
    throw MysqlError("mysql.commit_in_doubt", error.number(), "",
                     "the connection to MySQL was lost while COMMIT was on its way");
  }
}

}  // namespace eddy::mysql
