#include "connectors/declarative/paging.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "connectors/declarative/spec_reader.h"
#include "connectors/declarative/spec_shape.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

// "https://host:port" of an absolute URL.
std::string origin_of(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return {};
  return lower(url.substr(0, url.find_first_of("/?#", scheme + 3)));
}

std::string text_at(const Reply& reply, const std::string& pointer) {
  const json* value = reply.json && !pointer.empty() ? at(*reply.json, pointer) : nullptr;
  return value == nullptr || !value->is_primitive() || value->is_null() ? std::string() : plain_text(*value);
}

json* list_in(Reply& reply, const std::string& items) {
  if (!reply.json) return nullptr;
  const json* list = at(*reply.json, items);
  return list == nullptr || !list->is_array() ? nullptr : const_cast<json*>(list);
}

// The same request, from there on: in its form or its JSON body when it is a POST with one, else in its
// query.
PageRequest with_parameter(const PageRequest& first, const std::string& name, const std::string& value) {
  PageRequest out = first;
  if (first.content.type == "application/x-www-form-urlencoded") {
    out.content.text += "&" + http::form_encode({{name, value}});
  } else if (!first.content.type.empty()) {
    json body = json::parse(first.content.text);
    body[name] = value;
    out.content.text = body.dump();
  } else {
    std::erase_if(out.request.query, [&](const auto& entry) { return entry.first == name; });
    out.request.query.emplace_back(name, Template::parse("{page}"));
    out.lookup = [outer = first.lookup, value](std::string_view word) -> std::optional<json> {
      return word == "page" ? std::optional(json(value)) : outer(word);
    };
  }
  return out;
}

PageRequest at_url(const PageRequest& first, const std::string& url) {
  PageRequest out = first;
  out.request.url = Template::parse("{page}");
  out.request.query.clear();
  out.lookup = [outer = first.lookup, url](std::string_view word) -> std::optional<json> {
    return word == "page" ? std::optional(json(url)) : outer(word);
  };
  return out;
}

// Where the next page is; "": this was the last one. `seen` items have been read.
std::string next_of(const PagingSpec& paging, const Reply& reply, std::size_t seen, std::size_t here) {
  if (paging.more_when.given() && !paging.more_when.holds(reply)) return {};
  if (!paging.cursor.empty()) return text_at(reply, paging.cursor);
  if (!paging.next_url.empty()) return text_at(reply, paging.next_url);
  const std::string total = text_at(reply, paging.total);
  if (here == 0 || (!total.empty() && std::to_string(seen) == total)) return {};
  return std::to_string(seen);
}

}  // namespace

std::optional<Reply> read_pages(const std::optional<PagingSpec>& paging, const PageRequest& first,
                                const std::string& items, const std::function<std::string()>& base_url,
                                const std::function<std::optional<Reply>(const PageRequest&)>& ask) {
  std::optional<Reply> out = ask(first);
  if (!out || !paging) return out;
  json* all = list_in(*out, items);
  if (all == nullptr) return out;
  std::set<std::string> asked;
  std::string next = next_of(*paging, *out, all->size(), all->size());
  for (std::size_t page = 1; !next.empty(); ++page) {
    if (page >= paging->pages_max)
      throw Error(
          "destination.too_many_pages",
          fmt::format("the list has more than {} pages ({} entries so far)", paging->pages_max, all->size()),
          "raise `max_pages` in the connector, or ask for less");
    if (!asked.insert(next).second)
      throw Error("destination.next_page", "the service names the same page as the next one again",
                  "the list cannot be read to its end; please report this");
    PageRequest request = first;
    if (!paging->next_url.empty()) {
      if (!next.starts_with('/') && origin_of(next) != origin_of(base_url()))
        throw Error("destination.next_page",
                    fmt::format("the next page is said to be at {}, which is not where the service is",
                                for_people(origin_of(next))),
                    "check the connection's base_url: credentials are not sent elsewhere");
      request = at_url(first, next);
    } else {
      request = with_parameter(first, paging->parameter, next);
    }
    std::optional<Reply> reply = ask(request);
    if (!reply) break;
    json* more = list_in(*reply, items);
    if (more == nullptr) break;
    const std::size_t here = more->size();
    for (json& item : *more) all->push_back(std::move(item));
    next = next_of(*paging, *reply, all->size(), here);
  }
  return out;
}

config::Shape paging_shape() {
  using config::field;
  using config::Shape;
  return Shape::object(
      {field("cursor", Shape::string(), "JSON pointer to what `parameter` takes for the next page"),
       field("parameter", Shape::string(), "of the query, or of the body where the request has one"),
       field("next_url", Shape::string(), "JSON pointer to the URL of the next page"),
       field("offset", Shape::string(), "parameter that takes the number of entries read so far"),
       field("total", Shape::string(), "JSON pointer to the number of all entries"),
       field("more_when", Predicate::shape(), "there is another page"),
       field("max_pages", Shape::integer(), "more are an error; 200 unless said otherwise")});
}

PagingSpec SpecReader::paging(const config::Node& node) const {
  PagingSpec out;
  out.cursor = pointer(node["cursor"]);
  out.parameter = node["parameter"].as_string("");
  out.next_url = pointer(node["next_url"]);
  if (node["offset"].exists()) out.parameter = node["offset"].text();
  out.total = pointer(node["total"]);
  out.more_when = Predicate::parse(node["more_when"]);
  if (node["max_pages"].exists())
    out.pages_max = static_cast<std::size_t>(std::max<std::int64_t>(1, node["max_pages"].as_integer()));
  const int ways = (node["cursor"].exists() ? 1 : 0) + (node["next_url"].exists() ? 1 : 0) +
                   (node["offset"].exists() ? 1 : 0);
  if (ways != 1)
    node.fail("connector.paging", "a next page is found in exactly one way",
              "give one of cursor, next_url, offset");
  if (node["cursor"].exists() && !node["parameter"].exists())
    node.fail("connector.paging", "`cursor` needs `parameter`", "say which parameter takes it");
  return out;
}

}  // namespace eddy::connectors
