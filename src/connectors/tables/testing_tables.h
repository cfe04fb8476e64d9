// What the tests of the database connectors share.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "config/document.h"
#include "core/error.h"
#include "sync/destination.h"

namespace eddy::testing {

// Of a connection's settings, or a sync's options; throws when they do not fit the shape.
inline config::Node yaml(const std::string& text, const config::Shape& shape) {
  Diagnostics diagnostics;
  const config::Node node = config::parse(text, "test.yml", config::no_variables(), diagnostics);
  shape.check(node, diagnostics);
  diagnostics.throw_if_any();
  return node;
}

inline std::unique_ptr<sync::Destination> make(const sync::DestinationType& type, const std::string& settings,
                                               const std::filesystem::path& project = "/") {
  static const Cancel cancel;
  return type.make(yaml(settings, type.settings),
                   {.clock = system_clock(), .cancel = cancel, .project = project});
}

// id is the key; the fields as asked, with the types of their values.
inline sync::Delivery delivery_to(const sync::DestinationType& type, const std::string& object,
                                  Schema fields = {{"name", Type::text}},
                                  sync::Mode mode = sync::Mode::upsert, const std::string& options = "{}") {
  return {.object = object,
          .mode = mode,
          .removed = sync::Removal::erase,
          .key = {{"id", Type::integer}},
          .fields = std::move(fields),
          .options = yaml(options, type.options),
          .sync = "test"};
}

inline Change change_of(Value key, Row fields) {
  Change change{
      .operation = Operation::add, .key = {std::move(key)}, .fields = std::move(fields), .changed = {}};
  change.changed.assign(change.fields.size(), true);
  return change;
}

// New records 0, 1, 2, … with this name.
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

}  // namespace eddy::testing
