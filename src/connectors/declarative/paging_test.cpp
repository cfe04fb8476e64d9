// Lists in pages, in every way in which services tell where the next one is.
#include "connectors/declarative/paging.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;

std::shared_ptr<const Spec> service(const std::string& paging,
                                    const std::string& request = "method: GET, url: /names") {
  return std::make_shared<const Spec>(parse_connector(
      R"(
name: pages
title: Pages
summary: lists
settings: {base_url: {default: "http://127.0.0.1:1", doc: where}}
objects:
  list: {things: {fields: {id: {key: true}}}}
  names: {request: {)" +
          request + R"(}, items: /names, name: /name, paging: )" + paging + R"(}
operations:
  upsert: {request: {method: PUT, url: "/things/{row.key}"}, outcome: {rows: [{match: [{by: all}], applied_when: {status: 204}}]}}
)",
      "pages.yml"));
}

// What was asked, and the names that came of it; replies in order.
struct Read {
  std::vector<std::string> asked;
  std::vector<std::string> names;
};

Read read(const Spec& spec, const std::vector<std::string>& replies) {
  Read out;
  const RequestSpec& request = *spec.objects.list_request;
  const Lookup lookup = [](std::string_view) { return std::nullopt; };
  const json body = request.body.empty() ? json() : request.body.render(lookup, 0, {});
  const auto got = read_pages(
      spec.objects.list_paging, {request, encode(request, body), lookup}, "/names",
      [] { return "https://api.example.com"; },
      [&](const PageRequest& page) -> std::optional<Reply> {
        const http::Request sent =
            build_request(page.request, "https://api.example.com", page.lookup, page.content);
        out.asked.push_back(sent.url + (sent.body.empty() ? "" : " " + sent.body));
        EXPECT_LE(out.asked.size(), replies.size());
        if (out.asked.size() > replies.size()) return std::nullopt;
        return Reply(http::Response{200, {}, replies[out.asked.size() - 1]});
      });
  if (got && got->json && got->json->contains("names"))
    for (const json& name : (*got->json)["names"]) out.names.push_back(name.get<std::string>());
  return out;
}

std::string code_of(const std::function<void()>& action) {
  try {
    action();
    return "";
  } catch (const Error& e) {
    EXPECT_FALSE(e.hint().empty());
    return e.code();
  }
}

using Texts = std::vector<std::string>;

TEST(Paging, ByCursorInTheQuery) {
  const auto spec = service("{cursor: /paging/next/after, parameter: after}",
                            "method: GET, url: /names, query: {limit: '2', after: first}");
  const Read got = read(
      *spec, {R"({"names":["a","b"],"paging":{"next":{"after":"c&1"}}})", R"({"names":["c"],"paging":{}})"});
  EXPECT_EQ(got.names, (Texts{"a", "b", "c"}));
  EXPECT_EQ(got.asked, (Texts{"https://api.example.com/names?limit=2&after=first",
                              "https://api.example.com/names?limit=2&after=c%261"}));
}

TEST(Paging, ByCursorInAFormOrADocument) {
  const auto form =
      service("{cursor: /next, parameter: token}", "url: /names, encoding: form, body: {filter: x}");
  EXPECT_EQ(
      read(*form, {R"({"names":["a"],"next":"t="})", R"({"names":["b"],"next":""})"}).asked,
      (Texts{"https://api.example.com/names filter=x", "https://api.example.com/names filter=x&token=t%3D"}));
  const auto document = service("{cursor: /next, parameter: after}", "url: /names, body: {filter: x}");
  EXPECT_EQ(read(*document, {R"({"names":["a"],"next":7})", R"({"names":["b"],"next":null})"}).asked.back(),
            R"(https://api.example.com/names {"after":"7","filter":"x"})");
}

TEST(Paging, ByUrl) {
  const auto spec = service("{next_url: /links/next, more_when: {pointer: /more, eq: true}}");
  const Read got =
      read(*spec, {R"({"names":["a"],"more":true,"links":{"next":"https://API.example.com/names?page=2"}})",
                   R"({"names":["b"],"more":true,"links":{"next":"/names?page=3"}})",
                   R"({"names":["c"],"more":false,"links":{"next":"/names?page=4"}})"});
  EXPECT_EQ(got.names, (Texts{"a", "b", "c"}));
  EXPECT_EQ(got.asked.at(1), "https://API.example.com/names?page=2");
  EXPECT_EQ(got.asked.at(2), "https://api.example.com/names?page=3");
}

TEST(Paging, ByOffset) {
  const auto total =
      service("{offset: start, total: /total}", "method: GET, url: /names, query: {count: '2'}");
  EXPECT_EQ(
      read(*total, {R"({"names":["a","b"],"total":3})", R"({"names":["c"],"total":3})"}).asked,
      (Texts{"https://api.example.com/names?count=2", "https://api.example.com/names?count=2&start=2"}));
  const auto until_empty = service("{offset: start}");
  EXPECT_EQ(read(*until_empty, {R"({"names":["a"]})", R"({"names":["b"]})", R"({"names":[]})"}).names,
            (Texts{"a", "b"}));
}

TEST(Paging, CredentialsDoNotGoElsewhere) {
  const auto spec = service("{next_url: /next}");
  for (const std::string url :
       {"https://evil.example/names", "http://api.example.com/names", "https://api.example.com.evil.example/",
        "https://api.example.com@evil.example/"})
    EXPECT_EQ(code_of([&] { read(*spec, {R"({"names":["a"],"next":")" + url + "\"}"}); }),
              "destination.next_page")
        << url;
}

TEST(Paging, HasAnEnd) {
  const auto spec = service("{cursor: /next, parameter: after, max_pages: 2}");
  EXPECT_EQ(code_of([&] {
              read(*spec, {R"({"names":["a"],"next":"1"})", R"({"names":["b"],"next":"2"})"});
            }),
            "destination.too_many_pages");
  EXPECT_EQ(read(*spec, {R"({"names":["a"],"next":"1"})", R"({"names":["b"]})"}).names, (Texts{"a", "b"}));
  const auto circle = service("{cursor: /next, parameter: after}");
  EXPECT_EQ(code_of([&] {
              read(*circle, {R"({"names":["a"],"next":"1"})", R"({"names":["b"],"next":"1"})"});
            }),
            "destination.next_page");
}

TEST(Paging, WordsAreChecked) {
  EXPECT_EQ(code_of([] { service("{cursor: /next}"); }), "connector.paging");
  EXPECT_EQ(code_of([] { service("{cursor: /next, parameter: a, next_url: /n}"); }), "connector.paging");
  EXPECT_EQ(code_of([] { service("{max_pages: 3}"); }), "connector.paging");
  EXPECT_EQ(code_of([] { service("{cursor: next, parameter: a}"); }), "connector.pointer");
}

}  // namespace
}  // namespace eddy::connectors
