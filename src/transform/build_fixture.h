// A project with a real engine, control database and lake in a scratch folder. For the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "state/store.h"
#include "support/scratch.h"
#include "transform/build.h"

namespace eddy::transform {

class BuildTest : public ::testing::Test {
 protected:
  BuildTest() { reopen(); }

  // A new process would start like this.
  void reopen() {
    session.reset();
    store.reset();
    store = state::Store::open(scratch / "state.db");
    session = std::make_unique<warehouse::Session>(
        warehouse::Places{scratch.path(), scratch / ".eddy", scratch / "lake", scratch / "warehouse.duckdb"},
        *store, engine::Options{.memory_limit = "500MB", .spill_folder = scratch / "spill", .threads = 2},
        warehouse::Access::write);
  }

  ModelSpec model(const std::string& relation, const std::string& text) {
    const auto dot = relation.find('.');
    const std::string layer = relation.substr(0, dot), name = relation.substr(dot + 1);
    Diagnostics diagnostics;
    auto spec = parse_model(layer, name, "models/" + layer + "/" + name + ".sql", text,
                            config::no_variables(), diagnostics);
    diagnostics.throw_if_any();
    return *spec;
  }

  BuildResult build(const std::string& relation, const std::string& text) {
    return build_model(*session, model(relation, text), "run-1", clock, silent_progress(), cancel);
  }

  Error error_of(const std::string& relation, const std::string& text) {
    try {
      build(relation, text);
    } catch (const Error& e) {
      return e;
    }
    ADD_FAILURE() << relation << " was built";
    return Error("none", "no error");
  }

  // Rows as "a,b; c,d", NULL as "-".
  std::string rows(const std::string& sql) {
    auto connection = session->connect();
    std::string out;
    for (const Row& row : connection.query(sql).rows()) {
      std::string line;
      for (const Value& value : row)
        line += (line.empty() ? "" : ",") + (value.is_null() ? "-" : value.to_text());
      out += (out.empty() ? "" : "; ") + line;
    }
    return out;
  }

  testing::Scratch scratch;
  std::unique_ptr<state::Store> store;
  std::unique_ptr<warehouse::Session> session;
  ManualClock clock;
  Cancel cancel;
};

}  // namespace eddy::transform
