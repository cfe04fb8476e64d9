// Search, incremental exports, cursors, ticket fields, comments, imports, tags, and how long jobs are kept.
#include "sandbox/test_client.h"
#include "sandbox/zendesk/zendesk.h"

namespace eddy::sandbox::zendesk {
namespace {

class ZendeskAccount : public testing::SandboxTest {
 protected:
  ZendeskAccount() { service_ = "zendesk"; }
  std::string authorization() override {
    return "Authorization: Basic " + base64("agent@example.com/token:sandbox-api-token") + "\r\n";
  }
  void people(int count) {
    Json users = Json::array();
    for (int i = 1; i <= count; ++i)
      users.push_back({{"id", i}, {"name", fmt::format("N{}", i)}, {"email", fmt::format("n{}@x.de", i)}});
    seed("users", users);
  }
  std::size_t found(const std::string& query) {
    return call("GET", "/api/v2/search.json?query=" + query).json()["results"].size();
  }
};

TEST_F(ZendeskAccount, SearchesAllKindsOfRecords) {
  people(12);
  seed("organizations", {{"name", "Acme Steel"}, {"organization_fields", {{"ltv", 9}}}});
  seed("tickets", {{"subject", "Help me"}, {"priority", "high"}, {"tags", {"vip"}}});
  EXPECT_EQ(found("type:user+email:n3@x.de"), 1);
  EXPECT_EQ(found("type:user+name:N1"), 4);
  EXPECT_EQ(found("%22Acme%20Steel%22"), 1);
  EXPECT_EQ(found("type:organization+ltv>5"), 1);
  EXPECT_EQ(found("priority:high+-tags:vip"), 0);
  EXPECT_EQ(found("type:ticket+created>2020-01-01"), 1);
  EXPECT_EQ(found("type:ticket+created<2020-01-01"), 0);
  EXPECT_EQ(call("GET", "/api/v2/search/count.json?query=type:user").json()["count"], 12);
  EXPECT_EQ(call("GET", "/api/v2/search.json").status, 400);
  EXPECT_EQ(call("GET", "/api/v2/search.json?query=help").json()["results"][0]["result_type"], "ticket");
}

TEST_F(ZendeskAccount, CursorsLeadThroughAList) {
  people(5);
  Json page = call("GET", "/api/v2/users.json?page%5Bsize%5D=2").json();
  EXPECT_EQ(page["users"].size(), 2);
  EXPECT_EQ(page["meta"]["has_more"], true);
  std::size_t rows = 2;
  while (page["meta"]["has_more"].get<bool>()) {
    const std::string next = page["links"]["next"];
    page = call("GET", next.substr(next.find("/api"))).json();
    rows += page["users"].size();
  }
  EXPECT_EQ(rows, 5);
  EXPECT_EQ(page["links"]["next"], nullptr);
}

TEST_F(ZendeskAccount, IncrementalExportsGoOnFromTheirCursor) {
  people(3);
  clock_.advance(std::chrono::seconds{60});
  const Json first = call("GET", "/api/v2/incremental/users/cursor.json?start_time=0&per_page=2").json();
  EXPECT_EQ(first["users"].size(), 2);
  EXPECT_EQ(first["end_of_stream"], false);
  const std::string cursor = first["after_cursor"];
  const Json rest = call("GET", "/api/v2/incremental/users/cursor.json?cursor=" + cursor).json();
  EXPECT_EQ(rest["users"].size(), 1);
  EXPECT_EQ(rest["end_of_stream"], true);
  call("PUT", "/api/v2/users/1.json", {{"user", {{"notes", "changed"}}}});
  const Json changed =
      call("GET", "/api/v2/incremental/users/cursor.json?cursor=" + rest["after_cursor"].get<std::string>())
          .json();
  ASSERT_EQ(changed["users"].size(), 1);
  EXPECT_EQ(changed["users"][0]["id"], 1);
  const Json by_time = call("GET", "/api/v2/incremental/users.json?start_time=1700000060").json();
  EXPECT_EQ(by_time["count"], 1);
  EXPECT_EQ(by_time["end_time"], 1'700'000'060);
  EXPECT_EQ(by_time["end_of_stream"], true);
  EXPECT_EQ(call("GET", "/api/v2/incremental/shoes.json?start_time=0").status, 404);
  EXPECT_EQ(call("GET", "/api/v2/incremental/users/cursor.json").status, 400);
}

TEST_F(ZendeskAccount, ExportsHaveALimitOfTheirOwn) {
  const auto exported = [&] { return call("GET", "/api/v2/incremental/organizations.json?start_time=0"); };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(exported().status, 200);
  const auto over = exported();
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.header("Content-Type"), "text/plain");
  EXPECT_EQ(over.header("Retry-After"), "6");
  EXPECT_EQ(over.header("zendesk-ratelimit-incremental-exports"), "total=10; remaining=0; resets=60");
  EXPECT_EQ(call("GET", "/api/v2/users.json").status, 200);
}

TEST_F(ZendeskAccount, TicketsHaveFieldsCommentsAndTags) {
  Json ticket = {
      {"subject", "S"},
      {"comment", {{"body", "first"}}},
      {"custom_fields", {{{"id", 8002}, {"value", "12.5"}}, {{"id", 1}, {"value", "no such field"}}}}};
  const Json made = call("POST", "/api/v2/tickets", {{"ticket", ticket}}).json()["ticket"];
  const std::string path = "/api/v2/tickets/" + std::to_string(made["id"].get<int>());
  const auto value = [](const Json& of, int id) {
    return (*std::ranges::find_if(of["custom_fields"],
                                  [&](const Json& one) { return one["id"] == id; }))["value"];
  };
  EXPECT_EQ(value(made, 8002), 12.5);
  EXPECT_EQ(value(made, 8004), false);
  const Json more = {{"custom_fields", {{{"id", 8003}, {"value", "low"}}}},
                     {"comment", {{"body", "second"}}}};
  const Json changed = call("PUT", path, {{"ticket", more}}).json();
  EXPECT_EQ(value(changed["ticket"], 8002), 12.5);  // what is not sent stays
  EXPECT_TRUE(changed.contains("audit"));
  const Json wrong = {{"custom_fields", {{{"id", 8003}, {"value", "huge"}}}}};
  EXPECT_EQ(call("PUT", path, {{"ticket", wrong}}).status, 422);
  EXPECT_EQ(call("GET", path + "/comments.json").json()["comments"][1]["body"], "second");
  EXPECT_EQ(call("PUT", path + "/tags", {{"tags", {"a", "b"}}}).json()["tags"], Json({"a", "b"}));
  EXPECT_EQ(call("DELETE", path + "/tags", {{"tags", {"a"}}}).json()["tags"], Json({"b"}));
  EXPECT_EQ(call("POST", path + "/tags", {{"tags", {"c"}}}).json()["tags"], Json({"c"}));
  const Json fields = call("GET", "/api/v2/ticket_fields.json").json()["ticket_fields"];
  EXPECT_EQ(fields.back()["id"], 8004);
  EXPECT_FALSE(fields.back().contains("key"));
  EXPECT_EQ(
      call("GET", "/api/v2/ticket_fields/8003.json").json()["ticket_field"]["custom_field_options"].size(),
      3);
}

TEST_F(ZendeskAccount, TicketsAreImported) {
  const Json old = {{"subject", "Old"}, {"comments", {{{"value", "long ago"}}}}};
  EXPECT_EQ(call("POST", "/api/v2/imports/tickets.json", {{"ticket", old}}).json()["ticket"]["description"],
            "long ago");
  EXPECT_EQ(call("POST", "/api/v2/imports/tickets/create_many.json", {{"tickets", {old, old}}})
                .json()["job_status"]["total"],
            2);
  EXPECT_EQ(records("tickets")["count"], 3);
}

TEST_F(ZendeskAccount, JobsAreForgottenAfterADay) {
  const std::string id =
      call("POST", "/api/v2/organizations/create_many", {{"organizations", {{{"name", "A"}}}}})
          .json()["job_status"]["id"];
  const std::string path = "/api/v2/job_statuses/" + id + ".json";
  EXPECT_EQ(call("GET", "/api/v2/job_statuses.json").json()["job_statuses"].size(), 1);
  clock_.advance(std::chrono::hours{24});
  EXPECT_EQ(call("GET", path).status, 200);
  clock_.advance(std::chrono::seconds{1});
  EXPECT_EQ(call("GET", path).status, 404);
  EXPECT_EQ(call("GET", "/api/v2/job_statuses/show_many.json?ids=" + id).json()["count"], 0);
  EXPECT_EQ(desk("/stats")["zendesk"]["jobs"], 1);
}

TEST_F(ZendeskAccount, TheThirtyFirstJobIsOneTooMany) {
  const auto start_one = [&](int i) {
    return call("POST", "/api/v2/organizations/create_many",
                {{"organizations", {{{"name", fmt::format("O{}", i)}}}}});
  };
  for (int i = 0; i < 30; ++i) ASSERT_EQ(start_one(i).status, 200);
  const auto over = start_one(30);
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.json()["error"], "TooManyJobs");
}

TEST_F(ZendeskAccount, BulkImportsMayBeForbiddenAgain) {
  Options with = options();
  with.zendesk.bulk_import = true;
  start(with);
  const auto upsert = [&] {
    return call("POST", "/api/v2/users/create_or_update_many",
                {{"users", {{{"name", "A"}, {"external_id", "a"}}}}});
  };
  EXPECT_EQ(upsert().status, 200);
  fault("bulk_forbidden", {{"times", 1}});
  EXPECT_EQ(upsert().status, 403);
}

TEST_F(ZendeskAccount, ResultsOfJobsAreShuffledUnlessToldOtherwise) {
  const auto order = [&] {
    Json tickets = Json::array();
    for (int i = 0; i < 20; ++i) tickets.push_back({{"description", "d"}});
    const std::string path =
        "/api/v2/job_statuses/" + call("POST", "/api/v2/tickets/create_many", {{"tickets", tickets}})
                                      .json()["job_status"]["id"]
                                      .get<std::string>();
    call("GET", path);
    std::vector<int> indexes;
    const Json results = call("GET", path).json()["job_status"]["results"];
    for (const Json& row : results) indexes.push_back(row["index"]);
    return indexes;
  };
  EXPECT_FALSE(std::ranges::is_sorted(order()));
  fault("job_shuffle", 0);
  EXPECT_TRUE(std::ranges::is_sorted(order()));
}

TEST_F(ZendeskAccount, ListedItemsMayBeNamedInTheAddressToo) {
  seed("users", {{{"id", 1}, {"name", "A"}, {"external_id", "a"}}});
  call("PUT", "/api/v2/users/update_many.json?external_ids=a",
       {{"users", {{{"external_id", "a"}, {"name", "A2"}}}}});
  EXPECT_EQ(records("users")["records"][0]["name"], "A2");
  EXPECT_EQ(call("GET", "/api/v2/users/autocomplete.json?name=a").json()["users"].size(), 1);
}

}  // namespace
}  // namespace eddy::sandbox::zendesk
