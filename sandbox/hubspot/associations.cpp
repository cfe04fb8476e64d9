// Links between records: v4 (batch, single, default, labels). A link is there from both
// sides.
#include "core/text.h"
#include "sandbox/hubspot/hubspot.h"

namespace eddy::sandbox::hubspot {
namespace {

constexpr std::size_t association_inputs_max = 2000, association_reads_max = 1000;

// The types between two kinds of records; the ids of the service's own documentation. The first of a pair is
// the default one without a label.
struct Link {
  const char *from, *to;
  int id;
};
constexpr std::array<Link, 22> known_links{
    {{"contacts", "companies", 279}, {"companies", "contacts", 280},  {"contacts", "companies", 1},
     {"companies", "contacts", 2},   {"contacts", "deals", 4},        {"deals", "contacts", 3},
     {"deals", "companies", 341},    {"companies", "deals", 342},     {"deals", "companies", 5},
     {"companies", "deals", 6},      {"contacts", "tickets", 15},     {"tickets", "contacts", 16},
     {"companies", "tickets", 340},  {"tickets", "companies", 339},   {"companies", "tickets", 25},
     {"tickets", "companies", 26},   {"deals", "tickets", 27},        {"tickets", "deals", 28},
     {"contacts", "contacts", 449},  {"companies", "companies", 450}, {"deals", "deals", 451},
     {"tickets", "tickets", 452}}};

// Types that involve custom objects have ids made of the two objects' own.
int default_id(const ObjectType& from, const ObjectType& to) {
  for (const Link& link : known_links)
    if (from.name == link.from && to.name == link.to) return link.id;
  const auto number = [](const ObjectType& type) { return std::atoi(type.id.substr(2).c_str()) % 1000; };
  return 10'000 + number(from) * 17 + number(to);
}

// The type as it is called from the other side.
int mirrored(int id, const ObjectType& from, const ObjectType& to) {
  for (std::size_t i = 0; i + 1 < known_links.size(); i += 2) {
    const Link &a = known_links[i], &b = known_links[i + 1];
    if (std::string_view{a.from} != b.to || std::string_view{a.to} != b.from) continue;
    if (a.id == id) return b.id;
    if (b.id == id) return a.id;
  }
  return id == default_id(from, to) ? default_id(to, from) : id;
}

std::string pair_name(const ObjectType& from, const ObjectType& to) {
  return "_associations_" + from.name + "_" + to.name;
}
std::string id_in(const Json& input, const char* side) {
  const Json part = input.value(side, Json::object());
  return part.is_object() ? text_of(part.value("id", Json())) : text_of(part);
}
// Of the two types the service itself has between two kinds, the one that is not the default.
bool is_primary(const Json& type) {
  const auto at = std::ranges::find_if(
      known_links, [&](const Link& link) { return type["associationTypeId"] == link.id; });
  return type["associationCategory"] == "HUBSPOT_DEFINED" && at != known_links.end() &&
         std::any_of(known_links.begin(), at, [&](const Link& first) {
           return std::string_view{first.from} == at->from && std::string_view{first.to} == at->to;
         });
}
Json spec(int id, const std::string& category = "HUBSPOT_DEFINED") {
  return {{"associationCategory", category}, {"associationTypeId", id}};
}

}  // namespace

// nullopt: `types` is fine, and made whole; else what is wrong with it.
std::optional<Problem> HubSpot::check_association_types(const ObjectType& from, const ObjectType& to,
                                                        Json& types) {
  if (types.is_null() || (types.is_array() && types.empty()))
    types = Json::array({spec(default_id(from, to))});
  for (const Json& type : types) {
    const std::string category = type.is_object() ? text_of(type.value("associationCategory", Json())) : "";
    const std::string id = type.is_object() ? text_of(type.value("associationTypeId", Json())) : "";
    bool known = category == "HUBSPOT_DEFINED" && id == std::to_string(default_id(from, to));
    for (const Link& link : known_links)
      known |= category == "HUBSPOT_DEFINED" && from.name == link.from && to.name == link.to &&
               id == std::to_string(link.id);
    const Record* label = store_.table("_association_labels").by_id(id);
    known |= label != nullptr && category == label->fields["category"] &&
             (label->fields["pair"] == pair_name(from, to) || label->fields["mirror"] == pair_name(from, to));
    if (!known)
      return Problem{.category = "VALIDATION_ERROR",
                     .message = fmt::format("{} is not a valid association type between {} and {}: {}",
                                            category, from.name, to.name, id)};
  }
  return std::nullopt;
}

// Found by record, however many there are.
Table& HubSpot::pairs(const ObjectType& from, const ObjectType& to) {
  const std::string name = pair_name(from, to);
  if (!store_.tables().contains(name)) store_.declare(name, {{.field = "from"}});
  return store_.table(name);
}

// Adds what is not there yet, on both sides. Every link has the default type without a label too. True: the
// two were not linked before.
bool HubSpot::link(const ObjectType& from, const std::string& a, const ObjectType& to, const std::string& b,
                   Json types) {
  bool fresh = false;
  if (const Json plain = spec(default_id(from, to)); std::ranges::find(types, plain) == types.end())
    types.push_back(plain);
  for (const bool back : {false, true}) {
    Table& table = back ? pairs(to, from) : pairs(from, to);
    const std::string id = back ? b + "-" + a : a + "-" + b;
    Record* known = table.by_id(id);
    Json all = known == nullptr ? Json::array() : known->fields["types"];
    for (Json type : types) {
      if (back && type["associationCategory"] == "HUBSPOT_DEFINED")
        type["associationTypeId"] = mirrored(type["associationTypeId"].get<int>(), from, to);
      if (std::ranges::find(all, type) == all.end()) all.push_back(type);
    }
    const Json fields = {{"from", back ? b : a}, {"to", back ? a : b}, {"types", all}};
    if (!back) fresh = known == nullptr;
    if (known == nullptr)
      table.add(id, fields, now());
    else
      table.change(*known, fields, now());
    if (from.name == to.name && a == b) break;
  }
  return fresh;
}

bool HubSpot::unlink(const ObjectType& from, const std::string& a, const ObjectType& to,
                     const std::string& b) {
  pairs(to, from).remove(b + "-" + a);
  return pairs(from, to).remove(a + "-" + b);
}

void HubSpot::unlink_all(const ObjectType& type, const std::string& id) {
  for (const ObjectType* other : objects_.types()) {
    if (!store_.tables().contains(pair_name(type, *other))) continue;
    std::vector<std::string> linked;
    for (const Record* link : pairs(type, *other).find("from", id))
      linked.push_back(text_of(link->fields["to"]));
    for (const std::string& one : linked) unlink(type, id, *other, one);
  }
}

// The links of a record, as an object read with ?associations= shows them.
Json HubSpot::links_of(const ObjectType& from, const std::string& id, const ObjectType& to) {
  Json results = Json::array();
  for (const Record* link : pairs(from, to).find("from", id))
    results.push_back(
        {{"id", link->fields["to"]}, {"type", lower(from.singular) + "_to_" + lower(to.singular)}});
  return results;
}

// The associations of a record that is being created: the kind of the other record follows from the type.
std::optional<Problem> HubSpot::take_associations(const ObjectType& from, const Json& input,
                                                  std::vector<WantedLink>& wanted) {
  const Json list = input.value("associations", Json::array());
  for (const Json& one : list.is_array() ? list : Json::array()) {
    const std::string id = one.is_object() ? id_in(one, "to") : "";
    const ObjectType* target = nullptr;
    Json types = one.is_object() ? one.value("types", Json::array()) : Json::array();
    for (const ObjectType* type : objects_.types())
      if (!types.empty() && target == nullptr && !check_association_types(from, *type, types)) target = type;
    if (target == nullptr)
      return Problem{.category = "VALIDATION_ERROR",
                     .message = "invalid association types in: " + one.dump()};
    if (objects_.table(*target).by_id(id) == nullptr) return not_found(*target, id);
    wanted.push_back({target, id, types});
  }
  return std::nullopt;
}

Reply HubSpot::associate(Call& call, const Params& params) { return associate_batch(call, params, false); }

Reply HubSpot::associate_default(Call& call, const Params& params) {
  return associate_batch(call, params, true);
}

Reply HubSpot::associate_batch(Call& call, const Params& params, bool by_default) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, association_inputs_max, refusal) : std::nullopt;
  call.effect.write = true;
  if (!inputs) return refusal;
  const ObjectType &from = *objects_.type(params.at("from")), &to = *objects_.type(params.at("to"));
  std::vector<Json> results;
  Json errors = Json::array();
  call.effect.rows = inputs->size();
  for (const Json& input : *inputs) {
    const std::string a = id_in(input, "from"), b = id_in(input, "to");
    call.effect.keys.push_back(a + "-" + b);
    Json types = by_default ? Json() : input.value("types", Json());
    auto problem = check_association_types(from, to, types);
    if (objects_.table(from).by_id(a) == nullptr)
      problem = not_found(from, a);
    else if (objects_.table(to).by_id(b) == nullptr)
      problem = not_found(to, b);
    if (problem) {
      ++call.effect.rejected;
      errors.push_back(error_item(*problem, input));
      continue;
    }
    ++(link(from, a, to, b, types) ? call.effect.created : call.effect.updated);
    call.effect.applied = true;
    if (by_default)
      results.push_back({{"from", {{"id", a}}}, {"to", {{"id", b}}}, {"associationSpec", types[0]}});
    else
      results.push_back(pair_json(from, a, to, b));
  }
  const bool quiet = errors.empty() || fault_on("errors_under_200");
  return batch_reply(quiet ? (by_default ? 200 : 201) : 207, std::move(results), errors);
}

Json HubSpot::pair_json(const ObjectType& from, const std::string& a, const ObjectType& to,
                        const std::string& b) {
  Json labels = Json::array();
  if (const Record* link = pairs(from, to).by_id(a + "-" + b))
    for (const Json& type : link->fields["types"])
      if (const Record* label = store_.table("_association_labels").by_id(text_of(type["associationTypeId"])))
        labels.push_back(label->fields["label"]);
  return {{"fromObjectTypeId", from.id},
          {"fromObjectId", a},
          {"toObjectTypeId", to.id},
          {"toObjectId", b},
          {"labels", labels}};
}

Reply HubSpot::dissociate(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, association_inputs_max, refusal) : std::nullopt;
  call.effect.write = true;
  if (!inputs) return refusal;
  const ObjectType &from = *objects_.type(params.at("from")), &to = *objects_.type(params.at("to"));
  for (const Json& input : *inputs) {
    const std::string a = id_in(input, "from");
    const Json targets = input.value("to", Json::array());
    for (const Json& target : targets.is_array() ? targets : Json::array({targets})) {
      ++call.effect.rows;
      const std::string b = id_in({{"to", target}}, "to");
      call.effect.keys.push_back(a + "-" + b);
      if (!unlink(from, a, to, b)) continue;
      ++call.effect.deleted;
      call.effect.applied = true;
    }
  }
  return Reply{.status = 204};
}

// Takes the named labels off; the default type is what is left, and without it the link is gone.
Reply HubSpot::archive_labels(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, association_inputs_max, refusal) : std::nullopt;
  call.effect.write = true;
  if (!inputs) return refusal;
  const ObjectType &from = *objects_.type(params.at("from")), &to = *objects_.type(params.at("to"));
  for (const Json& input : *inputs) {
    const std::string a = id_in(input, "from"), b = id_in(input, "to");
    ++call.effect.rows;
    Record* known = pairs(from, to).by_id(a + "-" + b);
    if (known == nullptr) continue;
    Json left = Json::array();  // the default type stays unless it is named
    const Json gone = input.value("types", Json::array());
    for (const Json& type : known->fields["types"])
      if (std::ranges::find(gone, type) == gone.end()) left.push_back(type);
    unlink(from, a, to, b);
    const bool plain_left = std::ranges::find(left, spec(default_id(from, to))) != left.end();
    if (plain_left) link(from, a, to, b, left);
    ++call.effect.deleted;
    call.effect.applied = true;
  }
  return Reply{.status = 204};
}

Json HubSpot::associated(const Record& link) {
  Json types = Json::array();
  for (const Json& type : link.fields["types"]) {
    const Record* label = store_.table("_association_labels").by_id(text_of(type["associationTypeId"]));
    types.push_back({{"category", type["associationCategory"]},
                     {"typeId", type["associationTypeId"]},
                     {"label", label != nullptr   ? label->fields["label"]
                               : is_primary(type) ? Json("Primary")
                                                  : Json(nullptr)}});
  }
  return {{"toObjectId", link.fields["to"]}, {"associationTypes", types}};
}

Reply HubSpot::read_associations(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  const auto inputs = body ? inputs_of(*body, association_reads_max, refusal) : std::nullopt;
  if (!inputs) return refusal;
  const ObjectType &from = *objects_.type(params.at("from")), &to = *objects_.type(params.at("to"));
  std::vector<Json> results;
  Json errors = Json::array();
  for (const Json& input : *inputs) {
    const std::string id = text_of(input.value("id", Json()));
    Json targets = Json::array();
    for (const Record* link : pairs(from, to).find("from", id)) targets.push_back(associated(*link));
    if (!targets.empty()) {
      results.push_back({{"from", {{"id", id}}}, {"to", targets}});
      continue;
    }
    Json item = error_item({.category = "OBJECT_NOT_FOUND",
                            .message = fmt::format("No {} is associated with {} {}.", lower(to.singular),
                                                   lower(from.singular), id),
                            .context = {{"fromObjectId", {id}}}},
                           Json::object());
    item["subCategory"] = "crm.associations.NO_ASSOCIATIONS_FOUND";
    errors.push_back(std::move(item));
  }
  const bool quiet = errors.empty() || fault_on("errors_under_200");
  return batch_reply(quiet ? 200 : 207, std::move(results), errors);
}

Reply HubSpot::list_associations(Call&, const Params& params) {
  Json results = Json::array();
  for (const Record* link :
       pairs(*objects_.type(params.at("from")), *objects_.type(params.at("to"))).find("from", params.at("a")))
    results.push_back(associated(*link));
  return json_reply(200, {{"results", results}});
}

Reply HubSpot::associate_one(Call& call, const Params& params) {
  const ObjectType &from = *objects_.type(params.at("from")), &to = *objects_.type(params.at("to"));
  const std::string &a = params.at("a"), &b = params.at("b");
  const bool by_default = call.request.path.find("/associations/default/") != std::string::npos;
  call.effect = {.write = true, .rows = 1, .keys = {a + "-" + b}, .rejected = 1};
  Json types;
  if (!by_default) {
    const auto body = parse_json(call.request.body);
    if (!body || !body->is_array())
      return problem_reply(
          {.category = "VALIDATION_ERROR", .message = "Invalid input JSON: a list is expected"});
    types = *body;
  }
  if (const auto problem = check_association_types(from, to, types)) return problem_reply(*problem);
  if (objects_.table(from).by_id(a) == nullptr) return problem_reply(not_found(from, a));
  if (objects_.table(to).by_id(b) == nullptr) return problem_reply(not_found(to, b));
  call.effect.rejected = 0;
  ++(link(from, a, to, b, types) ? call.effect.created : call.effect.updated);
  call.effect.applied = true;
  if (!by_default) return json_reply(201, pair_json(from, a, to, b));
  return batch_reply(200, {{{"from", {{"id", a}}}, {"to", {{"id", b}}}, {"associationSpec", types[0]}}},
                     Json::array());
}

Reply HubSpot::dissociate_one(Call& call, const Params& params) {
  call.effect = {.write = true, .rows = 1, .keys = {params.at("a") + "-" + params.at("b")}};
  call.effect.applied = unlink(*objects_.type(params.at("from")), params.at("a"),
                               *objects_.type(params.at("to")), params.at("b"));
  call.effect.deleted = call.effect.applied ? 1 : 0;
  return Reply{.status = 204};
}

Reply HubSpot::association_labels(Call&, const Params& params) {
  const ObjectType &from = *objects_.type(params.at("from")), &to = *objects_.type(params.at("to"));
  Json results =
      Json::array({{{"category", "HUBSPOT_DEFINED"}, {"typeId", default_id(from, to)}, {"label", nullptr}}});
  for (const Link& link : known_links)
    if (from.name == link.from && to.name == link.to && link.id != default_id(from, to))
      results.push_back({{"category", "HUBSPOT_DEFINED"}, {"typeId", link.id}, {"label", "Primary"}});
  for (const auto& [place, label] : store_.table("_association_labels").records())
    if (label.fields["pair"] == pair_name(from, to) || label.fields["mirror"] == pair_name(from, to))
      results.push_back({{"category", label.fields["category"]},
                         {"typeId", std::atoi(label.id.c_str())},
                         {"label", label.fields["label"]}});
  return json_reply(200, {{"results", results}});
}

Reply HubSpot::create_label(Call& call, const Params& params) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  const ObjectType &from = *objects_.type(params.at("from")), &to = *objects_.type(params.at("to"));
  const Json label = body->value("label", Json());
  if (!label.is_string() || text_of(body->value("name", Json())).empty())
    return problem_reply(
        {.category = "VALIDATION_ERROR", .message = "Some required fields were not set: [label, name]"});
  const auto id = static_cast<int>(100 + store_.next_number());
  store_.table("_association_labels")
      .add(std::to_string(id),
           {{"pair", pair_name(from, to)},
            {"mirror", pair_name(to, from)},
            {"label", label},
            {"category", "USER_DEFINED"}},
           now());
  store_.changed_since_saved = true;
  return json_reply(200, {{"results", {{{"category", "USER_DEFINED"}, {"typeId", id}, {"label", label}}}}});
}

Reply HubSpot::remove_label(Call&, const Params& params) {
  store_.table("_association_labels").remove(params.at("label"));
  store_.changed_since_saved = true;
  return Reply{.status = 204};
}

// The label alone changes; the type's id stays.
Reply HubSpot::update_label(Call& call, const Params&) {
  Reply refusal;
  const auto body = json_body(call, refusal);
  if (!body) return refusal;
  Table& labels = store_.table("_association_labels");
  Record* label = labels.by_id(text_of(body->value("associationTypeId", Json())));
  if (label == nullptr || !body->value("label", Json()).is_string())
    return problem_reply(
        {.category = "VALIDATION_ERROR", .message = "associationTypeId and label must be those of a label"});
  labels.change(*label, {{"label", (*body)["label"]}}, now());
  store_.changed_since_saved = true;
  return Reply{.status = 204};
}

}  // namespace eddy::sandbox::hubspot
