// What only tickets have (comments, imports), and tags, which all records have.
#include "core/text.h"
#include "sandbox/zendesk/zendesk.h"

namespace eddy::sandbox::zendesk {

// {id, ticket_id, events}: what a write of a ticket is answered with beside the ticket.
Json Zendesk::audit_of(const Record& ticket) {
  return {{"id", store_.next_number()},
          {"ticket_id", std::atoll(ticket.id.c_str())},
          {"created_at", format_utc(std::chrono::floor<std::chrono::seconds>(now()))},
          {"author_id", 1},
          {"events", Json::array()}};
}

void Zendesk::keep_comment(const Record& ticket, const Json& given) {
  Json comment = given.value("comment", Json());
  if (comment.is_null() && given.contains("description")) comment = {{"body", given["description"]}};
  if (comment.is_string()) comment = {{"body", comment}};
  if (!comment.is_object()) return;
  const Json body = comment.contains("body") ? comment["body"] : comment.value("html_body", Json());
  store_.table("_comments")
      .add(std::to_string(50'000 + store_.next_number()),
           {{"ticket", ticket.id},
            {"body", body},
            {"public", comment.value("public", Json(true))},
            {"author_id", comment.value("author_id", Json(1))}},
           now());
}

Reply Zendesk::comments(Call& call, const Params& params) {
  if (store_.table("tickets").by_id(params.at("id")) == nullptr) return record_not_found();
  std::vector<Json> list;
  for (const Record* comment : store_.table("_comments").find("ticket", params.at("id")))
    list.push_back({{"id", std::atoll(comment->id.c_str())},
                    {"type", "Comment"},
                    {"body", comment->fields["body"]},
                    {"plain_body", comment->fields["body"]},
                    {"html_body", comment->fields["body"]},
                    {"public", comment->fields["public"]},
                    {"author_id", comment->fields["author_id"]},
                    {"created_at", format_utc(std::chrono::floor<std::chrono::seconds>(comment->created))}});
  return json_reply(200, paged("comments", std::move(list), call.request), "application/json; charset=utf-8");
}

// An imported ticket keeps the times it is given and sends no mail; comments come as a list.
Reply Zendesk::import_ticket(Call& call, const Params& params) {
  Params as_tickets = params;
  as_tickets["object"] = "tickets";
  return create_one(call, as_tickets);
}

Reply Zendesk::import_tickets(Call& call, const Params& params) {
  Params as_tickets = params;
  as_tickets["object"] = "tickets";
  return create_many(call, as_tickets);
}

Reply Zendesk::show_tags(Call&, const Params& params) {
  const Record* record = store_.table(object_of(params)).by_id(params.at("id"));
  if (record == nullptr) return record_not_found();
  return json_reply(200, {{"tags", record->fields.value("tags", Json::array())}},
                    "application/json; charset=utf-8");
}

// POST sets, PUT adds, DELETE takes away.
Reply Zendesk::change_tags(Call& call, const Params& params) {
  Record* record = store_.table(object_of(params)).by_id(params.at("id"));
  const auto body = parse_json(call.request.body);
  call.effect = {.write = true, .rows = 1, .keys = {params.at("id")}};
  if (record == nullptr || !body || !body->is_object()) {
    call.effect.rejected = 1;
    return record == nullptr ? record_not_found()
                             : error(400, "InvalidJson", "The body is not a JSON object");
  }
  const Json given = body->value("tags", Json::array());
  Json tags = call.request.method == "POST" ? Json::array() : record->fields.value("tags", Json::array());
  for (const Json& tag : given) {
    const auto known = std::ranges::find(tags, tag);
    if (call.request.method == "DELETE" && known != tags.end())
      tags.erase(known);
    else if (call.request.method != "DELETE" && known == tags.end())
      tags.push_back(tag);
  }
  store_.table(object_of(params)).change(*record, {{"tags", tags}}, now());
  call.effect.updated = 1;
  call.effect.applied = true;
  return json_reply(200, {{"tags", tags}}, "application/json; charset=utf-8");
}

Reply Zendesk::autocomplete(Call& call, const Params& params) {
  const std::string object = object_of(params), start = lower(call.request.query_value("name").value_or(""));
  std::vector<const Record*> found;
  for (const auto& [place, record] : store_.table(object).records())
    if (lower(text_of(record.fields.value("name", Json()))).starts_with(start)) found.push_back(&record);
  return page(object, found, call.request);
}

Reply Zendesk::users_of_organization(Call& call, const Params& params) {
  std::vector<const Record*> found;
  for (const Record* record : store_.table("users").find("organization_id", params.at("id")))
    found.push_back(record);
  return page("users", found, call.request);
}

}  // namespace eddy::sandbox::zendesk
