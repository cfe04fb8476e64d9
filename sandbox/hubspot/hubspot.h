// A pretended HubSpot portal: CRM objects (single, batch, list, search), properties, associations v4, lists,
// tokens. The same calls are served under /crm/v3/… and under date-versioned paths.
#pragma once

#include "sandbox/hubspot/objects.h"

namespace eddy::sandbox::hubspot {

struct Settings {
  std::string token = "pat-sandbox-token";  // private app, static
  std::string client_id = "sandbox-client";
  std::string client_secret = "sandbox-secret";
  std::string refresh_token = "sandbox-refresh";
  std::uint64_t daily_calls = 650'000;
  Rate search_rate{};  // of the search calls alone; the service allows four or five a second
};

const std::vector<FaultKind>& own_faults();

enum class BatchWrite { create, update, upsert };

class HubSpot final : public Service {
 public:
  HubSpot(Settings settings, const Surroundings& around);
  Reply answer(Call& call) override;
  Reply answer_trouble(Trouble trouble, Call& call) override;
  bool issues_tokens(const IncomingRequest& request) const override;
  void expire_tokens() override;
  void add_rate_headers(const Call& call, Reply& reply) override;
  const Record& seed(const std::string& object, Json fields) override;
  void reset() override;

 private:
  using Params = Router::Params;
  using Endpoint = Reply (HubSpot::*)(Call&, const Params&);
  struct Token {
    Clock::WallTime expires;
  };
  void add_object_routes();
  void add_other_routes();
  void add_association_routes();
  void add_list_routes();
  void on(const char* method, const std::string& pattern, Endpoint endpoint);

  // auth.cpp
  Reply issue_token(const IncomingRequest& request);
  Reply token_info(const IncomingRequest& request);
  std::optional<Reply> unauthorized(const IncomingRequest& request);

  // batch.cpp
  Reply batch_create(Call& call, const Params& params) {
    return batch_write(call, params, BatchWrite::create);
  }
  Reply batch_update(Call& call, const Params& params) {
    return batch_write(call, params, BatchWrite::update);
  }
  Reply batch_upsert(Call& call, const Params& params) {
    return batch_write(call, params, BatchWrite::upsert);
  }
  Reply batch_write(Call& call, const Params& params, BatchWrite kind);
  Reply batch_read(Call& call, const Params& params);
  Reply batch_archive(Call& call, const Params& params);
  Draft draft(const ObjectType& type, const Json& input, BatchWrite kind);
  std::optional<Reply> duplicate_ids(const Json& inputs, BatchWrite kind);
  Json error_item(const Problem& problem, const Json& input) const;
  Reply batch_reply(int status, std::vector<Json> results, const Json& errors);

  // objects and single records: records.cpp
  Reply list(Call& call, const Params& params);
  Reply search(Call& call, const Params& params);
  Reply create_one(Call& call, const Params& params);
  Reply read_one(Call& call, const Params& params);
  Reply update_one(Call& call, const Params& params);
  Reply archive_one(Call& call, const Params& params);

  bool archive(const ObjectType& type, const std::string& id);  // and what leads to it
  Json shown_record(const Call& call, const ObjectType& type, const Record& record, bool archived);
  Json history_of(const ObjectType& type, const Record& record, const std::string& name);
  static std::vector<std::string> words_of(const Call& call, std::string_view name);

  // definitions.cpp
  Reply list_properties(Call& call, const Params& params);
  Reply read_property(Call& call, const Params& params);
  Reply create_property(Call& call, const Params& params);
  Reply update_property(Call& call, const Params& params);
  Reply archive_property(Call& call, const Params& params);
  Reply create_properties(Call& call, const Params& params);
  Reply read_properties(Call& call, const Params& params);
  Reply archive_properties(Call& call, const Params& params);
  Reply schemas(Call& call, const Params& params);
  Reply read_schema(Call& call, const Params& params);
  Reply create_schema(Call& call, const Params& params);
  Reply archive_schema(Call& call, const Params& params);
  Json schema_json(const ObjectType& type);
  std::optional<Problem> add_property(const ObjectType& type, const Json& body);
  Reply daily_usage(Call& call, const Params& params);
  Reply account(Call& call, const Params& params);

  // portal.cpp
  Reply property_groups(Call& call, const Params& params);
  Reply read_group(Call& call, const Params& params);
  Reply write_group(Call& call, const Params& params);
  Reply archive_group(Call& call, const Params& params);
  Reply no_such_group(const std::string& name);
  Json pipeline(const ObjectType& type);
  Reply pipelines(Call& call, const Params& params);
  Reply read_pipeline(Call& call, const Params& params);
  Reply owners(Call& call, const Params& params);

  // associations.cpp, associations_v3.cpp
  Reply associate(Call& call, const Params& params);
  Reply associate_default(Call& call, const Params& params);
  Reply associate_batch(Call& call, const Params& params, bool by_default);
  Reply dissociate(Call& call, const Params& params);
  Reply archive_labels(Call& call, const Params& params);
  Reply read_associations(Call& call, const Params& params);
  Reply list_associations(Call& call, const Params& params);
  Reply associate_one(Call& call, const Params& params);
  Reply dissociate_one(Call& call, const Params& params);
  Reply association_labels(Call& call, const Params& params);
  Reply create_label(Call& call, const Params& params);
  Reply update_label(Call& call, const Params& params);
  Reply remove_label(Call& call, const Params& params);
  Reply associate_v3(Call& call, const Params& params);
  Reply read_associations_v3(Call& call, const Params& params);
  Reply list_associations_v3(Call& call, const Params& params);
  Reply change_association_v3(Call& call, const Params& params);
  std::optional<Problem> check_association_types(const ObjectType& from, const ObjectType& to, Json& types);
  std::optional<Problem> take_associations(const ObjectType& from, const Json& input,
                                           std::vector<WantedLink>& wanted);
  bool link(const ObjectType& from, const std::string& a, const ObjectType& to, const std::string& b,
            Json types);
  bool unlink(const ObjectType& from, const std::string& a, const ObjectType& to, const std::string& b);
  void unlink_all(const ObjectType& type, const std::string& id);
  Table& pairs(const ObjectType& from, const ObjectType& to);
  Json links_of(const ObjectType& from, const std::string& id, const ObjectType& to);
  Json pair_json(const ObjectType& from, const std::string& a, const ObjectType& to, const std::string& b);
  Json associated(const Record& link);

  // lists.cpp
  Reply create_list(Call& call, const Params& params);
  Reply read_list(Call& call, const Params& params);
  Reply read_lists(Call& call, const Params& params);
  Reply read_list_by_name(Call& call, const Params& params);
  Reply search_lists(Call& call, const Params& params);
  Reply rename_list(Call& call, const Params& params);
  Reply remove_list(Call& call, const Params& params);
  Reply read_memberships(Call& call, const Params& params);
  Reply clear_list(Call& call, const Params& params);
  Reply add_from_list(Call& call, const Params& params);
  Reply lists_of_record(Call& call, const Params& params);
  Reply add_to_list(Call& call, const Params& params) { return change_list(call, params, true, false); }
  Reply remove_from_list(Call& call, const Params& params) { return change_list(call, params, false, true); }
  Reply change_list_both(Call& call, const Params& params) { return change_list(call, params, true, true); }
  Reply change_list(Call& call, const Params& params, bool add, bool remove);
  std::optional<Reply> not_by_hand(const std::string& id);
  Reply no_such_list(const std::string& id);
  Json list_json(const Record& list);

  // Shared by the calls above.
  Reply problem_reply(
      const Problem& problem);  // {status, message, correlationId, category, context?, errors?}
  std::optional<Json> json_body(const Call& call, Reply& refusal);
  std::optional<std::vector<Json>> inputs_of(const Json& body, std::size_t most, Reply& refusal);
  std::vector<std::string> read_names(const ObjectType& type, std::vector<std::string> asked);
  void add_default_lists();

  Settings settings_;
  Objects objects_;
  Router router_;
  std::map<std::string, Token> tokens_;  // OAuth
  bool static_token_fails_once_ = false;
  DailyCount calls_today_;
  TokenBucket search_bucket_;
};

}  // namespace eddy::sandbox::hubspot
