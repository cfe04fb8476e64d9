// Jobs against a service that keeps books, in the words of Salesforce Bulk API 2.0: killed at every step,
// picked up by the next run.
#include "connectors/declarative/job_desk.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "connectors/declarative/csv_reader.h"
#include "connectors/declarative/destination.h"
#include "connectors/declarative/library.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

struct Killed {};  // as SIGKILL: nobody catches it

// Written from the public contract: an open job does nothing; closing it writes its rows.
class BulkService {
 public:
  struct Job {
    std::string operation, upload, state = "Open";
    std::map<std::string, std::string> rows;
    int polls = 0;
  };
  std::map<std::string, Job> jobs;
  std::map<std::string, std::string> records;  // as they stand
  std::vector<std::string> writes;             // "key=value", in order
  int polls_to_the_end = 2, aborted = 0;
  bool forgets = false;          // jobs are not known any more
  std::set<std::string> silent;  // keys that are in none of the files, and were not written
  std::string end = "JobComplete";

  http::Result answer(const http::Request& request) {
    const auto reply = [](int status, const json& body) -> http::Result {
      return http::Response{status, {}, body.dump()};
    };
    if (request.url.ends_with("/oauth2/token"))
      return reply(200, {{"access_token", "tok-secret-1"}, {"instance_url", "http://127.0.0.1:1"}});
    if (request.url.ends_with("/describe"))
      return reply(200,
                   {{"fields", {{{"name", "External_Id__c"}, {"type", "string"}, {"externalId", true}}}}});
    const std::string base = "/jobs/ingest";
    const std::string path = request.url.substr(request.url.find(base) + base.size());
    if (path.empty()) {
      const std::string id = "750" + std::to_string(jobs.size() + 1);
      jobs[id].operation = json::parse(request.body)["operation"];
      return reply(200, {{"id", id}, {"state", "Open"}});
    }
    const std::string id = path.substr(1, path.find('/', 1) - 1);
    const std::string rest = path.substr(1 + id.size());
    if (forgets || !jobs.contains(id))
      return reply(404, json::array({{{"errorCode", "NOT_FOUND"}, {"message", "no such job"}}}));
    Job& job = jobs[id];
    if (request.method == "PUT") {
      job.upload = request.body;
      return http::Response{201, {}, ""};
    }
    if (request.method == "PATCH") {
      job.state = json::parse(request.body)["state"];
      if (job.state == "Aborted") ++aborted;
      if (job.state == "UploadComplete") process(job);
      return reply(200, {{"id", id}, {"state", job.state}});
    }
    if (rest.empty()) {
      if (job.state == "UploadComplete" && ++job.polls >= polls_to_the_end) job.state = end;
      return reply(200, {{"id", id}, {"state", job.state}, {"numberRecordsFailed", 0}});
    }
    return http::Response{200, {}, file(job, rest)};
  }

 private:
  void process(Job& job) {
    CsvReader csv(job.upload);
    while (const auto* row = csv.next()) {
      if (silent.contains(row->front())) continue;
      job.rows[row->front()] = row->at(1);
      records[row->front()] = row->at(1);
      writes.push_back(row->front() + "=" + row->at(1));
    }
  }
  static std::string file(const Job& job, const std::string& name) {
    if (name == "/failedResults/") return "\"sf__Id\",\"sf__Error\",External_Id__c,LastName\n";
    if (name == "/unprocessedrecords/") return "External_Id__c,LastName\n";
    std::string out = "\"sf__Id\",\"sf__Created\",External_Id__c,LastName\n";
    for (auto row = job.rows.rbegin(); row != job.rows.rend(); ++row)
      out += "\"003" + row->first + "\",\"true\",\"" + row->first + "\",\"" + row->second + "\"\n";
    return out;
  }
};

class JobDeskTest : public ::testing::Test {
 protected:
  using Rows = std::vector<std::pair<std::string, std::string>>;

  static config::Node settings() {
    Diagnostics diagnostics;
    return config::parse(
        "{base_url: 'http://127.0.0.1:1', client_id: c, client_secret: s-secret, write_by: bulk}", "c.yml",
        config::no_variables(), diagnostics);
  }
  static std::shared_ptr<const Spec> salesforce() {
    static const auto spec = [] {
      for (const EmbeddedConnector& connector : embedded_connectors())
        if (connector.folder == "salesforce")
          return std::make_shared<const Spec>(parse_connector(connector.text, "salesforce"));
      throw std::runtime_error("no Salesforce");
    }();
    return spec;
  }
  std::filesystem::path folder() const { return scratch_ / "jobs"; }

  // A run of its own: nothing is left of it but the folder. `killed_at`: the request that is its last one,
  // from 1; `answered`: that request still reaches the service.
  std::optional<std::vector<Verdict>> run(const Rows& rows, int killed_at = 0, bool answered = false,
                                          bool finish = true) {
    int requests = 0;
    const auto frozen = scratch_ / "frozen";
    Cancel cancel;
    auto wire = std::make_unique<http::ScriptedExchange>([&](const http::Request& request) -> http::Result {
      if (request.url.ends_with("/describe")) return service_.answer(request);  // before anything is sent
      ++requests_;
      if (++requests == killed_at) {
        if (answered) (void)service_.answer(request);
        std::filesystem::remove_all(frozen);
        if (std::filesystem::exists(folder()))
          std::filesystem::copy(folder(), frozen, std::filesystem::copy_options::recursive);
        throw Killed();
      }
      if (requests == cancelled_at_) cancel.request();
      return service_.answer(request);
    });
    try {
      DeclarativeDestination destination(
          salesforce(),
          std::make_shared<Session>(*salesforce(), Settings(*salesforce(), settings()), clock_, cancel,
                                    std::move(wire)),
          folder());
      sync::Delivery delivery;
      delivery.object = "Contact";
      delivery.mode = mode_;
      delivery.key = {{"External_Id__c", Type::text}};
      delivery.fields = {{"LastName", Type::text}};
      delivery.sync = "people";
      const auto writer = destination.open(delivery);
      std::vector<Change> changes;
      for (const auto& [key, value] : rows)
        changes.push_back({changes.size(), Operation::add, {Value::text(key)}, {Value::text(value)}, {true}});
      std::vector<Verdict> verdicts = writer->deliver(changes).verdicts;
      if (again_) verdicts = writer->deliver(changes).verdicts;
      if (finish) writer->finish();
      unfinished_ = destination.unfinished(delivery);
      return verdicts;
    } catch (const Killed&) {
      std::filesystem::remove_all(folder());
      if (std::filesystem::exists(frozen)) std::filesystem::rename(frozen, folder());
      return std::nullopt;
    }
  }
  std::size_t closed_jobs() const {
    return static_cast<std::size_t>(std::count_if(service_.jobs.begin(), service_.jobs.end(),
                                                  [](const auto& j) { return !j.second.rows.empty(); }));
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> out;
    if (!std::filesystem::exists(folder())) return out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder()))
      if (entry.is_regular_file()) out.push_back(entry.path());
    return out;
  }

  testing::Scratch scratch_;
  ManualClock clock_;
  BulkService service_;
  sync::Mode mode_ = sync::Mode::upsert;
  int requests_ = 0, cancelled_at_ = 0;
  bool again_ = false, unfinished_ = false;
};

const std::vector<std::pair<std::string, std::string>> people = {{"1", "Ann"}, {"2", "Bo"}, {"3", "Cy"}};

TEST_F(JobDeskTest, OneJobForAllRows) {
  const auto verdicts = run(people);
  ASSERT_TRUE(verdicts);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*verdicts)[i].outcome, Outcome::applied);
    EXPECT_EQ((*verdicts)[i].destination_id, "003" + people[i].first);
  }
  EXPECT_EQ(closed_jobs(), 1U);
  EXPECT_TRUE(files().empty());
}

TEST_F(JobDeskTest, KilledAtEveryStepTheRowsAreProcessedOnce) {
  run(people);
  const int steps = requests_;
  ASSERT_GE(steps, 9);  // token, create, upload, close, two polls, three files
  for (const sync::Mode mode : {sync::Mode::upsert, sync::Mode::insert})
    for (int step = 1; step <= steps; ++step)
      for (const bool answered : {false, true}) {
        SCOPED_TRACE(::testing::Message() << "request " << step << (answered ? ", answered" : "")
                                          << (mode == sync::Mode::insert ? ", insert" : ""));
        service_ = BulkService();
        mode_ = mode;
        EXPECT_FALSE(run(people, step, answered));
        const bool closed = closed_jobs() > 0;
        const auto verdicts = run(people);
        ASSERT_TRUE(verdicts);
        for (const Verdict& verdict : *verdicts) EXPECT_EQ(verdict.outcome, Outcome::applied) << verdict.code;
        EXPECT_EQ(closed_jobs(), 1U) << closed;
        EXPECT_EQ(service_.writes.size(), 3U);
        EXPECT_TRUE(files().empty());
      }
}

TEST_F(JobDeskTest, AnAnswerThatIsNoLongerTrueIsNotBelieved) {
  EXPECT_FALSE(run({{"1", "A"}, {"2", "same"}}, 5));  // killed at the first poll: A is written
  EXPECT_EQ(service_.records["1"], "A");
  EXPECT_FALSE(run({{"1", "B"}, {"2", "same"}}, 12));  // B is on its way in a job of its own
  EXPECT_EQ(service_.records["1"], "B");
  const auto verdicts = run({{"1", "A"}, {"2", "same"}});
  ASSERT_TRUE(verdicts);
  EXPECT_EQ((*verdicts)[0].outcome, Outcome::applied);
  EXPECT_EQ(service_.records["1"], "A");
  EXPECT_EQ(service_.writes, (std::vector<std::string>{"1=A", "2=same", "1=B", "1=A"}));
}

TEST_F(JobDeskTest, RowsOfAVanishedJobAreSentAgainButForInserts) {
  EXPECT_FALSE(run(people, 5));
  service_.forgets = true;
  const auto lost = service_.jobs;
  service_.jobs.clear();
  service_.forgets = false;
  auto verdicts = run(people);
  ASSERT_TRUE(verdicts);
  EXPECT_EQ((*verdicts)[0].outcome, Outcome::applied);
  EXPECT_EQ(service_.writes.size(), 6U);

  service_ = BulkService();
  mode_ = sync::Mode::insert;
  EXPECT_FALSE(run(people, 5));
  service_.jobs.clear();
  verdicts = run(people);
  ASSERT_TRUE(verdicts);
  for (const Verdict& verdict : *verdicts) {
    EXPECT_EQ(verdict.outcome, Outcome::in_doubt);
    EXPECT_EQ(verdict.code, "job_vanished");
  }
  EXPECT_TRUE(service_.jobs.empty());
}

TEST_F(JobDeskTest, ARecordThatAJobHasMadeIsNotMadeAgainWithOtherValues) {
  mode_ = sync::Mode::insert;
  EXPECT_FALSE(run(people, 5));
  const auto verdicts = run({{"1", "Anna"}, {"2", "Bo"}, {"3", "Cy"}});
  ASSERT_TRUE(verdicts);
  EXPECT_EQ((*verdicts)[0].outcome, Outcome::in_doubt);
  EXPECT_EQ((*verdicts)[0].code, "made_before");
  EXPECT_EQ((*verdicts)[1].outcome, Outcome::applied);
  EXPECT_EQ(service_.writes.size(), 3U);
}

TEST_F(JobDeskTest, ARowThatNothingIsSaidAboutIsInDoubtAndSentAgain) {
  service_.silent = {"2"};
  auto verdicts = run(people);
  ASSERT_TRUE(verdicts);
  EXPECT_EQ((*verdicts)[1].outcome, Outcome::in_doubt);
  EXPECT_EQ((*verdicts)[1].code, "no_answer_for_row");
  EXPECT_FALSE(run(people, 5));
  service_.silent.clear();
  verdicts = run(people);
  ASSERT_TRUE(verdicts);
  EXPECT_EQ((*verdicts)[1].outcome, Outcome::applied);
  EXPECT_EQ(service_.jobs.size(), 3U);
  EXPECT_EQ(service_.jobs["7503"].rows, (std::map<std::string, std::string>{{"2", "Bo"}}));
}

TEST_F(JobDeskTest, CtrlCLeavesTheJobToTheNextRun) {
  cancelled_at_ = 5;
  auto verdicts = run(people, 0, false, false);
  ASSERT_TRUE(verdicts);
  EXPECT_EQ((*verdicts)[0].outcome, Outcome::in_doubt);
  EXPECT_EQ((*verdicts)[0].code, "cancelled");
  EXPECT_TRUE(unfinished_);
  cancelled_at_ = 0;
  verdicts = run(people);
  ASSERT_TRUE(verdicts);
  EXPECT_EQ((*verdicts)[0].outcome, Outcome::applied);
  EXPECT_EQ(service_.jobs.size(), 1U);
  EXPECT_FALSE(unfinished_);
}

TEST_F(JobDeskTest, AJobThatTakesTooLongIsAskedForAgainAndNotRepeated) {
  service_.polls_to_the_end = 1'000'000;
  again_ = true;
  const auto start = clock_.monotonic();
  const auto verdicts = run(people);
  ASSERT_TRUE(verdicts);
  EXPECT_EQ((*verdicts)[0].outcome, Outcome::in_doubt);
  EXPECT_GT(clock_.monotonic() - start, 6h);
  EXPECT_EQ(service_.jobs.size(), 1U);
  EXPECT_TRUE(unfinished_);  // its record stays for the next run
}

TEST_F(JobDeskTest, NothingThatIsKeptCanBeRead) {
  EXPECT_FALSE(run({{"ann@example.com", "Ann-Plaintext"}}, 5));
  ASSERT_EQ(files().size(), 1U);
  const std::string text = read_file(files().front());
  for (const char* secret : {"ann@example.com", "Ann-Plaintext", "tok-secret-1", "s-secret"})
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
  EXPECT_NE(text.find("\"id\":\"7501\""), std::string::npos) << text;
}

TEST_F(JobDeskTest, ADamagedRecordStopsTheRun) {
  EXPECT_FALSE(run(people, 5));
  const std::string text = read_file(files().front());
  write_file_atomically(files().front(), text.substr(0, text.size() - 10));
  try {
    run(people);
    FAIL() << "it goes on";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "destination.job_record");
  }
  EXPECT_EQ(service_.writes.size(), 3U);
}

}  // namespace
}  // namespace eddy::connectors
