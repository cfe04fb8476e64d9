// What PostgreSQL, or the wire to it, said no to.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace eddy::postgres {

// Codes: postgres.unreachable (no connection could be made), postgres.login_refused,
// postgres.connection_lost, postgres.commit_in_doubt (the wire broke while COMMIT was on its way: it may or
// may not have happened), postgres.refused (the server answered with an error; sqlstate() says which).
// Messages are the server's own, without its internal context.
class PostgresError : public Error {
 public:
  PostgresError(std::string code, std::string sqlstate, std::string message, std::string hint = {});

  // Five characters, PostgreSQL's appendix A; "" when the server did not speak.
  const std::string& sqlstate() const { return sqlstate_; }
  // "unique_violation" where the name is known, else the five characters.
  std::string name() const;

  // The values are to blame: a constraint, a cast, a length, a trigger's veto. Sending them again would fail
  // again.
  bool is_data_error() const;
  // The moment is to blame: a deadlock, a serialization failure, a shutdown, too many connections. Trying
  // again may work.
  bool is_transient() const;
  // The connection object cannot be used any more.
  bool is_connection_lost() const;
  // The work was sent to be committed and no answer came.
  bool is_in_doubt() const;

 private:
  std::string sqlstate_;
};

// "23505" -> "unique_violation"; unknown states are returned as they are.
std::string_view sqlstate_name(std::string_view sqlstate);

}  // namespace eddy::postgres
