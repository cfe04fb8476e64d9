// What a service, a network or a person does to a sync, seen from the command line: what is promised, and the
// words the user reads.
#include <fmt/format.h>

#include <fstream>

#include "core/files.h"
#include "core/text.h"
#include "fault_fixture.h"

namespace eddy::testing {
namespace {

namespace fs = std::filesystem;

class Answers : public FaultTest {
 protected:
  void point_at(const std::string& url) {
    project_->write("connections.yml", "files: {type: files}\ncrm: {type: crm, base_url: \"" + url +
                                           "\", token: marker-token-4711}\n");
  }
  void back_to_service() {
    project_->write("connections.yml", "files: {type: files}\n" + hostile_connection(*service_));
  }
  void expect_nothing_marked() {
    EXPECT_TRUE(project_->snapshot().empty());
    EXPECT_TRUE(project_->open_rejects()["rejected"].empty());
    EXPECT_TRUE(project_->open_rejects()["in_doubt"].empty());
  }
};

TEST_F(Answers, ANameThatIsNotFoundOrAPortThatIsClosedMarksNothing) {  // F13
  open("insert");
  project_->set_model(people(1));
  for (const std::string url : {"https://nobody.invalid", "http://127.0.0.1:9"}) {
    SCOPED_TRACE(url);
    point_at(url);
    const Finished finished = run();
    expect_error(finished, 1, "sync.destination_unavailable",
                 {"what was not taken goes out with the next run"});
    EXPECT_EQ(finished.err.find("marker-token"), std::string::npos);
    expect_nothing_marked();
  }
  back_to_service();
  ASSERT_EQ(run().exit_code, 0);
  expect_books_agree(1);
  EXPECT_TRUE(project_->open_rejects()["in_doubt"].empty());
}

TEST_F(Answers, CredentialsThatEndMidwayStopTheRunAndMarkNothing) {  // F14
  for (const std::string mode : {"upsert", "insert"}) {
    open(mode);
    project_->set_model(people(1));
    service_->set_mix({{Trouble::unauthorized, 30}});
    const Finished stopped = run();
    expect_error(stopped, 1, "destination.credentials",
                 {"CRM refuses the credentials", "NOT_YOU", "check the connection's credentials"});
    service_->set_mix({{Trouble::forbidden, 100}});
    expect_error(run(), 1, "destination.refused", {"HTTP 403", "permissions of the connection's user"});
    service_->set_mix({});
    ASSERT_EQ(run().exit_code, 0);
    EXPECT_TRUE(project_->open_rejects()["in_doubt"].empty());
    expect_books_agree(1);
  }
}

TEST_F(Answers, ADestinationThatIsDownEndsTheRunAndTheNextDoesTheRest) {  // F5
  open("upsert");
  deliver_day(1);
  project_->set_model(people(2));
  service_->set_mix({{Trouble::unavailable, 100}});
  const auto before = service_->requests();
  const Finished down = run();
  expect_error(down, 1, "sync.destination_unavailable", {"http_503", "goes out with the next run"});
  EXPECT_LT(service_->requests() - before, 60u) << "hammered";
  service_->set_mix({});
  ASSERT_EQ(run().exit_code, 0);
  expect_books_agree(2);
}

TEST_F(Answers, APoisonRowDoesNotBlockOthersAndIsSentAgainWhenItChanges) {  // F26
  open("upsert");
  for (int day = 1; day <= 4; ++day) {
    Records model = people(1);
    model["17"] = "poison|1";
    model["40"] = "n40|" + std::to_string(day);
    if (day == 4) model["17"] = "poison|2";
    project_->set_model(model);
    const auto received = service_->rows_received();
    ASSERT_EQ(run().exit_code, 0);
    EXPECT_EQ(service_->book().records.at("40"), "n40|" + std::to_string(day));
    EXPECT_TRUE(project_->open_rejects()["rejected"].contains("17"));
    // Sent with the first run, and again when it is another row; not in between.
    EXPECT_EQ(service_->rows_received() - received, day == 1 ? 40u : day == 4 ? 2u : 1u);
  }
}

TEST_F(Answers, WhatAPersonHasDeletedIsMadeAgainByUpsertAndToldByUpdate) {  // F27
  open("upsert");
  deliver_day(1);
  service_->edit("12", "");
  service_->edit("13", "");
  Records model = people(1);
  model["12"] = "n12|999";
  project_->set_model(model);
  ASSERT_EQ(run().exit_code, 0);
  EXPECT_TRUE(service_->book().records.contains("12"));
  EXPECT_FALSE(service_->book().records.contains("13")) << "a row that has not changed was sent";

  open("update");
  project_ = std::make_unique<SmallProject>(scratch_ / "update", hostile_connection(*service_),
                                            hostile_sync("update"));
  write_hostile_connector(*project_);
  service_->edit("12", "");
  deliver_day(1);
  const Finished listed = project_->eddy({"rejects", "people"});
  EXPECT_NE(listed.out.find("NOT_FOUND"), std::string::npos) << listed.out;
  EXPECT_NE(listed.out.find("no such person"), std::string::npos) << listed.out;
  EXPECT_FALSE(service_->book().records.contains("12"));
}

TEST_F(Answers, WhatMayHaveArrivedIsCorrectedWhenTheModelHasGoneBack) {  // F25
  open("upsert");
  deliver_day(1);
  project_->set_model(people(2));
  service_->set_mix({{Trouble::drop_after, 100}});
  const Finished lost = run();
  EXPECT_EQ(lost.exit_code, 1) << lost.err;
  EXPECT_NE(difference(people(1), service_->book().records), "") << "nothing of day 2 has arrived";
  service_->set_mix({});
  deliver_day(1);
  expect_books_agree(1);
}

TEST_F(Answers, NoSecretReachesAnyOutputOrFile) {  // F29
  open("upsert");
  project_->set_model(people(1));
  std::string told;
  const auto tell = [&](const Finished& finished) { told += finished.out + finished.err; };
  service_->set_mix({{Trouble::echoed_secret, 60}, {Trouble::malformed, 10}, {Trouble::drop_after, 10}});
  tell(run());
  service_->set_mix({{Trouble::unauthorized, 100}});
  tell(run());
  point_at("http://127.0.0.1:9");
  tell(run());
  point_at("https://user:marker-token-4711@127.0.0.1:9");
  tell(run());
  back_to_service();
  service_->set_mix({});
  tell(run());
  for (const std::vector<std::string>& command : {std::vector<std::string>{"rejects", "--json"},
                                                  {"runs"},
                                                  {"plan"},
                                                  {"show", "sync.people"},
                                                  {"validate"},
                                                  {"doctor"}})
    tell(project_->eddy(command));
  EXPECT_NE(service_->authorizations().find("marker-token-4711"), std::string::npos) << "it was never sent";
  EXPECT_EQ(told.find("marker-token-4711"), std::string::npos) << told;
  for (const auto& entry : fs::recursive_directory_iterator(project_->folder() / ".eddy"))
    EXPECT_TRUE(entry.is_directory() ||
                read_file(entry.path()).find("marker-token-4711") == std::string::npos)
        << entry.path();
}

// openssl makes the certificates, and speaks TLS.
class Certificates : public Answers {
 protected:
  void shell(const std::string& line) {
    const Finished finished = testing::run({.argv = {"bash", "-c", line}, .directory = scratch_.path()});
    ASSERT_EQ(finished.exit_code, 0) << line << finished.err;
  }
};

TEST_F(Certificates, ThatAreNotTrustedAreRefusedAndNothingIsSent) {  // F11
  open("insert");
  project_->set_model(people(1));
  shell(
      "openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 2 -subj /CN=127.0.0.1 "
      "-addext "
      "subjectAltName=IP:127.0.0.1 2>&1");
  shell(
      "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj "
      "/CN=example.org 2>&1");
  for (const std::string name : {"self", "other"}) {
    SCOPED_TRACE(name);
    const int port = free_port();
    Background server({.argv = {"openssl", "s_server", "-accept", std::to_string(port), "-cert",
                                name + ".pem", "-key", name + ".key", "-www"},
                       .directory = scratch_.path()},
                      scratch_ / "server.log");
    server.wait_for("ACCEPT");
    point_at("https://127.0.0.1:" + std::to_string(port));
    expect_error(run(), 1, "destination.certificate",
                 {"nothing was sent", "certificate", "check the connection's base_url"});
    EXPECT_EQ(server.log().find("POST"), std::string::npos);
    expect_nothing_marked();
  }
}

TEST_F(Certificates, AnOldProtocolIsRefusedAndNothingIsSent) {  // F11
  open("insert");
  project_->set_model(people(1));
  shell(
      "openssl req -x509 -newkey rsa:2048 -nodes -keyout old.key -out old.pem -days 2 -subj /CN=127.0.0.1 "
      "2>&1");
  const int port = free_port();
  Background server({.argv = {"openssl", "s_server", "-accept", std::to_string(port), "-cert", "old.pem",
                              "-key", "old.key", "-www", "-tls1", "-cipher", "ALL:@SECLEVEL=0"},
                     .directory = scratch_.path()},
                    scratch_ / "server.log");
  server.wait_for("ACCEPT");
  point_at("https://127.0.0.1:" + std::to_string(port));
  const Finished finished = run();
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_NE(finished.err.find("http.tls"), std::string::npos) << finished.err;
  expect_nothing_marked();
}

}  // namespace
}  // namespace eddy::testing
