// A pretended Salesforce org: tokens, describe, sObject rows and collections, composite, query, Bulk API 2.0
// ingest.
#pragma once

#include "sandbox/salesforce/auth.h"
#include "sandbox/salesforce/bulk.h"
#include "sandbox/salesforce/bulk_one.h"
#include "sandbox/salesforce/bulk_query.h"
#include "sandbox/salesforce/query.h"

namespace eddy::sandbox::salesforce {

struct Settings {
  Credentials credentials{};
  std::uint64_t daily_calls = 100'000;  // Sforce-Limit-Info; more: 403 REQUEST_LIMIT_EXCEEDED
};

const std::vector<FaultKind>& own_faults();

class Salesforce final : public Service {
 public:
  Salesforce(Settings settings, const Surroundings& around);
  Reply answer(Call& call) override;
  Reply answer_trouble(Trouble trouble, Call& call) override;
  bool issues_tokens(const IncomingRequest& request) const override;
  void expire_tokens() override { sessions_.expire_all(); }
  void add_rate_headers(const Call& call, Reply& reply) override;
  const Record& seed(const std::string& object, Json fields) override;
  void reset() override;

 private:
  using Params = Router::Params;
  void add_routes();
  void add_bulk_routes();
  void add_bulk_query_routes();
  void add_bulk_one_routes();
  void add_organization();
  Reply dispatch(Call& call);

  Reply versions() const;
  Reply list_objects(const Params& params) const;
  Reply describe_object(const Params& params) const;
  Reply object_summary(const Params& params) const;
  Reply changed_rows(const Call& call, const Params& params, bool deleted);
  Reply limits() const;
  Reply query(Call& call, const Params& params);
  Reply more_of_query(const Params& params);
  Reply page_of(std::vector<Json> rows, std::size_t total, std::size_t page_rows, const std::string& version);

  Reply create_one(Call& call, const Params& params);
  Reply read_one(const Call& call, const Params& params);
  Reply update_one(Call& call, const Params& params);
  Reply delete_one(Call& call, const Params& params);
  Reply upsert_by_key(Call& call, const Params& params);
  Reply read_by_key(const Call& call, const Params& params);
  Reply show_record(const Call& call, const Object& object, const Record& record, const std::string& version);
  Reply delete_by_key(Call& call, const Params& params);

  Reply write_collection(Call& call, Operation operation, const Params& params);
  Reply delete_collection(Call& call);
  Reply read_collection(Call& call, const Params& params);
  Reply composite(Call& call, const Params& params);

  Reply create_job(Call& call, const Params& params);
  BulkFaults bulk_faults(Call& call, bool closing);

  // Shared by the calls above.
  std::optional<Json> json_body(const Call& call, Reply& refusal) const;
  const Field* key_field(const Object& object, const std::string& name, Reply& refusal) const;
  Reply one_result(Call& call, Draft& draft, const std::string& key);
  Reply multiple_choices(const Object& object, const std::vector<std::string>& ids,
                         const std::string& version) const;
  Json record_json(const Object& object, const Record& record, const std::string& version) const;
  void play_row_faults(Call& call, Draft& draft);
  static void count(Effect& effect, const RowResult& result, bool deleting = false);

  Settings settings_;
  Sessions sessions_;
  Records records_;
  Bulk bulk_;
  BulkQueries bulk_queries_;
  BulkOne bulk_one_;
  Router router_;
  std::uint64_t calls_today_ = 0;
  std::map<std::string, std::vector<Json>> open_queries_;  // rows not yet fetched, by locator
};

}  // namespace eddy::sandbox::salesforce
