#include <gtest/gtest.h>

#include <mutex>

#include "core/error.h"
#include "project/runner.h"
#include "project/selection.h"

namespace eddy::project {
namespace {

Graph shop() {
  Graph g;
  g.add({"raw.shop_customers", NodeKind::stream, "sources/shop.yml", {}, {}, "", "files", ""});
  g.add({"raw.shop_orders", NodeKind::stream, "sources/shop.yml", {}, {}, "", "files", ""});
  g.add({"clean.customers",
         NodeKind::model,
         "models/clean/customers.sql",
         {"raw.shop_customers"},
         {"nightly"},
         "",
         "",
         "table"});
  g.add({"clean.orders",
         NodeKind::model,
         "models/clean/orders.sql",
         {"raw.shop_orders"},
         {"nightly", "hot"},
         "",
         "",
         "view"});
  g.add({"test.clean.customers.unique.id",
         NodeKind::test,
         "models/clean/customers.sql",
         {"clean.customers"},
         {},
         "",
         "",
         ""});
  g.add({"test.clean.orders.relationships.id",
         NodeKind::test,
         "models/clean/orders.sql",
         {"clean.orders", "clean.customers"},
         {},
         "",
         "",
         ""});
  g.add({"presentation.customer_360",
         NodeKind::model,
         "models/presentation/customer_360.sql",
         {"clean.customers", "clean.orders"},
         {},
         "",
         "",
         "table"});
  g.add({"sync.hubspot",
         NodeKind::sync,
         "syncs/hubspot.yml",
         {"presentation.customer_360"},
         {},
         "",
         "hubspot",
         ""});
  g.connect();
  return g;
}

using Names = std::set<std::string>;

TEST(Selection, FollowsDbtsGrammar) {
  const Graph g = shop();
  const Names customers = {"clean.customers", "test.clean.customers.unique.id"};
  EXPECT_EQ(select(g, {"customers"}, {}), customers);
  EXPECT_EQ(select(g, {"clean.customers"}, {}), customers);
  EXPECT_EQ(select(g, {"tag:nightly,tag:hot"}, {}), (Names{"clean.orders"}));
  EXPECT_EQ(select(g, {"path:models/presentation sync.hubspot"}, {}),
            (Names{"presentation.customer_360", "sync.hubspot"}));
  EXPECT_EQ(select(g, {"1+customer_360"}, {"resource_type:test"}),
            (Names{"clean.customers", "clean.orders", "presentation.customer_360"}));
  EXPECT_EQ(select(g, {"shop_orders+1"}, {}), (Names{"raw.shop_orders", "clean.orders"}));
  EXPECT_EQ(select(g, {"+hubspot"}, {}).size(), 8U);
  EXPECT_EQ(select(g, {"@shop_customers"}, {}).size(), 8U);
  EXPECT_EQ(select(g, {"clean"}, {"test.*"}), (Names{"clean.customers", "clean.orders"}));
  EXPECT_EQ(select(g, {"clean.*"}, {}).size(), 4U);
  EXPECT_EQ(select(g, {"destination:hubspot"}, {}), (Names{"sync.hubspot"}));
  EXPECT_EQ(select(g, {"config.materialized:view"}, {}), (Names{"clean.orders"}));
  EXPECT_EQ(select(g, {}, {"sync.*"}).size(), 7U);
}

TEST(Selection, NothingSelectedIsAnErrorWithAGuess) {
  const Graph g = shop();
  try {
    select(g, {"custmers"}, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "selection.unknown");
    EXPECT_NE(e.hint().find("customers"), std::string::npos);
  }
  EXPECT_THROW(select(g, {"colour:red"}, {}), Error);
}

TEST(Graph, FindsCyclesAndOrders) {
  Graph g;
  g.add({"clean.a", NodeKind::model, "", {"clean.c"}, {}, "", "", ""});
  g.add({"clean.b", NodeKind::model, "", {"clean.a"}, {}, "", "", ""});
  g.add({"clean.c", NodeKind::model, "", {"clean.b"}, {}, "", "", ""});
  g.connect();
  EXPECT_EQ(g.cycle().size(), 4U);
  EXPECT_TRUE(shop().cycle().empty());
  EXPECT_EQ(shop().order().size(), 8U);
  // A test comes before the readers of what it tests.
  EXPECT_TRUE(shop().parents("presentation.customer_360").contains("test.clean.orders.relationships.id"));
}

struct Recorder {
  std::mutex mutex;
  std::vector<std::string> ran;
  NodeAction action(std::string failing) {
    return [this, failing](const Node& node) {
      const std::lock_guard lock(mutex);
      ran.push_back(node.name);
      if (node.name == failing) throw Error("x.y", "broken on purpose");
      return NodeResult{};
    };
  }
};

TEST(Runner, AFailureSkipsOnlyWhatDependsOnIt) {
  const Graph g = shop();
  Recorder recorder;
  const Cancel cancel;
  const auto outcomes = run_nodes(
      g, select(g, {}, {}), 3, recorder.action("test.clean.customers.unique.id"), [](const NodeOutcome&) {},
      silent_progress(), cancel);
  ASSERT_EQ(outcomes.size(), 8U);
  std::map<std::string, NodeOutcome> by_name;
  for (const auto& outcome : outcomes) by_name[outcome.node] = outcome;
  EXPECT_EQ(by_name["clean.orders"].result.status, NodeStatus::ok);
  EXPECT_EQ(by_name["presentation.customer_360"].result.status, NodeStatus::skipped);
  EXPECT_EQ(by_name["sync.hubspot"].because_of, "test.clean.customers.unique.id");
  EXPECT_NE(by_name["test.clean.customers.unique.id"].result.error.find("error[x.y]"), std::string::npos);
}

TEST(Runner, WhatWasToldToStopHasNotFailed) {
  const Graph g = shop();
  Cancel cancel;
  const auto outcomes = run_nodes(
      g, select(g, {}, {}), 1,
      [&](const Node&) -> NodeResult {
        cancel.request();
        throw Error("engine.interrupted", "the statement was interrupted");
      },
      [](const NodeOutcome&) {}, silent_progress(), cancel);
  ASSERT_EQ(outcomes.size(), 8U);
  EXPECT_EQ(outcomes[0].result.status, NodeStatus::interrupted);
  EXPECT_EQ(outcomes[0].result.error, "");
  EXPECT_EQ(outcomes[1].result.status, NodeStatus::skipped);
}

TEST(Runner, CancelStartsNothingMore) {
  const Graph g = shop();
  Cancel cancel;
  std::size_t ran = 0;
  const auto outcomes = run_nodes(
      g, select(g, {}, {}), 1,
      [&](const Node&) {
        ++ran;
        cancel.request();
        return NodeResult{};
      },
      [](const NodeOutcome&) {}, silent_progress(), cancel);
  EXPECT_EQ(ran, 1U);
  EXPECT_EQ(outcomes.size(), 8U);
}

}  // namespace
}  // namespace eddy::project
