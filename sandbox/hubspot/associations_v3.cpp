// Links by the older calls, which know default types only and name them: "contact_to_company".
#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {
namespace {

constexpr std::size_t v3_reads_max = 1000;

}  // namespace

// The older batches: one type by name for each input, default links only.
Reply HubSpot::associate_v3(Call& call, const Params& params) {
  Params as_default = params;
  Reply reply = associate_batch(call, as_default, true);
  if (reply.status >= 300) return reply;
  Json body = Json::parse(reply.body);
  const std::string type = lower(objects_.type(params.at("from"))->singular) + "_to_" +
                           lower(objects_.type(params.at("to"))->singular);
  for (Json& result : body["results"]) {
    result.erase("associationSpec");
    result["type"] = type;
  }
  return json_reply(reply.status == 200 ? 201 : reply.status, body);
}

Reply HubSpot::read_associations_v3(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, v3_reads_max, refusal) : std::nullopt;
  if (!inputs) return refusal;
  std::vector<Json> results;
  for (const Json& input : *inputs) {
    const std::string id = text_of(input.value("id", Json()));
    Json to = links_of(*objects_.type(params.at("from")), id, *objects_.type(params.at("to")));
    if (!to.empty()) results.push_back({{"from", {{"id", id}}}, {"to", std::move(to)}});
  }
  return batch_reply(200, std::move(results), Json::array());
}

Reply HubSpot::list_associations_v3(Call&, const Params& params) {
  return json_reply(200, {{"results", links_of(*objects_.type(params.at("from")), params.at("a"),
                                               *objects_.type(params.at("to")))}});
}

// PUT and DELETE of one link; the answer to the first is the record with its links to that kind.
Reply HubSpot::change_association_v3(Call& call, const Params& params) {
  const ObjectType &from = *objects_.type(params.at("from")), &to = *objects_.type(params.at("to"));
  const std::string &a = params.at("a"), &b = params.at("b");
  call.effect = {.write = true, .rows = 1, .keys = {a + "-" + b}};
  if (call.request.method == "DELETE") {
    call.effect.applied = unlink(from, a, to, b);
    call.effect.deleted = call.effect.applied ? 1 : 0;
    return Reply{.status = 204};
  }
  const Record* record = objects_.table(from).by_id(a);
  if (record == nullptr || objects_.table(to).by_id(b) == nullptr) {
    call.effect.rejected = 1;
    return problem_reply(record == nullptr ? not_found(from, a) : not_found(to, b));
  }
  Json types;
  check_association_types(from, to, types);
  ++(link(from, a, to, b, types) ? call.effect.created : call.effect.updated);
  call.effect.applied = true;
  Json body = objects_.read(from, *record, from.default_properties);
  body["associations"][to.name] = {{"results", links_of(from, a, to)}};
  return json_reply(200, body);
}

}  // namespace eddy::sandbox::hubspot
