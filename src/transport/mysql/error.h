// What MySQL or MariaDB, or the wire to it, said no to.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace eddy::mysql {

// Codes: mysql.unreachable (no connection could be made), mysql.login_refused, mysql.connection_lost,
// mysql.commit_in_doubt (the wire broke while COMMIT was on its way: it may or may not have happened),
// mysql.refused (the server answered with an error; number() says which). Messages are the server's own.
class MysqlError : public Error {
 public:
  MysqlError(std::string code, unsigned number, std::string sqlstate, std::string message,
             std::string hint = {});

  unsigned number() const { return number_; }                // 1062; 0 when neither side gave one
  const std::string& sqlstate() const { return sqlstate_; }  // "23000"; "" when the server did not speak
  std::string name() const;                                  // "ER_DUP_ENTRY" where known, else "mysql_1062"

  // The values are to blame: a constraint, a cast, a length, a trigger's veto. Sending them again would fail
  // again.
  bool is_data_error() const;
  // The moment is to blame: a deadlock, a lock wait, a shutdown, too many connections. Trying again may work.
  bool is_transient() const;
  // The connection object cannot be used any more.
  bool is_connection_lost() const;
  // The work was sent to be committed and no answer came.
  bool is_in_doubt() const;

 private:
  unsigned number_;
  std::string sqlstate_;
};

// 1062 -> "ER_DUP_ENTRY"; numbers without a known name become "mysql_1062".
std::string error_name(unsigned number);
// The number is about values, whether it came as an error or as a warning.
bool is_about_data(unsigned number);

}  // namespace eddy::mysql
