#include "transport/postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <regex>

#include "core/text.h"
#include "transport/postgres/encoding.h"

namespace eddy::postgres {
namespace {

// Type numbers of pg_type.dat; fixed for all versions.
enum Oid : unsigned {
  oid_bool = 16,
  oid_bytea = 17,
  oid_int8 = 20,
  oid_int2 = 21,
  oid_int4 = 23,
  oid_oid = 26,
  oid_json = 114,
  oid_float4 = 700,
  oid_float8 = 701,
  oid_date = 1082,
  oid_timestamp = 1114,
  oid_timestamptz = 1184,
  oid_numeric = 1700,
  oid_jsonb = 3802,
};

std::string first_line(std::string text) {
  text = trim(text);
  return text.substr(0, text.find('\n'));
}

// While connecting libpq keeps the SQLSTATE only in its verbose message: "FATAL:  28P01: password
// authentication failed …".
struct LoginFailure {
  std::string sqlstate;
  std::string message;
};
LoginFailure read_login_failure(const std::string& verbose) {
  static const std::regex pattern(R"(:\s+((?=[A-Z]*[0-9])[0-9A-Z]{5}):\s+([^\n]*))");
  std::smatch found;
  if (std::regex_search(verbose, found, pattern)) return {found[1], found[2]};
  return {{}, first_line(verbose)};
}

[[noreturn]] void fail_to_connect(PGconn* connection) {
  const LoginFailure failure = read_login_failure(PQerrorMessage(connection));
  const std::string where = fmt::format("{}:{}", PQhost(connection) ? PQhost(connection) : "",
                                        PQport(connection) ? PQport(connection) : "");
  const std::string& state = failure.sqlstate;
  const bool may_pass =
      state.empty() || state.starts_with("57") || state.starts_with("53") || state.starts_with("08");
  if (!may_pass)
    throw PostgresError("postgres.login_refused", state,
                        fmt::format("PostgreSQL at {} refused the login: {}", where, failure.message),
                        "check user, password and database of the connection");
  throw PostgresError(
      "postgres.unreachable", state,
      fmt::format("PostgreSQL at {} cannot be reached: {}", where, failure.message),
      "check host and port of the connection, and that the server runs and takes connections from here");
}

void wait_until_connected(PGconn* connection, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (PostgresPollingStatusType status = PGRES_POLLING_WRITING; status != PGRES_POLLING_OK;) {
    if (status == PGRES_POLLING_FAILED) fail_to_connect(connection);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    pollfd waiting{PQsocket(connection),
                   static_cast<short>(status == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready == 0)
      throw PostgresError(
          "postgres.unreachable", "",
          fmt::format("PostgreSQL at {} did not answer within {} ms", PQhost(connection), timeout.count()),
          "check host and port of the connection, and firewalls between here and there");
    if (ready < 0 && errno == EINTR) continue;
    status = PQconnectPoll(connection);
  }
}

// "2026-11-23 10:53:42.5+00" -> "2026-11-23T10:53:42.5Z"; "0044-03-15 BC" -> "0044-03-15 (BC)", as the engine
// writes it.
std::string utc_text(std::string_view text, bool has_time) {
  std::string out(text);
  const bool before_christ = out.ends_with(" BC");
  if (before_christ) out.resize(out.size() - 3);
  if (has_time) {
    if (const auto space = out.find(' '); space != std::string::npos) {
      out[space] = 'T';
      if (out.ends_with("+00")) out.resize(out.size() - 3);
      out += 'Z';
    }
  }
  return before_christ ? out + " (BC)" : out;
}

std::string bytes_of_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
  return bytes;
}

std::int64_t integer_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string field_of(const pg_result* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? std::string() : std::string(text);
}

}  // namespace

Result::Result(pg_result* result) : result_(result) {}
void Result::Free::operator()(pg_result* result) const { PQclear(result); }
std::size_t Result::rows() const { return static_cast<std::size_t>(PQntuples(result_.get())); }
std::size_t Result::columns() const { return static_cast<std::size_t>(PQnfields(result_.get())); }
std::string Result::column_name(std::size_t column) const {
  return PQfname(result_.get(), static_cast<int>(column));
}
std::uint64_t Result::affected() const { return std::strtoull(PQcmdTuples(result_.get()), nullptr, 10); }

bool Result::is_null(std::size_t row, std::size_t column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::string_view Result::text(std::size_t row, std::size_t column) const {
  const int r = static_cast<int>(row), c = static_cast<int>(column);
  return {PQgetvalue(result_.get(), r, c), static_cast<std::size_t>(PQgetlength(result_.get(), r, c))};
}

Value Result::value(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) return {};
  const std::string_view in = text(row, column);
  switch (PQftype(result_.get(), static_cast<int>(column))) {
    case oid_bool:
      return Value::boolean(in == "t");
    case oid_int2:
    case oid_int4:
    case oid_oid:
    case oid_int8:
      return Value::integer(integer_of(in));
    case oid_float4:
    case oid_float8:
      return Value::real(std::strtod(std::string(in).c_str(), nullptr));
    case oid_numeric:
      return Value::decimal(std::string(in));
    case oid_date:
      return Value::date(utc_text(in, false));
    case oid_timestamp:
    case oid_timestamptz:
      return Value::timestamp(utc_text(in, true));
    case oid_json:
    case oid_jsonb:
      return Value::json(std::string(in));
    case oid_bytea:
      return Value::blob(bytes_of_hex(in));
    default:
      return Value::text(std::string(in));
  }
}

void Connection::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(const ConnectOptions& options) {
  std::vector<const char*> keywords, values;
  // `dbname` comes first: when it is a URL, libpq spreads it out there and later keywords win over its parts.
  const auto add = [&](const char* keyword, const std::string& value) {
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  };
  if (const auto found = options.parameters.find("dbname"); found != options.parameters.end())
    add("dbname", found->second);
  for (const auto& [keyword, value] : options.parameters)
    if (keyword != "dbname") add(keyword.c_str(), value);
  add("fallback_application_name", options.application_name);
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/1));
  if (!connection_) throw std::bad_alloc();
  if (PQstatus(connection_.get()) == CONNECTION_BAD) fail_to_connect(connection_.get());
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  wait_until_connected(connection_.get(), options.timeout);
  PQsetErrorVerbosity(connection_.get(), PQERRORS_DEFAULT);
  exec(
      "SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET bytea_output = "
      "'hex'; "
      "SET standard_conforming_strings = on");
}

Result Connection::exec(std::string_view sql, const Row& parameters) {
  std::vector<std::string> texts;
  texts.reserve(parameters.size());
  std::vector<const char*> values;
  for (const Value& parameter : parameters) {
    append_input(texts.emplace_back(), parameter);
    values.push_back(parameter.is_null() ? nullptr : texts.back().c_str());
  }
  return take(PQexecParams(connection_.get(), std::string(sql).c_str(), static_cast<int>(values.size()),
                           nullptr, values.data(), nullptr, nullptr, 0));
}

Result Connection::exec(std::string_view sql) {
  return take(PQexec(connection_.get(), std::string(sql).c_str()));
}

Result Connection::take(pg_result* raw) {
  Result result(raw);
  switch (PQresultStatus(raw)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
      return result;
    default:
      fail(raw);
  }
}

void Connection::fail(const pg_result* result) const {
  const std::string state = field_of(result, PG_DIAG_SQLSTATE);
  if (!usable() || state.empty())
    throw PostgresError(
        "postgres.connection_lost", state,
        "the connection to PostgreSQL was lost: " + first_line(PQerrorMessage(connection_.get())));
  std::string message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  if (const std::string detail = field_of(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty())
    message += " (" + detail + ")";
  throw PostgresError("postgres.refused", state, std::move(message), field_of(result, PG_DIAG_MESSAGE_HINT));
}

bool Connection::usable() const { return connection_ && PQstatus(connection_.get()) == CONNECTION_OK; }

std::string Connection::server_version() const {
  const char* version = PQparameterStatus(connection_.get(), "server_version");
  const std::string text = version == nullptr ? "" : version;
  return text.substr(0, text.find(' '));  // without the packager's "(Debian …)"
}
std::string Connection::database() const { return PQdb(connection_.get()); }
std::string Connection::user() const { return PQuser(connection_.get()); }

Transaction::Transaction(Connection& connection) : connection_(connection) { connection_.exec("BEGIN"); }

Transaction::~Transaction() {
  if (!open_ || !connection_.usable()) return;
  try {
    connection_.exec("ROLLBACK");
  } catch (const PostgresError&) {
    // The wire broke: the server rolls back by itself.
  }
}

void Transaction::commit() {
  open_ = false;
  try {
    pg_result* answer = PQexec(connection_.connection_.get(), "COMMIT");
    const std::string tag = answer == nullptr ? "" : PQcmdStatus(answer);
    connection_.take(answer);
    if (tag == "ROLLBACK")  // the server's answer when a statement of the transaction had failed
      throw PostgresError("postgres.refused", "25P02",
                          "a statement of the transaction had failed; nothing was committed");
  } catch (const PostgresError& error) {
    if (connection_.usable()) throw;
    throw PostgresError("postgres.commit_in_doubt", error.sqlstate(),
                        "the connection to PostgreSQL was lost while COMMIT was on its way");
  }
}

}  // namespace eddy::postgres
