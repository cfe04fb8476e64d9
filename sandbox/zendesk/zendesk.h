// A pretended Zendesk Support account: users, organizations, tickets, fields, and jobs for everything *_many.
#pragma once

#include <deque>
#include <set>

#include "sandbox/service.h"
#include "sandbox/zendesk/schema.h"

namespace eddy::sandbox::zendesk {

struct Settings {
  std::string email = "agent@example.com";
  std::string api_token = "sandbox-api-token";
  std::string oauth_token = "sandbox-oauth-token";
  Rate export_rate{.calls = 10, .window = std::chrono::seconds{60}};  // of incremental exports
  bool bulk_import = false;  // users/create_many and create_or_update_many; 403 without
};

const std::vector<FaultKind>& own_faults();

// What happened to one item.
struct Outcome {
  Record* record = nullptr;  // nullptr: refused
  bool created = false;
  Json details = Json::object();  // field → [{description, error}]
  std::string error{};            // "RecordInvalid", "RecordNotFound"
};

// Work of a *_many call. It is done when the call is answered; each poll moves the job one state on
// (queued → working → completed), so a test decides how long it takes.
struct Job {
  std::string id{}, type{};
  std::string status = "queued";
  bool ends_failed = false;
  std::size_t total = 0;
  Json results = Json::array();  // shown when it has ended
  Clock::WallTime made{};
};

class Zendesk final : public Service {
 public:
  Zendesk(Settings settings, const Surroundings& around);
  Reply answer(Call& call) override;
  Reply answer_trouble(Trouble trouble, Call& call) override;
  bool issues_tokens(const IncomingRequest&) const override { return false; }
  void expire_tokens() override { refuse_once_ = true; }
  void add_rate_headers(const Call& call, Reply& reply) override;
  const Record& seed(const std::string& object, Json fields) override;
  void reset() override;

 private:
  using Params = Router::Params;
  using Endpoint = Reply (Zendesk::*)(Call&, const Params&);
  void on(const char* method, const std::string& pattern, Endpoint endpoint);
  bool authenticated(const IncomingRequest& request);

  // people.cpp: users and organizations differ in what identifies them and in what is required
  Reply create_or_update(Call& call, const Params& params);
  Reply create_one(Call& call, const Params& params);
  Reply update_one(Call& call, const Params& params);
  Reply read_one(Call& call, const Params& params);
  Reply delete_one(Call& call, const Params& params);
  Reply list(Call& call, const Params& params);
  Reply count_all(Call& call, const Params& params);
  Reply show_many(Call& call, const Params& params);
  Reply search(Call& call, const Params& params);
  Reply me(Call& call, const Params& params);
  Reply fields(Call& call, const Params& params);
  Reply field(Call& call, const Params& params);

  // tickets.cpp
  Reply comments(Call& call, const Params& params);
  Reply import_ticket(Call& call, const Params& params);
  Reply import_tickets(Call& call, const Params& params);
  Reply show_tags(Call& call, const Params& params);
  Reply change_tags(Call& call, const Params& params);
  Reply autocomplete(Call& call, const Params& params);
  Reply users_of_organization(Call& call, const Params& params);
  Json audit_of(const Record& ticket);
  void keep_comment(const Record& ticket, const Json& given);

  // export.cpp
  Reply export_by_cursor(Call& call, const Params& params);
  Reply export_by_time(Call& call, const Params& params);
  Reply search_all(Call& call, const Params& params);
  Reply search_count(Call& call, const Params& params);
  std::optional<Reply> too_many_exports(Call& call);
  std::vector<const Record*> by_time(const std::string& object, std::int64_t from_second);
  std::vector<Json> found_by(const std::string& query, const std::string& type);

  // many.cpp
  Reply create_or_update_many(Call& call, const Params& params);
  Reply create_many(Call& call, const Params& params);
  Reply update_many(Call& call, const Params& params);
  Reply destroy_many(Call& call, const Params& params);
  Reply show_job(Call& call, const Params& params);
  Reply show_jobs(Call& call, const Params& params);
  Reply list_jobs(Call& call, const Params& params);
  void forget_old_jobs();
  std::optional<Reply> no_room_for_job(Call& call);
  Reply start_job(Call& call, const std::string& type, Json results);
  Json poll(Job& job) const;
  Json job_json(const Job& job) const;

  // records.cpp
  enum class Write { create, update, create_or_update };
  Outcome write(const std::string& object, const Json& given, Write how, Record* target);
  Record* match(const std::string& object, const Json& given);
  void check_person(const std::string& object, const Json& given, const Record* target, Json& values,
                    Json& details);
  void check_ticket(const Json& given, const Record* target, Json& values, Json& details);
  void check_ticket_fields(const Json& given, const Record* target, Json& values, Json& details);
  Json record_json(const std::string& object, const Record& record) const;
  bool written_too_often(const std::string& object, const Record& record);

  // Shared by the calls above.
  Reply error(int status, const std::string& error, const std::string& description, Json details = nullptr);
  Reply record_not_found() { return error(404, "RecordNotFound", "Not found"); }
  Reply refusal(const Outcome& outcome);
  Reply too_often(Call& call);
  Json paged(const std::string& name, std::vector<Json> all, const IncomingRequest& request);
  Reply page(const std::string& object, const std::vector<const Record*>& records,
             const IncomingRequest& request);
  std::optional<Json> item_of(Call& call, const std::string& object, Reply& refusal);
  static std::string object_of(const Params& params) { return params.at("object"); }
  static std::string singular(const std::string& object) { return object.substr(0, object.size() - 1); }
  static std::string key_of(const Json& item);
  static void count(Effect& effect, const Outcome& outcome);

  Settings settings_;
  Router router_;
  std::string base_url_;
  bool refuse_once_ = false;
  TokenBucket export_bucket_;
  std::map<std::string, Job> jobs_;
  std::map<std::string, std::deque<Clock::MonotonicTime>> recent_writes_;  // by object and id
};

}  // namespace eddy::sandbox::zendesk
