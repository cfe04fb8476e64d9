// A pretended Marketo instance: tokens, leads, static lists, bulk lead import, usage. Nearly every error is a
// 200.
#pragma once

#include <set>

#include "sandbox/csv.h"
#include "sandbox/marketo/object_schema.h"
#include "sandbox/service.h"

namespace eddy::sandbox::marketo {

struct Settings {
  std::string client_id = "sandbox-client";
  std::string client_secret = "sandbox-secret";
  std::uint64_t daily_calls = 50'000;
  std::size_t concurrent_calls = 10;
  bool crm_sync = false;  // companies, opportunities, roles and sales persons are closed: 1018
};

const std::vector<FaultKind>& own_faults();

struct Reason {
  std::string code, message;
};

// What happened to one lead: created, updated or skipped (then id is empty).
struct LeadResult {
  std::string status;
  std::string id{};
  std::vector<Reason> reasons{};
};

constexpr const char* member_imports = "program members";

struct Import {
  int id = 0;
  std::string status = "Queued";
  std::size_t processed = 0, failed = 0, warned = 0;
  std::string failures{}, warnings{};  // files in the format of the upload
  std::string content_type{};
  std::string message{};  // why it failed as a whole
  std::string object{};   // a custom object's name, or member_imports; "": leads
  Clock::WallTime made{};
};

class Marketo final : public Service {
 public:
  Marketo(Settings settings, const Surroundings& around);
  Reply answer(Call& call) override;
  Reply answer_trouble(Trouble trouble, Call& call) override;
  bool issues_tokens(const IncomingRequest& request) const override;
  void expire_tokens() override;
  const Record& seed(const std::string& object, Json fields) override;
  void reset() override;

 private:
  using Params = Router::Params;
  using Endpoint = Reply (Marketo::*)(Call&, const Params&);
  void on(const char* method, const std::string& pattern, Endpoint endpoint);
  void add_object_routes();
  Reply issue_token(Call& call);
  std::optional<Reply> refused(Call& call);

  // leads.cpp
  Reply post_leads(Call& call, const Params& params);
  Reply get_leads(Call& call, const Params& params);
  Reply get_lead(Call& call, const Params& params);
  Reply delete_leads(Call& call, const Params& params);
  Reply describe(Call& call, const Params& params);
  Reply describe2(Call& call, const Params& params);
  Reply schema_fields(Call& call, const Params& params);
  LeadResult write_lead(const Json& input, const std::string& action, const std::string& lookup);
  Json lead_json(const Record& record, const std::vector<std::string>& fields) const;
  std::vector<Record*> leads_with(const std::string& field, const std::string& value);

  static std::vector<std::string> asked_fields(const Call& call);
  static const std::vector<std::string>& partition_names();
  Reply page_of(Call& call, std::size_t count, const std::function<Json(std::size_t)>& item);

  // lists.cpp
  Reply add_to_list(Call& call, const Params& params) { return change_list(call, params, true); }
  Reply remove_from_list(Call& call, const Params& params) { return change_list(call, params, false); }
  Reply change_list(Call& call, const Params& params, bool add);
  Reply list_members(Call& call, const Params& params);
  Reply is_member(Call& call, const Params& params);
  Reply browse_lists(Call& call, const Params& params);
  Reply read_list(Call& call, const Params& params);
  Reply create_list(Call& call, const Params& params);
  Reply delete_list(Call& call, const Params& params);
  Reply partitions(Call& call, const Params& params);
  Reply change_partitions(Call& call, const Params& params);
  Reply usage(Call& call, const Params& params);
  Reply error_usage(Call& call, const Params& params);
  Json list_json(const Record& list) const;

  // objects.cpp
  Reply post_objects(Call& call, const Params& params);
  Reply get_objects(Call& call, const Params& params);
  Reply delete_objects(Call& call, const Params& params);
  Reply describe_objects(Call& call, const Params& params);
  Reply list_custom_objects(Call& call, const Params& params);
  const ObjectKind* kind_of(const Params& params) const;
  std::optional<Reply> object_refused(Call& call, const ObjectKind* kind);
  std::optional<Json> object_rows(Call& call, Json& body, Reply& refusal);
  Json object_result(Call& call, const ObjectKind& kind, std::size_t seq, const LeadResult& result);
  LeadResult write_object(const ObjectKind& kind, const Json& input, const std::string& action, bool by_id);
  Record* object_with(const ObjectKind& kind, const Json& values);

  // programs.cpp
  void add_program_routes();
  void add_default_programs();
  Reply describe_members(Call& call, const Params& params);
  Reply members(Call& call, const Params& params);
  Reply change_members(Call& call, const Params& params);
  Reply set_member_status(Call& call, const Params& params);
  Reply set_lead_status(Call& call, const Params& params);
  Reply delete_members(Call& call, const Params& params);
  Reply leads_of_program(Call& call, const Params& params);
  Reply programs(Call& call, const Params& params);
  Reply start_member_import(Call& call, const Params& params);
  Reply no_such_program(const Params& params);
  Reply set_members(Call& call, const Params& params, const char* id_name, const char* status_name);
  Reply member_rows(Call& call, const Params& params, const char* id_name,
                    const std::function<Json(const Json&, const std::string&, Json)>& each);
  static std::string take_member_fields(const Json& row, Json& values);
  std::string set_status(const std::string& program, const std::string& lead, const std::string& status);
  Record* member_of(const std::string& program, const std::string& lead);
  Json member_json(const Record& member, const std::vector<std::string>& names);

  // import.cpp
  Reply start_import(Call& call, const Params& params);
  Reply start_object_import(Call& call, const Params& params);
  Reply poll_import(Call& call, const Params& params);
  Reply import_failures(Call& call, const Params& params);
  Reply import_warnings(Call& call, const Params& params);
  std::optional<std::string> file_to_import(Call& call, char& separator, Import& import, Reply& refusal);
  using WriteRow = std::function<LeadResult(const Json&)>;
  void run_import(Call& call, Import& import, const std::string& file, char separator,
                  const std::vector<std::string>& keys,
                  const std::function<bool(const std::string&)>& is_column, const WriteRow& write);
  Import* import_of(const Params& params);

  Reply success(Json result, Json more = Json::object());  // 200 {requestId, success: true, result}
  Reply failure(const std::string& code, const std::string& message, int status = 200);
  std::string request_id();
  void add_default_lists();

  Settings settings_;
  Router router_;
  std::string token_;
  Clock::WallTime token_expires_{};
  std::set<std::string> expired_tokens_;
  DailyCount calls_today_;
  std::map<std::string, std::uint64_t> errors_today_;
  std::map<int, Import> imports_;
  int last_import_ = 1000;
};

}  // namespace eddy::sandbox::marketo
