#include "connectors/declarative/check.h"

#include <fmt/format.h>

#include "connectors/declarative/discovery.h"
#include "connectors/declarative/spec_reader.h"
#include "connectors/declarative/spec_shape.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

std::vector<std::string> texts_in(const Reply& reply, const std::vector<std::string>& pointers) {
  std::vector<std::string> out;
  for (const std::string& pointer : pointers) {
    const json* found = reply.json ? at(*reply.json, pointer) : nullptr;
    if (found == nullptr || found->is_null()) continue;
    std::vector<std::string> parts;
    for (const json& item : found->is_array() ? *found : json::array({*found}))
      if (item.is_primitive()) parts.push_back(plain_text(item));
    if (const std::string text = for_people(join(parts, ", ")); !text.empty()) out.push_back(text);
  }
  return out;
}

// Every answer that is one, also a refusal of what was asked: that is what we want to know.
Reply answer_to(const Spec& spec, Session& session, const RequestSpec& request) {
  return ask_page(spec, session, {request, Content(), session.lookup()}, [&](const Reply& reply) {
    const ErrorClass kind = classify(reply, spec.errors, session.clock().now()).error_class;
    return kind == ErrorClass::config || kind == ErrorClass::row ||
           (reply.success_status() && (kind == ErrorClass::unsure || kind == ErrorClass::done));
  });
}

}  // namespace

Checked check_connection(const Spec& spec, Session& session) {
  session.forget_quota();
  Checked out;
  std::optional<Reply> first;
  if (!spec.check->request.url.empty()) {
    first = answer_to(spec, session, spec.check->request);
    // A page of a proxy, or another service altogether.
    if (!first->success_status() || !first->json) {
      const Refusal why = classify(*first, spec.errors, session.clock().now());
      throw Error("destination.refused",
                  fmt::format("{} answers HTTP {}: {}: {}", spec.title, first->status, why.code, why.message),
                  "check the connection's base_url and its credentials");
    }
    out.account = join(texts_in(*first, spec.check->account), ", ");
  }
  for (const NeedSpec& need : spec.check->needs) {
    const Reply reply = need.request ? answer_to(spec, session, *need.request) : *first;
    sync::Permission permission{need.what, need.when.holds(reply), ""};
    if (!permission.granted) {
      permission.missing = need.otherwise;
      if (const auto detail = texts_in(reply, need.detail); !detail.empty())
        permission.missing += (permission.missing.empty() ? "" : ": ") + join(detail, "; ");
    }
    out.permissions.push_back(std::move(permission));
  }
  return out;
}

config::Shape check_shape() {
  using config::field;
  using config::required;
  using config::Shape;
  const Shape need = Shape::object(
      {required("what", Shape::string(), "what the credentials must allow: write contacts"),
       field("request", request_shape(), "asks; without it the check's own reply tells"),
       required("when", Predicate::shape(), "the reply says that it is allowed"),
       required("otherwise", Shape::string(), "what is missing, and where to get it"),
       field("detail", Shape::list(Shape::string()), "JSON pointers to what the service says about it")});
  return Shape::object(
      {field("request", request_shape(), "must be answered; changes nothing"),
       field("account", Shape::list(Shape::string()), "JSON pointers to whose account it is"),
       field("needs", Shape::list(need), "what the credentials must allow")});
}

CheckSpec SpecReader::check(const config::Node& node) const {
  CheckSpec out;
  if (node["request"].exists()) out.request = request(node["request"]);
  out.account = pointers(node["account"]);
  for (const config::Node& item : node["needs"].items()) {
    NeedSpec need;
    need.what = item["what"].text();
    if (item["request"].exists()) need.request = request(item["request"]);
    if (!need.request && !node["request"].exists())
      item.fail("connector.check", "there is no reply to test",
                "give this need, or the whole check, a `request`");
    need.when = Predicate::parse(item["when"]);
    need.otherwise = item["otherwise"].text();
    need.detail = pointers(item["detail"]);
    out.needs.push_back(std::move(need));
  }
  return out;
}

}  // namespace eddy::connectors
