// Hostile replies against every way of matching: no row is applied that the reply does not vouch for.
#include "connectors/declarative/row_answers.h"

#include <gtest/gtest.h>

#include <random>

namespace eddy::connectors {
namespace {

using nlohmann::json;

const Lookup nothing = [](std::string_view) { return std::nullopt; };

std::vector<RenderedRow> rows(const std::vector<std::string>& keys) {
  std::vector<RenderedRow> out;
  for (const std::string& key : keys) {
    RenderedRow& row = out.emplace_back();
    row.trace = "t" + std::to_string(out.size() - 1);
    row.key_text = key;
    row.id = "9" + key;
  }
  return out;
}

OutcomeSpec outcome(std::string_view yaml) {
  const std::string text =
      "name: x\ntitle: X\nsummary: x\nsettings: {base_url: {default: 'http://localhost'}}\n"
      "objects: {list: {people: {}}}\noperations: {upsert: {request: {url: /p}, outcome: " +
      std::string(yaml) + "}}\n";
  return parse_connector(text, "connector.yml").operations.at("upsert").front().outcome;
}

// a(pplied), r(ejected), t(retry), d(oubt).
std::string letters(const OutcomeSpec& spec, const std::string& body, const std::vector<RenderedRow>& sent) {
  std::string out;
  const Reply reply(http::Response{200, {}, body});
  for (const Verdict& v : read_rows(reply, spec, {}, sent, nothing, Verdict::in_doubt("none", "none")))
    out += v.outcome == Outcome::applied    ? 'a'
           : v.outcome == Outcome::rejected ? 'r'
           : v.outcome == Outcome::retry    ? 't'
                                            : 'd';
  return out;
}

const auto abc = rows({"a", "b", "c"});

TEST(RowAnswers, KeysInListsOfFailures) {
  const auto spec = outcome(
      "{missing_row: applied, rows: [{items: /bad, refused: true, match: [{by: echo, pointer: '', row: "
      "key}]}]}");
  EXPECT_EQ(letters(spec, R"({"bad":["c","a"]})", abc), "rar");
  EXPECT_EQ(letters(spec, R"({"bad":["c","c","c","c"]})", abc), "aar");
  EXPECT_EQ(letters(spec, R"({"bad":"b"})", abc), "ara");
  EXPECT_EQ(letters(spec, R"({"bad":[]})", abc), "aaa");
  // A failure that is nobody's may be anybody's.
  for (const char* body : {R"({"bad":["x"]})", R"({"bad":[null]})", R"({"bad":[{}]})", R"({"bad":[["x"]]})",
                           R"({"bad":{}})", R"({"bad":"x"})", R"({"bad":7})", R"({"bad":true})"})
    EXPECT_EQ(letters(spec, body, abc), "ddd") << body;
  EXPECT_EQ(letters(spec, R"({"bad":["x","a"]})", abc), "rdd");
}

TEST(RowAnswers, KeysInListsOfBothKinds) {
  const auto spec = outcome(
      "{rows: [{items: /good, match: [{by: echo, pointer: '', row: key}]},"
      " {items: /bad, refused: true, match: [{by: echo, pointer: '', row: key}]}]}");
  EXPECT_EQ(letters(spec, R"({"good":["c","a"],"bad":["b"]})", abc), "ara");
  EXPECT_EQ(letters(spec, R"({"good":["a","b"],"bad":["b"]})", abc), "add");
  EXPECT_EQ(letters(spec, R"({"good":["A","x",1,null,{},["b"]],"bad":[]})", abc), "dad");
  EXPECT_EQ(letters(spec, R"({"good":7})", abc), "ddd");
}

TEST(RowAnswers, IdsThatABranchHasFound) {
  const auto spec = outcome("{rows: [{items: /good, match: [{by: echo, pointer: /id, row: id}]}]}");
  EXPECT_EQ(letters(spec, R"({"good":[{"id":"9c"},{"id":"9a"},{"id":"a"},{"id":""}]})", abc), "ada");
  auto unknown = abc;
  for (RenderedRow& row : unknown) row.id.clear();
  EXPECT_EQ(letters(spec, R"({"good":[{"id":""},{}]})", unknown), "ddd");
}

TEST(RowAnswers, KeysOfSeveralFields) {
  const auto spec = outcome("{rows: [{items: /r, match: [{by: echo, pointers: {from: /f, to: /t/id}}]}]}");
  auto pairs = rows({"", ""});
  pairs[0].key_text = text_of_keys({{"from", "1"}, {"to", "11"}});
  pairs[1].key_text = text_of_keys({{"from", "11"}, {"to", "1"}});
  EXPECT_EQ(letters(spec, R"({"r":[{"f":11,"t":{"id":"1"}},{"f":["1"],"t":{"id":11}}]})", pairs), "aa");
  for (const char* body :
       {R"({"r":[{"f":"1"}]})", R"({"r":[{"f":"111","t":{"id":""}}]})",
        R"({"r":[{"f":["1","1"],"t":{"id":"11"}}]})", R"({"r":[{"f":null,"t":{"id":"11"}}]})",
        R"({"r":[{"f":{},"t":{"id":[]}}]})", R"({"r":["1","11"]})"})
    EXPECT_EQ(letters(spec, body, pairs), "dd") << body;
}

TEST(RowAnswers, Alone) {
  const auto spec = outcome(
      "{rows: [{items: /r, match: [{by: alone}]}, {items: /e, refused: true, match: [{by: alone}]}]}");
  EXPECT_EQ(letters(spec, R"({"r":[{}]})", rows({"a"})), "a");
  EXPECT_EQ(letters(spec, R"({"r":[{}]})", abc), "ddd");
  EXPECT_EQ(letters(spec, R"({"e":[{}]})", rows({"a"})), "r");
  EXPECT_EQ(letters(spec, R"({"r":[{}],"e":[{}]})", rows({"a"})), "d");
  bool unnamed = false;
  read_rows(Reply(http::Response{200, {}, R"({"r":[{}]})"}), spec, {}, abc, nothing, {}, &unnamed);
  EXPECT_FALSE(unnamed);
  read_rows(Reply(http::Response{200, {}, R"({"e":[{}]})"}), spec, {}, abc, nothing, {}, &unnamed);
  EXPECT_TRUE(unnamed);
}

TEST(RowAnswers, WhatNamesAnotherRowIsNotAboutTheOneAtItsPlace) {
  const auto spec = outcome(
      "{rows: [{match: [{by: echo, pointer: /k, row: key}, {by: position}], applied_when: {pointer: /ok, "
      "eq: true}, code: [/e]}]}");
  EXPECT_EQ(letters(spec, R"([{"ok":true},{"ok":true,"k":null},{"e":"bad"}])", abc), "aar");
  EXPECT_EQ(letters(spec, R"([{"ok":true,"k":"x"},{"ok":true},{"ok":true,"k":"c"}])", abc), "daa");
}

// Nobody promises their order.
TEST(RowAnswers, PlacesInAJobsResultsCountWhenAllSayTheSame) {
  const auto spec = outcome(
      "{rows: [{match: [{by: echo, pointer: /k, row: key}, {by: index, pointer: /i}, {by: position}], "
      "applied_when: {pointer: /ok, eq: true}, id: /id, code: [/e]}]}");
  const auto told = [&](const char* body) {
    const ErrorSpec errors;
    RowAnswers answers(errors, abc, nothing, Verdict::in_doubt("none", "none"),
                       [](const std::string& key) { return key; });
    answers.read(Reply(http::Response{200, {}, body}), spec.rows.front());
    std::string out;
    for (const Verdict& v : answers.verdicts(false))
      out += (v.outcome == Outcome::applied    ? "a"
              : v.outcome == Outcome::rejected ? "r"
                                               : "d") +
             v.destination_id;
    return out;
  };
  EXPECT_EQ(told(R"([{"ok":true,"id":3},{"ok":true,"id":2},{"ok":true,"id":1}])"), "aaa");
  EXPECT_EQ(told(R"([{"e":"bad"},{"e":"bad"},{"e":"worse"}])"), "rrr");
  EXPECT_EQ(told(R"([{"ok":true},{"e":"bad"},{"ok":true}])"), "ddd");
  EXPECT_EQ(told(R"([{"ok":true},{"ok":true}])"), "ddd");
  // Others may be known by more; a place that one of them takes shows that there is no order.
  EXPECT_EQ(told(R"([{"ok":true,"k":"a","id":1},{"ok":true,"id":2},{"e":"bad","i":2}])"), "a1ar");
  EXPECT_EQ(told(R"([{"ok":true,"k":"b","id":1},{"ok":true,"id":2},{"ok":true,"id":3}])"), "da1d");
}

TEST(RowAnswers, CountsAreBelievedOnlyWhenTheyAreAllRows) {
  const auto spec = outcome("{counted: [/done], rows: []}");
  EXPECT_EQ(letters(spec, R"({"done":3})", abc), "aaa");
  for (const char* body : {R"({"done":2})", R"({"done":4})", R"({"done":0})", R"({"done":-3})",
                           R"({"done":"3"})", R"({"done":3.0})", R"({"done":null})", R"({"done":[3]})",
                           R"({})", "[]", "", R"({"done":18446744073709551615})", R"({"Done":3})"})
    EXPECT_EQ(letters(spec, body, abc), "ddd") << body;
}

TEST(RowAnswers, CountsGoWithTheFailuresThatAreNamed) {
  const auto spec = outcome(
      "{counted: [/made, /changed], rows: [{items: /bad, refused: true, match: [{by: echo, pointer: /k, row: "
      "key}]}]}");
  EXPECT_EQ(letters(spec, R"({"made":1,"changed":1,"bad":[{"k":"b"}]})", abc), "ara");
  EXPECT_EQ(letters(spec, R"({"made":2,"changed":1,"bad":[{"k":"b"}]})", abc), "drd");
  EXPECT_EQ(letters(spec, R"({"made":2,"bad":[{"k":"b"}]})", abc), "drd");
  EXPECT_EQ(letters(spec, R"({"made":3,"changed":0,"bad":[{"k":"x"}]})", abc), "ddd");
  EXPECT_EQ(letters(spec, R"({"made":1,"changed":1,"bad":[{"k":"b"},{"k":"x"}]})", abc), "drd");
}

// Whatever is done to a good reply, a row is applied only when an item that names it says so.
TEST(RowAnswers, NoMutilatedReplyAppliesARowItDoesNotVouchFor) {
  std::mt19937 random(7);
  for (const char* match : {"by: position", "by: index, pointer: /i", "by: echo, pointer: /t",
                            "by: echo, pointer: /k, row: key"}) {
    const auto spec = outcome("{rows: [{items: /r, match: [{" + std::string(match) +
                              "}], applied_when: {pointer: /ok, eq: true}}]}");
    for (int round = 0; round < 500; ++round) {
      json list = json::array();
      std::vector<bool> vouched(3);
      const bool whole = random() % 2 == 0;
      for (std::size_t i = 0; i < 3; ++i) {
        const bool ok = random() % 2 == 0;
        if (!whole && random() % 3 == 0) continue;
        list.push_back({{"i", i}, {"t", abc[i].trace}, {"k", abc[i].key_text}, {"ok", ok}});
        vouched[i] = ok;
      }
      const bool by_place = std::string(match) == "by: position";
      if (by_place && list.size() != 3) vouched.assign(3, false);
      if (!by_place) std::shuffle(list.begin(), list.end(), random);
      if (!by_place && random() % 3 == 0 && !list.empty()) list.push_back(list[random() % list.size()]);
      if (!by_place && random() % 3 == 0) list.push_back({{"i", 17}, {"t", "t17"}, {"k", "z"}, {"ok", true}});
      std::string body = json{{"r", list}}.dump();
      const bool cut = random() % 4 == 0;
      if (cut) body.resize(random() % body.size());
      const std::string got = letters(spec, body, abc);
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(got[i] == 'a', vouched[i] && !cut) << match << " " << body << " " << got;
    }
  }
}

}  // namespace
}  // namespace eddy::connectors
