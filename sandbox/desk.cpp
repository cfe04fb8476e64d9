#include "sandbox/desk.h"

#include <charconv>

#include "core/error.h"
#include "core/text.h"

namespace eddy::sandbox {
namespace {

Reply problem(int status, const std::string& message, const std::string& hint = {}) {
  Json body = {{"error", message}};
  if (!hint.empty()) body["hint"] = hint;
  return json_reply(status, body);
}

}  // namespace

Desk::Desk(std::vector<Door*> doors, Faults& faults, std::function<void()> restart)
    : doors_(std::move(doors)), faults_(faults), restart_(std::move(restart)) {}

bool Desk::is_for(const IncomingRequest& request) {
  return !request.segments.empty() && request.segments.front() == "_sandbox";
}

Door* Desk::door_named(const std::string& name) const {
  for (Door* door : doors_)
    if (door->name() == name) return door;
  return nullptr;
}

Reply Desk::handle(const IncomingRequest& request) {
  const auto& path = request.segments;
  const bool get = request.method == "GET", post = request.method == "POST";
  if (!get && !post) return problem(405, "only GET and POST");
  if (path.size() == 1 && get) return summary();
  if (path.size() == 2 && path[1] == "stats" && get) return stats();
  if (path.size() == 2 && path[1] == "faults")
    return get ? json_reply(200, faults_.to_json()) : change_faults(request);
  if (path.size() == 2 && path[1] == "reset" && post) {
    restart_();
    return json_reply(200, {{"reset", true}});
  }
  if (path.size() != 3) return problem(404, "no such page", "GET /_sandbox lists them");
  Door* door = door_named(path[1]);
  if (door == nullptr)
    return problem(404, "no service `" + path[1] + "`", "salesforce, hubspot, marketo or zendesk");
  if (path[2] == "requests" && get) return json_reply(200, door->ledger().entries());
  return get ? show_records(*door, path[2], request) : add_records(*door, path[2], request);
}

Reply Desk::summary() const {
  Json services = Json::object();
  for (Door* door : doors_)
    door->with_service([&](Service& service) {
      Json objects = Json::object();
      for (const auto& [object, table] : service.store().tables()) objects[object] = table.size();
      services[door->name()] = std::move(objects);
    });
  return json_reply(200, {{"services", services},
                          {"pages",
                           {"GET /_sandbox/stats", "GET|POST /_sandbox/faults", "POST /_sandbox/reset",
                            "GET /_sandbox/SERVICE/requests", "GET|POST /_sandbox/SERVICE/OBJECT"}}});
}

Reply Desk::stats() const {
  Json out = Json::object();
  for (Door* door : doors_) out[door->name()] = door->ledger().stats();
  return json_reply(200, out);
}

Reply Desk::change_faults(const IncomingRequest& request) {
  const auto body = parse_json(request.body);
  if (!body) return problem(400, "the body is not JSON");
  try {
    faults_.set_from_json(*body);
  } catch (const Error& error) {
    return problem(400, error.message(), error.hint());
  }
  return json_reply(200, faults_.to_json());
}

Reply Desk::show_records(Door& door, const std::string& object, const IncomingRequest& request) {
  std::size_t limit = std::string::npos;
  if (const auto text = request.query_value("limit")) {
    const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (ec != std::errc{} || end != text->data() + text->size()) return problem(400, "limit is not a number");
  }
  const auto key = request.query_value("key");
  const std::size_t colon = key ? key->find(':') : 0;
  if (colon == std::string::npos) return problem(400, "key is not FIELD:VALUE");
  return door.with_service([&](Service& service) {
    Json list = Json::array();
    if (!service.store().tables().contains(object)) return json_reply(200, {{"count", 0}, {"records", list}});
    Table& table = service.store().table(object);
    std::size_t count = 0;
    const auto show = [&](const Record& record) {
      if (count++ < limit) list.push_back(shown(record));
    };
    if (!key) {
      for (const auto& [place, record] : table.records()) show(record);
    } else if (key->substr(0, colon) == "_id") {
      if (const Record* record = table.by_id(key->substr(colon + 1))) show(*record);
    } else {
      for (const Record* record : table.find(key->substr(0, colon), key->substr(colon + 1))) show(*record);
    }
    return json_reply(200, {{"count", count}, {"records", std::move(list)}});
  });
}

Reply Desk::add_records(Door& door, const std::string& object, const IncomingRequest& request) {
  auto body = parse_json(request.body);
  if (body && body->is_object() && body->contains("records")) body = Json((*body)["records"]);
  if (body && body->is_object()) body = Json::array({*body});
  if (!body || !body->is_array()) return problem(400, "the body is not a record or a list of records");
  for (const Json& fields : *body)
    if (!fields.is_object()) return problem(400, "a record is a JSON object");
  return door.with_service([&](Service& service) {
    Json list = Json::array();
    for (const Json& fields : *body) list.push_back(shown(service.seed(object, fields)));
    service.store().changed_since_saved = true;
    return json_reply(201, {{"count", list.size()}, {"records", list}});
  });
}

}  // namespace eddy::sandbox
