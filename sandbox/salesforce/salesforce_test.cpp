#include "sandbox/salesforce/salesforce.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "sandbox/test_client.h"

namespace eddy::sandbox::salesforce {
namespace {

class SalesforceTest : public testing::SandboxTest {
 protected:
  SalesforceTest() { service_ = "salesforce"; }

  testing::Answer token(const std::string& form) {
    return testing::send(sandbox().port(service_), "POST", "/services/oauth2/token",
                         "Content-Type: application/x-www-form-urlencoded\r\n", form);
  }
  std::string authorization() override {
    if (session_.empty())
      session_ = token("grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret")
                     .json()["access_token"];
    return "Authorization: Bearer " + session_ + "\r\n";
  }
  // An upsert of contacts by External_Id__c; `rows` without attributes.
  testing::Answer upsert(Json rows, bool all_or_none = false) {
    for (Json& row : rows) row["attributes"] = {{"type", "Contact"}};
    return call("PATCH", base_ + "/composite/sobjects/Contact/External_Id__c",
                {{"allOrNone", all_or_none}, {"records", rows}});
  }
  // Creates, uploads and closes a job; its id.
  std::string run_job(const std::string& csv, Json job = {{"object", "Contact"},
                                                          {"operation", "upsert"},
                                                          {"externalIdFieldName", "External_Id__c"}}) {
    job["contentType"] = "CSV";
    const Json created = call("POST", base_ + "/jobs/ingest", job).json();
    const std::string id = created["id"];
    EXPECT_EQ(raw("PUT", "/" + created["contentUrl"].get<std::string>(), csv, "text/csv").status, 201);
    EXPECT_EQ(call("PATCH", base_ + "/jobs/ingest/" + id, {{"state", "UploadComplete"}}).json()["state"],
              "UploadComplete");
    return id;
  }
  Csv job_file(const std::string& id, const std::string& name) {
    const auto answer = call("GET", base_ + "/jobs/ingest/" + id + "/" + name);
    EXPECT_EQ(answer.header("Content-Type"), "text/csv");
    return parse_csv(answer.body, ',');
  }
  void finish(const std::string& id) {
    call("GET", base_ + "/jobs/ingest/" + id);
    call("GET", base_ + "/jobs/ingest/" + id);
  }
  const std::string base_ = "/services/data/v60.0";
  std::string session_;
};

TEST_F(SalesforceTest, ClientCredentialsGiveATokenAndTheInstance) {
  const auto answer =
      token("grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret");
  EXPECT_EQ(answer.status, 200);
  const Json body = answer.json();
  EXPECT_EQ(body["instance_url"], sandbox().url("salesforce"));
  EXPECT_EQ(body["token_type"], "Bearer");
  EXPECT_EQ(body["issued_at"], "1700000000000");
  EXPECT_FALSE(body.contains("expires_in"));
  EXPECT_EQ(token("grant_type=refresh_token&client_id=sandbox-client&refresh_token=sandbox-refresh").status,
            200);
}

TEST_F(SalesforceTest, RefusedGrantsSayWhy) {
  const auto wrong = token("grant_type=client_credentials&client_id=sandbox-client&client_secret=no");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json(),
            Json({{"error", "invalid_client"}, {"error_description", "invalid client credentials"}}));
  EXPECT_EQ(token("grant_type=refresh_token&client_id=sandbox-client&refresh_token=x").json()["error"],
            "invalid_grant");
  EXPECT_EQ(token("grant_type=password").json()["error"], "unsupported_grant_type");
  fault("refresh_in_progress");
  EXPECT_EQ(token("grant_type=refresh_token&client_id=sandbox-client&refresh_token=sandbox-refresh")
                .json()["error"],
            "invalid_grant");
}

std::string base64url(const std::string& bytes) {
  std::string text = base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return replace_all(replace_all(text, "+", "-"), "/", "_");
}

TEST_F(SalesforceTest, JwtAssertionsAreVerifiedAgainstTheKey) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(2048), &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PUBKEY(pem.get(), key.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(pem.get(), &data);
  Options with = options();
  with.salesforce.credentials.jwt_public_key = std::string(data, static_cast<std::size_t>(size));
  start(with);
  const auto assertion = [&](const Json& claims) {
    const std::string text = base64url(R"({"alg":"RS256"})") + "." + base64url(claims.dump());
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::string signature(256, '\0');
    std::size_t length = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return text + "." + base64url(signature);
  };
  const Json claims = {{"iss", "sandbox-client"},
                       {"sub", "integration@example.com"},
                       {"aud", "https://login.salesforce.com"},
                       {"exp", 1'700'000'180}};
  const std::string grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  const std::string good = assertion(claims);
  EXPECT_EQ(token(grant + good).status, 200);
  std::string forged = good;
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(token(grant + forged).json()["error_description"], "invalid assertion signature");
  Json late = claims;
  late["exp"] = 1'699'999'999;
  EXPECT_EQ(token(grant + assertion(late)).json()["error"], "invalid_grant");
}

TEST_F(SalesforceTest, VersionsNeedNoTokenAndEverythingElseDoes) {
  const auto versions = testing::send(sandbox().port(service_), "GET", "/services/data/");
  EXPECT_EQ(versions.json().back()["version"], "68.0");
  EXPECT_EQ(versions.header("Sforce-Limit-Info"), "");
  const auto refused =
      testing::send(sandbox().port(service_), "GET", base_ + "/sobjects", "Authorization: Bearer x\r\n");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.json(),
            Json::array({{{"message", "Session expired or invalid"}, {"errorCode", "INVALID_SESSION_ID"}}}));
  EXPECT_EQ(call("GET", "/services/data/v99.0/sobjects").status, 404);
  EXPECT_EQ(call("GET", base_ + "/limits").header("Sforce-Limit-Info"), "api-usage=2/100000");
}

TEST_F(SalesforceTest, DescribeNamesKeysRequiredFieldsAndOptions) {
  const Json contact = call("GET", base_ + "/sobjects/Contact/describe").json();
  std::map<std::string, Json> fields;
  for (const Json& field : contact["fields"]) fields[field["name"]] = field;
  EXPECT_EQ(fields["External_Id__c"]["externalId"], true);
  EXPECT_EQ(fields["Email"]["idLookup"], true);
  EXPECT_EQ(fields["LastName"]["nillable"], false);
  EXPECT_EQ(fields["LastName"]["defaultedOnCreate"], false);
  EXPECT_EQ(fields["CreatedDate"]["createable"], false);
  EXPECT_EQ(fields["Health__c"]["restrictedPicklist"], true);
  EXPECT_EQ(fields["Health__c"]["picklistValues"][0]["value"], "healthy");
  EXPECT_EQ(fields["AccountId"]["referenceTo"], Json({"Account"}));
  EXPECT_EQ(fields["AccountId"]["relationshipName"], "Account");
  EXPECT_EQ(fields["Lifetime_Value__c"]["scale"], 2);
  EXPECT_EQ(call("GET", base_ + "/sobjects/").json()["sobjects"].size(), 8);
  EXPECT_EQ(call("GET", base_ + "/sobjects/Nope/describe").status, 404);
}

TEST_F(SalesforceTest, UpsertAnswersRowByRowInOrder) {
  ASSERT_EQ(upsert({{{"External_Id__c", "1"}, {"LastName", "Old"}}}).json()[0]["created"], true);
  const auto answer = upsert({{{"External_Id__c", "2"}, {"LastName", "New"}, {"Email", "nope"}},
                              {{"External_Id__c", "1"}, {"Lifetime_Value__c", 12.5}},
                              {{"External_Id__c", "3"}},
                              {{"External_Id__c", "4"}, {"LastName", std::string(81, 'x')}},
                              {{"LastName", "Keyless"}}});
  EXPECT_EQ(answer.status, 200);
  const Json rows = answer.json();
  EXPECT_EQ(rows[0]["errors"][0]["statusCode"], "INVALID_EMAIL_ADDRESS");
  EXPECT_EQ(rows[0]["errors"][0]["fields"], Json({"Email"}));
  EXPECT_FALSE(rows[0].contains("id"));
  EXPECT_EQ(rows[1]["success"], true);
  EXPECT_EQ(rows[1]["created"], false);
  EXPECT_EQ(rows[1]["errors"], Json::array());
  EXPECT_EQ(rows[2]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
  EXPECT_EQ(rows[2]["errors"][0]["message"], "Required fields are missing: [LastName]");
  EXPECT_EQ(rows[3]["errors"][0]["statusCode"], "STRING_TOO_LONG");
  EXPECT_EQ(rows[4]["errors"][0]["statusCode"], "MISSING_ARGUMENT");
  const Json kept = records("Contact");
  ASSERT_EQ(kept["count"], 1);
  EXPECT_EQ(kept["records"][0]["LastName"], "Old");
  EXPECT_EQ(kept["records"][0]["Lifetime_Value__c"], 12.5);
  EXPECT_EQ(kept["records"][0]["_writes"], 2);
  const Json entry = last_request();
  EXPECT_EQ(entry["rows"], 5);
  EXPECT_EQ(entry["keys"], Json({"2", "1", "3", "4", ""}));
  EXPECT_EQ(entry["updated"], 1);
  EXPECT_EQ(entry["rejected"], 4);
  EXPECT_EQ(entry["applied"], true);
}

TEST_F(SalesforceTest, OneUnknownFieldRefusesTheWholeRequest) {
  const auto answer = upsert({{{"External_Id__c", "1"}, {"LastName", "A"}},
                              {{"External_Id__c", "2"}, {"LastName", "B"}, {"Nope__c", 1}}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json()[0]["errorCode"], "INVALID_FIELD");
  EXPECT_EQ(answer.json()[0]["message"], "No such column 'Nope__c' on sobject of type Contact");
  EXPECT_EQ(records("Contact")["count"], 0);
  EXPECT_EQ(upsert({{{"External_Id__c", "1"}, {"LastName", "A"}, {"Lead_Score__c", "many"}}})
                .json()[0]["errorCode"],
            "JSON_PARSER_ERROR");
}

TEST_F(SalesforceTest, DuplicateKeysInOneRequestAllFail) {
  const Json rows = upsert({{{"External_Id__c", "1"}, {"LastName", "A"}},
                            {{"External_Id__c", "2"}, {"LastName", "B"}},
                            {{"External_Id__c", "1"}, {"LastName", "C"}}})
                        .json();
  EXPECT_EQ(rows[0]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
  EXPECT_EQ(rows[1]["success"], true);
  EXPECT_EQ(rows[2]["errors"][0]["message"], "Duplicate external id specified: 1");
}

TEST_F(SalesforceTest, AllOrNoneRollsTheGoodRowsBack) {
  const Json rows =
      upsert({{{"External_Id__c", "1"}, {"LastName", "A"}}, {{"External_Id__c", "2"}}}, true).json();
  EXPECT_EQ(rows[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
  EXPECT_EQ(rows[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
  EXPECT_EQ(records("Contact")["count"], 0);
  EXPECT_EQ(last_request()["applied"], false);
}

TEST_F(SalesforceTest, MoreThan200RowsAreRefused) {
  Json rows = Json::array();
  for (int i = 0; i < 201; ++i) rows.push_back({{"External_Id__c", std::to_string(i)}, {"LastName", "x"}});
  const auto answer = upsert(rows);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json()[0]["errorCode"], "EXCEEDED_ID_LIMIT");
}

TEST_F(SalesforceTest, CreateUpdateAndDeleteCollections) {
  const Json contact = {{"attributes", {{"type", "Contact"}}}, {"LastName", "A"}};
  const Json made = call("POST", base_ + "/composite/sobjects",
                         {{"records", {contact, {{"attributes", {{"type", "Account"}}}, {"Name", "Acme"}}}}})
                        .json();
  ASSERT_EQ(made[1]["success"], true);
  EXPECT_FALSE(made[0].contains("created"));
  const std::string id = made[0]["id"];
  EXPECT_TRUE(id.starts_with("003"));
  EXPECT_EQ(id.size(), 18);
  const Json updated =
      call("PATCH", base_ + "/composite/sobjects",
           {{"records",
             {{{"attributes", {{"type", "Contact"}}}, {"id", id}, {"AccountId", made[1]["id"]}},
              {{"attributes", {{"type", "Contact"}}}, {"id", "003000000000000AAA"}, {"Title", "x"}}}}})
          .json();
  EXPECT_EQ(updated[0]["success"], true);
  EXPECT_EQ(updated[1]["errors"][0]["statusCode"], "INVALID_CROSS_REFERENCE_KEY");
  const Json gone = call("DELETE", base_ + "/composite/sobjects?ids=" + id.substr(0, 15) + "," + id +
                                       ",zzz&allOrNone=false")
                        .json();
  EXPECT_EQ(gone[0]["success"], true);
  EXPECT_EQ(gone[1]["errors"][0]["statusCode"], "ENTITY_IS_DELETED");
  EXPECT_EQ(gone[2]["errors"][0]["statusCode"], "MALFORMED_ID");
}

TEST_F(SalesforceTest, ParentsAreFoundByTheirExternalId) {
  seed("Account", {{"Name", "Acme"}, {"External_Id__c", "acme"}});
  const Json rows =
      upsert({{{"External_Id__c", "1"}, {"LastName", "A"}, {"Account", {{"External_Id__c", "acme"}}}},
              {{"External_Id__c", "2"}, {"LastName", "B"}, {"Account", {{"External_Id__c", "none"}}}}})
          .json();
  EXPECT_EQ(rows[0]["success"], true);
  EXPECT_EQ(rows[1]["errors"][0]["message"],
            "Foreign key external ID: none not found for field External_Id__c in entity Account");
  EXPECT_EQ(records("Contact")["records"][0]["AccountId"], records("Account")["records"][0]["_id"]);
}

TEST_F(SalesforceTest, SingleUpsertByKey) {
  const std::string path = "/sobjects/Contact/External_Id__c/";
  const auto created = call("PATCH", base_ + path + "a%2Fb", {{"LastName", "A"}});
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.json()["created"], true);
  const auto updated = call("PATCH", base_ + path + "a%2Fb", {{"LastName", "B"}});
  EXPECT_EQ(updated.status, 200);
  EXPECT_EQ(updated.json()["created"], false);
  const auto old_version = call("PATCH", "/services/data/v45.0" + path + "a%2Fb", {{"LastName", "C"}});
  EXPECT_EQ(old_version.status, 204);
  EXPECT_EQ(old_version.body, "");
  EXPECT_EQ(call("PATCH", base_ + path + "zz?updateOnly=true", {{"LastName", "B"}}).status, 404);
  EXPECT_EQ(call("PATCH", base_ + path + "q", {{"External_Id__c", "q"}}).json()[0]["errorCode"],
            "INVALID_FIELD");
  EXPECT_EQ(call("PATCH", base_ + "/sobjects/Contact/Phone/1", {{"LastName", "B"}}).status, 404);
  EXPECT_EQ(call("GET", base_ + path + "a%2Fb").json()["LastName"], "C");
  EXPECT_EQ(call("DELETE", base_ + path + "a%2Fb").status, 204);
  EXPECT_EQ(call("GET", base_ + path + "a%2Fb").status, 404);
}

TEST_F(SalesforceTest, AKeyThatFitsSeveralRecordsIs300) {
  seed("Contact",
       {{{"LastName", "A"}, {"External_Id__c", "d"}}, {{"LastName", "B"}, {"External_Id__c", "D"}}});
  const auto answer = call("PATCH", base_ + "/sobjects/Contact/External_Id__c/d", {{"LastName", "C"}});
  EXPECT_EQ(answer.status, 300);
  EXPECT_EQ(answer.json().size(), 2);
  EXPECT_TRUE(answer.json()[0].get<std::string>().starts_with("/services/data/v60.0/sobjects/Contact/003"));
  EXPECT_EQ(upsert({{{"External_Id__c", "d"}, {"LastName", "C"}}}).json()[0]["errors"][0]["statusCode"],
            "DUPLICATE_EXTERNAL_ID");
  EXPECT_EQ(records("Contact", "?key=LastName:C")["count"], 0);
}

TEST_F(SalesforceTest, CompositeRunsSeveralCallsAsOne) {
  const Json body = {{"allOrNone", true},
                     {"compositeRequest",
                      {{{"method", "POST"},
                        {"url", base_ + "/sobjects/Account"},
                        {"referenceId", "acc"},
                        {"body", {{"Name", "Acme"}}}},
                       {{"method", "POST"},
                        {"url", base_ + "/sobjects/Contact"},
                        {"referenceId", "con"},
                        {"body", {{"LastName", "A"}, {"AccountId", "@{acc.id}"}}}}}}};
  const auto answer = call("POST", base_ + "/composite", body);
  EXPECT_EQ(answer.status, 200);
  const Json parts = answer.json()["compositeResponse"];
  EXPECT_EQ(parts[1]["httpStatusCode"], 201);
  EXPECT_EQ(parts[1]["referenceId"], "con");
  EXPECT_EQ(records("Contact")["records"][0]["AccountId"], parts[0]["body"]["id"]);
  EXPECT_EQ(answer.header("Sforce-Limit-Info"), "api-usage=1/100000");

  Json failing = body;
  failing["compositeRequest"][1]["body"] = {{"FirstName", "no last name"}};
  const Json rolled = call("POST", base_ + "/composite", failing).json()["compositeResponse"];
  EXPECT_EQ(rolled[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
  EXPECT_EQ(rolled[1]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
  EXPECT_EQ(records("Account")["count"], 1);
}

TEST_F(SalesforceTest, QueriesLookUpAndPage) {
  Json contacts = Json::array();
  for (int i = 0; i < 450; ++i)
    contacts.push_back({{"LastName", "L"},
                        {"External_Id__c", fmt::format("e{}", i)},
                        {"Email", fmt::format("e{}@x.de", i)}});
  seed("Contact", contacts);
  const Json found = call("GET", base_ +
                                     "/query?q=SELECT+Id,Email+FROM+Contact+WHERE+External_Id__c+IN+('e1','"
                                     "E7','zz')+AND+LastName='l'")
                         .json();
  EXPECT_EQ(found["totalSize"], 2);
  EXPECT_EQ(found["done"], true);
  EXPECT_EQ(found["records"][1]["Email"], "e7@x.de");
  EXPECT_EQ(found["records"][0]["attributes"]["type"], "Contact");
  EXPECT_EQ(call("GET", base_ + "/query?q=SELECT+COUNT()+FROM+Contact+WHERE+Email!=null").json()["totalSize"],
            450);
  Json page = testing::send(sandbox().port(service_), "GET", base_ + "/query?q=SELECT+Id+FROM+Contact",
                            authorization() + "Sforce-Query-Options: batchSize=200\r\n")
                  .json();
  std::size_t rows = page["records"].size();
  EXPECT_EQ(rows, 200);
  while (!page["done"].get<bool>()) {
    page = call("GET", page["nextRecordsUrl"]).json();
    rows += page["records"].size();
  }
  EXPECT_EQ(rows, 450);
  EXPECT_EQ(call("GET", base_ + "/query?q=SELECT+Nope+FROM+Contact").json()[0]["errorCode"], "INVALID_FIELD");
  EXPECT_EQ(call("GET", base_ + "/query?q=SELECT+Id+FROM+Nope").json()[0]["errorCode"], "INVALID_TYPE");
  EXPECT_EQ(call("GET", base_ + "/query?q=SELECT+Id").json()[0]["errorCode"], "MALFORMED_QUERY");
}

TEST_F(SalesforceTest, ABulkJobGoesThroughItsStates) {
  seed("Contact", {{"LastName", "Old"}, {"External_Id__c", "1"}, {"Title", "kept"}, {"Phone", "5"}});
  std::string csv = "External_Id__c,LastName,Title,Phone\n1,New,,#N/A\n2,,x,\n";
  for (int i = 10; i < 40; ++i) csv += fmt::format("{},\"Na\"\"me, {}\",t,\n", i, i);
  const std::string id = run_job(csv);
  EXPECT_EQ(call("GET", base_ + "/jobs/ingest/" + id + "/successfulResults/").status, 400);
  EXPECT_EQ(call("GET", base_ + "/jobs/ingest/" + id).json()["state"], "InProgress");
  const Json done = call("GET", base_ + "/jobs/ingest/" + id).json();
  EXPECT_EQ(done["state"], "JobComplete");
  EXPECT_EQ(done["numberRecordsProcessed"], 32);
  EXPECT_EQ(done["numberRecordsFailed"], 1);
  const Csv good = job_file(id, "successfulResults/"), bad = job_file(id, "failedResults/");
  EXPECT_EQ(good.header, (CsvRow{"sf__Id", "sf__Created", "External_Id__c", "LastName", "Title", "Phone"}));
  ASSERT_EQ(good.rows.size(), 31);
  std::vector<std::string> order;
  std::set<std::string> keys;
  for (const CsvRow& row : good.rows) {
    order.push_back(row[2]);
    keys.insert(row[2]);
    EXPECT_EQ(row[1], row[2] == "1" ? "false" : "true");
  }
  EXPECT_EQ(keys.size(), 31);
  EXPECT_FALSE(std::ranges::is_sorted(order));  // shuffled
  ASSERT_EQ(bad.rows.size(), 1);
  EXPECT_EQ(bad.rows[0][1], "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --");
  EXPECT_TRUE(job_file(id, "unprocessedrecords/").rows.empty());
  const Json old = records("Contact", "?key=External_Id__c:1")["records"][0];
  EXPECT_EQ(old["LastName"], "New");
  EXPECT_EQ(old["Title"], "kept");      // an empty cell leaves the field
  EXPECT_FALSE(old.contains("Phone"));  // #N/A clears it
  EXPECT_EQ(call("DELETE", base_ + "/jobs/ingest/" + id).status, 204);
  EXPECT_EQ(call("GET", base_ + "/jobs/ingest/" + id).status, 404);
}

TEST_F(SalesforceTest, BulkJobsRefuseWhatTheContractForbids) {
  const Json wrong_key = {{"object", "Contact"}, {"operation", "upsert"}, {"externalIdFieldName", "Phone"}};
  EXPECT_EQ(call("POST", base_ + "/jobs/ingest", wrong_key).json()[0]["errorCode"], "INVALIDJOB");
  const std::string id =
      call("POST", base_ + "/jobs/ingest", {{"object", "Contact"}, {"operation", "insert"}}).json()["id"];
  const std::string batches = base_ + "/jobs/ingest/" + id + "/batches";
  EXPECT_EQ(raw("PUT", batches, "LastName\nA\n", "text/csv").status, 201);
  EXPECT_EQ(raw("PUT", batches, "LastName\nB\n", "text/csv").status, 400);
  EXPECT_EQ(call("PATCH", base_ + "/jobs/ingest/" + id, {{"state", "Aborted"}}).json()["state"], "Aborted");
  const std::string crlf = run_job("External_Id__c,LastName\r\n1,A\r\n");
  finish(crlf);
  const Json failed = call("GET", base_ + "/jobs/ingest/" + crlf).json();
  EXPECT_EQ(failed["state"], "Failed");
  EXPECT_EQ(failed["errorMessage"],
            "InvalidBatch : LineEnding is invalid on user data. Current LineEnding setting is LF");
  EXPECT_EQ(job_file(crlf, "unprocessedrecords/").rows.size(), 1);
}

TEST_F(SalesforceTest, BulkTraps) {
  fault("bulk_missing_row", {{"times", 1}});
  const std::string missing = run_job("External_Id__c,LastName\n1,A\n2,B\n3,C\n");
  finish(missing);
  EXPECT_EQ(job_file(missing, "successfulResults").rows.size(), 2);
  EXPECT_EQ(
      job_file(missing, "failedResults").rows.size() + job_file(missing, "unprocessedrecords").rows.size(),
      0);
  fault("bulk_failed_partial", {{"times", 1}});
  const std::string partial = run_job("External_Id__c,LastName\n5,A\n6,B\n7,C\n8,D\n");
  finish(partial);
  EXPECT_EQ(call("GET", base_ + "/jobs/ingest/" + partial).json()["state"], "Failed");
  EXPECT_EQ(job_file(partial, "successfulResults").rows.size(), 2);
  EXPECT_EQ(job_file(partial, "unprocessedrecords").rows.size(), 2);
}

TEST_F(SalesforceTest, RowAndCallFaults) {
  fault("row_locked", {{"times", 1}});
  const Json rows =
      upsert({{{"External_Id__c", "1"}, {"LastName", "A"}}, {{"External_Id__c", "2"}, {"LastName", "B"}}})
          .json();
  EXPECT_EQ(rows[0]["errors"][0]["statusCode"], "UNABLE_TO_LOCK_ROW");
  EXPECT_EQ(rows[1]["success"], true);
  fault("quota", {{"times", 1}});
  const auto quota = upsert({{{"External_Id__c", "1"}, {"LastName", "A"}}});
  EXPECT_EQ(quota.status, 403);
  EXPECT_EQ(quota.json()[0]["errorCode"], "REQUEST_LIMIT_EXCEEDED");
  fault("ambiguous_key", {{"times", 1}});
  EXPECT_EQ(call("PATCH", base_ + "/sobjects/Contact/External_Id__c/9", {{"LastName", "A"}}).status, 300);
  fault("expire_token", {{"times", 1}});
  EXPECT_EQ(call("GET", base_ + "/limits").status, 401);
  EXPECT_EQ(call("GET", base_ + "/limits").status, 401);  // until a new token is asked for
  session_.clear();
  EXPECT_EQ(call("GET", base_ + "/limits").status, 200);
}

TEST_F(SalesforceTest, BadBodies) {
  EXPECT_EQ(raw("PATCH", base_ + "/composite/sobjects/Contact/External_Id__c", "{oops", "application/json")
                .json()[0]["errorCode"],
            "JSON_PARSER_ERROR");
  EXPECT_EQ(raw("POST", base_ + "/sobjects/Contact", "LastName=A", "text/plain").status, 415);
  EXPECT_EQ(call("PUT", base_ + "/sobjects/Contact", Json::object()).status, 405);
}

}  // namespace
}  // namespace eddy::sandbox::salesforce
