#include "transport/mysql/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace eddy::mysql {
namespace {

enum class Kind { data, moment, wire, other };

struct Known {
  unsigned number;
  std::string_view name;
  Kind kind;
};

// https://mariadb.com/kb/en/mariadb-error-code-reference/ and
// https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html; from 1900 (MariaDB) and 3000
// (MySQL) on the two differ.
constexpr std::array known = {
    Known{1020, "ER_CHECKREAD", Kind::moment},
    Known{1021, "ER_DISK_FULL", Kind::other},
    Known{1022, "ER_DUP_KEY", Kind::data},
    Known{1040, "ER_CON_COUNT_ERROR", Kind::moment},
    Known{1047, "ER_UNKNOWN_COM_ERROR", Kind::moment},  // a Galera node that has lost its cluster
    Known{1048, "ER_BAD_NULL_ERROR", Kind::data},
    Known{1053, "ER_SERVER_SHUTDOWN", Kind::wire},
    Known{1062, "ER_DUP_ENTRY", Kind::data},
    Known{1114, "ER_RECORD_FILE_FULL", Kind::other},
    Known{1118, "ER_TOO_BIG_ROWSIZE", Kind::data},
    Known{1142, "ER_TABLEACCESS_DENIED_ERROR", Kind::other},
    Known{1146, "ER_NO_SUCH_TABLE", Kind::other},
    Known{1153, "ER_NET_PACKET_TOO_LARGE", Kind::data},
    Known{1158, "ER_NET_READ_ERROR", Kind::wire},
    Known{1159, "ER_NET_READ_INTERRUPTED", Kind::wire},
    Known{1160, "ER_NET_ERROR_ON_WRITE", Kind::wire},
    Known{1161, "ER_NET_WRITE_INTERRUPTED", Kind::wire},
    Known{1203, "ER_TOO_MANY_USER_CONNECTIONS", Kind::moment},
    Known{1205, "ER_LOCK_WAIT_TIMEOUT", Kind::moment},
    Known{1213, "ER_LOCK_DEADLOCK", Kind::moment},
    Known{1216, "ER_NO_REFERENCED_ROW", Kind::data},
    Known{1217, "ER_ROW_IS_REFERENCED", Kind::data},
    Known{1226, "ER_USER_LIMIT_REACHED", Kind::moment},
    Known{1260, "ER_CUT_VALUE_GROUP_CONCAT", Kind::data},
    Known{1263, "ER_WARN_NULL_TO_NOTNULL", Kind::data},
    Known{1264, "ER_WARN_DATA_OUT_OF_RANGE", Kind::data},
    Known{1265, "WARN_DATA_TRUNCATED", Kind::data},
    Known{1292, "ER_TRUNCATED_WRONG_VALUE", Kind::data},
    Known{1300, "ER_INVALID_CHARACTER_STRING", Kind::data},
    Known{1301, "ER_WARN_ALLOWED_PACKET_OVERFLOWED", Kind::data},
    Known{1317, "ER_QUERY_INTERRUPTED", Kind::moment},
    Known{1364, "ER_NO_DEFAULT_FOR_FIELD", Kind::data},
    Known{1365, "ER_DIVISION_BY_ZERO", Kind::data},
    Known{1366, "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD", Kind::data},
    Known{1367, "ER_ILLEGAL_VALUE_FOR_TYPE", Kind::data},
    Known{1369, "ER_VIEW_CHECK_FAILED", Kind::data},
    Known{1406, "ER_DATA_TOO_LONG", Kind::data},
    Known{1411, "ER_WRONG_VALUE_FOR_TYPE", Kind::data},
    Known{1412, "ER_TABLE_DEF_CHANGED", Kind::moment},
    Known{1416, "ER_CANT_CREATE_GEOMETRY_OBJECT", Kind::data},
    Known{1451, "ER_ROW_IS_REFERENCED_2", Kind::data},
    Known{1452, "ER_NO_REFERENCED_ROW_2", Kind::data},
    Known{1526, "ER_NO_PARTITION_FOR_GIVEN_VALUE", Kind::data},
    Known{1557, "ER_FOREIGN_DUPLICATE_KEY", Kind::data},
    Known{1586, "ER_DUP_ENTRY_WITH_KEY_NAME", Kind::data},
    Known{1614, "ER_XA_RBDEADLOCK", Kind::moment},
    Known{1644, "ER_SIGNAL_EXCEPTION", Kind::data},
    Known{1690, "ER_DATA_OUT_OF_RANGE", Kind::data},
    Known{1761, "ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO", Kind::data},
    Known{1762, "ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO", Kind::data},
    Known{1927, "ER_CONNECTION_KILLED", Kind::wire},
    Known{1969, "ER_STATEMENT_TIMEOUT", Kind::moment},
    Known{2006, "CR_SERVER_GONE_ERROR", Kind::wire},
    Known{2013, "CR_SERVER_LOST", Kind::wire},
    Known{2014, "CR_COMMANDS_OUT_OF_SYNC", Kind::wire},
    Known{2026, "CR_SSL_CONNECTION_ERROR", Kind::wire},
    Known{2027, "CR_MALFORMED_PACKET", Kind::wire},
    Known{2055, "CR_SERVER_LOST_EXTENDED", Kind::wire},
    Known{3024, "ER_QUERY_TIMEOUT", Kind::moment},
    Known{3140, "ER_INVALID_JSON_TEXT", Kind::data},
    Known{3819, "ER_CHECK_CONSTRAINT_VIOLATED", Kind::data},
    Known{4025, "ER_CONSTRAINT_FAILED", Kind::data},
    Known{4031, "ER_CLIENT_INTERACTION_TIMEOUT", Kind::wire},
    Known{4038, "ER_JSON_SYNTAX", Kind::data},
};

const Known* find(unsigned number) {
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const Known& entry) { return entry.number == number; });
  return found == known.end() ? nullptr : &*found;
}

Kind kind_of(unsigned number) {
  const Known* entry = find(number);
  return entry == nullptr ? Kind::other : entry->kind;
}

}  // namespace

std::string error_name(unsigned number) {
  const Known* entry = find(number);
  return entry == nullptr ? fmt::format("mysql_{}", number) : std::string(entry->name);
}

bool is_about_data(unsigned number) { return kind_of(number) == Kind::data; }

MysqlError::MysqlError(std::string code, unsigned number, std::string sqlstate, std::string message,
                       std::string hint)
    : Error(std::move(code), std::move(message), std::move(hint)),
      number_(number),
      sqlstate_(std::move(sqlstate)) {}

std::string MysqlError::name() const { return error_name(number_); }

bool MysqlError::is_data_error() const {
  // Class 45 is what a trigger says with SIGNAL, in its author's own numbers.
  return kind_of(number_) == Kind::data || sqlstate_.starts_with("22") || sqlstate_.starts_with("23") ||
         sqlstate_.starts_with("45");
}

bool MysqlError::is_transient() const {
  return code() == "mysql.unreachable" || code() == "mysql.connection_lost" ||
         kind_of(number_) == Kind::moment || kind_of(number_) == Kind::wire;
}

bool MysqlError::is_connection_lost() const {
  return code() == "mysql.connection_lost" || is_in_doubt() || kind_of(number_) == Kind::wire;
}

bool MysqlError::is_in_doubt() const { return code() == "mysql.commit_in_doubt"; }

}  // namespace eddy::mysql
