// What the tests of this connector share.
#pragma once

#include <gtest/gtest.h>

#include "config/document.h"
#include "connectors/mysql/destination.h"
#include "support/delivery.h"
#include "support/mariadb_server.h"

namespace eddy::connectors {

inline config::Node yaml(const std::string& text, const config::Shape& shape) {
  Diagnostics diagnostics;
  const config::Node node = config::parse(text, "test.yml", config::no_variables(), diagnostics);
  shape.check(node, diagnostics);
  diagnostics.throw_if_any();
  return node;
}

inline std::unique_ptr<sync::Destination> make_mysql(const std::string& settings) {
  static const Cancel cancel;
  const auto type = mysql_destination();
  return type.make(yaml(settings, type.settings),
                   {.clock = system_clock(), .cancel = cancel, .project = "/"});
}

inline std::unique_ptr<sync::Destination> connect(const testing::MariadbServer& server, int port = 0) {
  return make_mysql(fmt::format("{{host: {}, port: {}, database: {}, user: {}, password: {}, tls: disable}}",
                                server.host(), port == 0 ? server.port() : port, server.database(),
                                server.user(), server.password()));
}

// id is the key; the fields as asked, with the types of their values.
inline sync::Delivery delivery_to(const std::string& object, Schema fields = {{"name", Type::text}},
                                  sync::Mode mode = sync::Mode::upsert, const std::string& options = "{}") {
  return {.object = object,
          .mode = mode,
          .removed = sync::Removal::erase,
          .key = {{"id", Type::integer}},
          .fields = std::move(fields),
          .options = yaml(options, mysql_destination().options),
          .sync = "test"};
}

inline Change change_of(Value key, Row fields) {
  Change change{
      .operation = Operation::add, .key = {std::move(key)}, .fields = std::move(fields), .changed = {}};
  change.changed.assign(change.fields.size(), true);
  return change;
}

inline std::vector<Change> rows(int count, const std::string& name = "row") {
  std::vector<Change> changes;
  for (int i = 0; i < count; ++i) {
    changes.push_back(change_of(Value::integer(i), {Value::text(name)}));
    changes.back().number = static_cast<std::uint64_t>(i);
  }
  return changes;
}

inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error("none", "none");
}

}  // namespace eddy::connectors
