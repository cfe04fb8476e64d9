// A pretended Marketo instance: tokens, leads, static lists, bulk lead import, usage. Nearly every error is a
// 200.
#pragma once

#include <set>

#include "sandbox/csv.h"
#include "sandbox/marketo/schema.h"
#include "sandbox/service.h"

namespace eddy::sandbox::marketo {

struct Settings {
  std::string client_id = "sandbox-client";
  std::string client_secret = "sandbox-secret";
  std::uint64_t daily_calls = 50'000;
  std::size_t concurrent_calls = 10;
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

struct Import {
  int id = 0;
  std::string status = "Queued";
  std::size_t processed = 0, failed = 0, warned = 0;
  std::string failures{}, warnings{};  // files in the format of the upload
  std::string content_type{};
  std::string message{};  // why it failed as a whole
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
  Reply add_to_list(Call& call, const Params& params) { return change_list(call, params, true); }
  Reply remove_from_list(Call& call, const Params& params) { return change_list(call, params, false); }
  Reply change_list(Call& call, const Params& params, bool add);
  Reply list_members(Call& call, const Params& params);
  Reply is_member(Call& call, const Params& params);
  Reply usage(Call& call, const Params& params);
  LeadResult write_lead(const Json& input, const std::string& action, const std::string& lookup);
  Json lead_json(const Record& record, const std::vector<std::string>& fields) const;
  std::vector<Record*> leads_with(const std::string& field, const std::string& value);

  // import.cpp
  Reply start_import(Call& call, const Params& params);
  Reply poll_import(Call& call, const Params& params);
  Reply import_failures(Call& call, const Params& params);
  Reply import_warnings(Call& call, const Params& params);
  void run_import(Call& call, Import& import, const std::string& file, char separator,
                  const std::string& lookup, const std::string& list);

  Reply success(Json result, Json more = Json::object());  // 200 {requestId, success: true, result}
  Reply failure(const std::string& code, const std::string& message, int status = 200);
  std::string request_id();
  void add_default_lists();

  Settings settings_;
  Router router_;
  std::string token_;
  Clock::WallTime token_expires_{};
  std::set<std::string> expired_tokens_;
  std::uint64_t calls_today_ = 0;
  std::map<int, Import> imports_;
  int last_import_ = 1000;
};

}  // namespace eddy::sandbox::marketo
