// What the tests of this connector share.
#pragma once

#include <fmt/format.h>

#include "connectors/mysql/destination.h"
#include "connectors/tables/testing_tables.h"
#include "support/delivery.h"
#include "support/mariadb_server.h"

namespace eddy::connectors {
using testing::change_of;
using testing::error_of;
using testing::rows;

inline std::unique_ptr<sync::Destination> make_mysql(const std::string& settings) {
  return testing::make(mysql_destination(), settings);
}

inline std::unique_ptr<sync::Destination> connect(const testing::MariadbServer& server, int port = 0) {
  return make_mysql(fmt::format("{{host: {}, port: {}, database: {}, user: {}, password: {}, tls: disable}}",
                                server.host(), port == 0 ? server.port() : port, server.database(),
                                server.user(), server.password()));
}

inline sync::Delivery delivery_to(const std::string& object, Schema fields = {{"name", Type::text}},
                                  sync::Mode mode = sync::Mode::upsert, const std::string& options = "{}") {
  return testing::delivery_to(mysql_destination(), object, std::move(fields), mode, options);
}

}  // namespace eddy::connectors
