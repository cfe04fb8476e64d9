// Jobs in one call, lists of jobs, aborted jobs.
#include "sandbox/salesforce/bulk.h"

#include "sandbox/test_client.h"

namespace eddy::sandbox::salesforce {
namespace {

class SalesforceJobs : public testing::SandboxTest {
 protected:
  SalesforceJobs() { service_ = "salesforce"; }
  std::string authorization() override {
    if (session_.empty())
      session_ = testing::send(sandbox().port(service_), "POST", "/services/oauth2/token",
                               "Content-Type: application/x-www-form-urlencoded\r\n",
                               "grant_type=client_credentials&client_id=sandbox-client&client_secret="
                               "sandbox-secret")
                     .json()["access_token"];
    return "Authorization: Bearer " + session_ + "\r\n";
  }
  testing::Answer multipart(const std::string& csv, const Json& job) {
    const std::string body =
        "--BOUNDARY\r\nContent-Type: application/json\r\nContent-Disposition: form-data; "
        "name=\"job\"\r\n\r\n" +
        job.dump() +
        "\r\n\r\n--BOUNDARY\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name=\"content\"; "
        "filename=\"content\"\r\n\r\n" +
        csv + "\r\n--BOUNDARY--\r\n";
    return raw("POST", jobs_, body, "multipart/form-data; boundary=BOUNDARY");
  }
  const std::string jobs_ = "/services/data/v62.0/jobs/ingest";
  const Json insert_ = {{"object", "Contact"}, {"operation", "insert"}, {"contentType", "CSV"}};
  std::string session_;
};

TEST_F(SalesforceJobs, JobAndRowsInOneCall) {
  const auto made = multipart("LastName,Email\nSmith,s@x.de\nJones,nope", insert_);
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.json()["state"], "UploadComplete");
  EXPECT_NE(made.header("Sforce-Limit-Info"), "");
  const std::string path = jobs_ + "/" + made.json()["id"].get<std::string>();
  call("GET", path);
  const Json job = call("GET", path).json();
  EXPECT_EQ(job["state"], "JobComplete");
  EXPECT_EQ(job["numberRecordsProcessed"], 2);
  EXPECT_EQ(job["numberRecordsFailed"], 1);
  EXPECT_NE(call("GET", path + "/failedResults").body.find("INVALID_EMAIL_ADDRESS"), std::string::npos);
  EXPECT_EQ(records("Contact")["count"], 1);
  EXPECT_EQ(raw("PUT", path + "/batches", "LastName\nX\n", "text/csv").status, 400);
}

TEST_F(SalesforceJobs, OneCallTakesLittle) {
  EXPECT_EQ(multipart("LastName\n" + std::string(100'000, 'x'), insert_).status, 400);
  EXPECT_EQ(multipart("LastName\nX\n", {{"object", "Nothing"}, {"operation", "insert"}}).status, 400);
  const auto broken =
      raw("POST", jobs_, "--BOUNDARY\r\nContent-Disposition: form-data; name=\"job\"\r\n\r\n{}",
          "multipart/form-data; boundary=BOUNDARY");
  EXPECT_EQ(broken.status, 400);
  EXPECT_EQ(records("Contact")["count"], 0);
  EXPECT_EQ(desk("/stats")["salesforce"]["jobs"], 0);
}

TEST_F(SalesforceJobs, JobsAreListedInPages) {
  for (int i = 0; i < 1001; ++i) ASSERT_EQ(call("POST", jobs_, insert_).status, 200);
  const Json first = call("GET", jobs_).json();
  EXPECT_EQ(first["done"], false);
  EXPECT_EQ(first["records"].size(), 1000);
  const Json rest = call("GET", first["nextRecordsUrl"]).json();
  EXPECT_EQ(rest["done"], true);
  EXPECT_EQ(rest["records"].size(), 1);
  EXPECT_TRUE(rest["nextRecordsUrl"].is_null());
  EXPECT_EQ(call("GET", jobs_ + "?queryLocator=99999").status, 400);
  EXPECT_EQ(call("GET", "/services/data/v62.0/jobs/query").json()["records"], Json::array());
}

TEST_F(SalesforceJobs, AnAbortedJobHasProcessedNothing) {
  const std::string path = jobs_ + "/" + call("POST", jobs_, insert_).json()["id"].get<std::string>();
  raw("PUT", path + "/batches", "LastName\nSmith\n", "text/csv");
  EXPECT_EQ(call("GET", path + "/unprocessedrecords").status, 400);
  EXPECT_EQ(call("PATCH", path, {{"state", "Aborted"}}).json()["state"], "Aborted");
  EXPECT_EQ(call("GET", path + "/unprocessedrecords").body, "LastName\nSmith\n");
  EXPECT_EQ(call("PATCH", path, {{"state", "UploadComplete"}}).status, 400);
  EXPECT_EQ(records("Contact")["count"], 0);
  EXPECT_EQ(call("DELETE", path).status, 204);
  EXPECT_EQ(call("GET", path).status, 404);
}

}  // namespace
}  // namespace eddy::sandbox::salesforce
