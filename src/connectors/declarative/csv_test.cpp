#include <gtest/gtest.h>

#include <cmath>

#include "connectors/declarative/csv_form.h"
#include "connectors/declarative/csv_reader.h"

namespace eddy::connectors {
namespace {

const Schema key = {{"Id__c", Type::text}};
const Schema fields = {
    {"Name", Type::text}, {"Parent.Id__c", Type::text}, {"N", Type::integer}, {"D", Type::decimal}};

Change change(const char* id, Row values, std::vector<bool> changed) {
  return {0, Operation::change, {Value::text(id)}, std::move(values), std::move(changed)};
}

TEST(CsvForm, NullEmptyAndUnchangedAreThreeThings) {
  const CsvForm form(key, fields, {"#N/A", false}, {});
  const std::vector<Change> rows = {
      change("1", {Value::text("Ann"), Value(), Value::integer(-7), Value::decimal("12.50")},
             {true, true, true, true}),
      change("2", {Value::text(""), Value(), Value(), Value()}, {true, false, false, true})};
  EXPECT_EQ(form.write(rows).text, "Id__c,Name,Parent.Id__c,N,D\n1,Ann,#N/A,-7,12.50\n2,#N/A,,,#N/A\n");
}

TEST(CsvForm, WholeRowsWhereAnEmptyCellClears) {
  const CsvForm form(key, fields, {"", true}, {});
  std::vector<Change> rows = {change("1", {Value::text("Ann"), Value::text("P"), Value::integer(1), Value()},
                                     {false, true, false, true})};
  EXPECT_EQ(form.write(rows).text, "Id__c,Name,Parent.Id__c,N,D\n1,Ann,P,1,\n");
  rows[0].kept = {true, false, false, false};
  const CsvBatch batch = form.write(rows);
  EXPECT_EQ(batch.text, "Id__c,Name,Parent.Id__c,N,D\n");
  ASSERT_EQ(batch.refused.size(), 1U);
  EXPECT_EQ(batch.refused[0].second.code, "kept_field");
}

TEST(CsvForm, WhatCannotBeSentIsRefusedAndLeavesNoTrace) {
  const CsvForm form(key, fields, {"#N/A", false}, {});
  const Row good = {Value::text("x"), Value(), Value(), Value()};
  Row null_word = good, bad_utf8 = good;
  null_word[0] = Value::text("#N/A");
  bad_utf8[0] = Value::text("\xFF");
  const std::vector<bool> all(4, true);
  std::vector<Change> rows = {change("", good, all), change("1", null_word, all), change("2", bad_utf8, all),
                              change("#N/A", good, all), change("3", good, all)};
  rows.push_back({0, Operation::change, {Value()}, good, all});
  const CsvBatch batch = form.write(rows);
  EXPECT_EQ(batch.text, "Id__c,Name,Parent.Id__c,N,D\n3,x,#N/A,#N/A,#N/A\n");
  EXPECT_EQ(batch.place, (std::vector<std::size_t>{4}));
  ASSERT_EQ(batch.refused.size(), 5U);
  EXPECT_EQ(batch.refused[0].second.code, "null_key");
  EXPECT_EQ(batch.refused[1].second.code, "unsendable_value");
  EXPECT_EQ(batch.refused[2].second.code, "unsendable_value");
  EXPECT_EQ(batch.refused[4].second.code, "null_key");
}

TEST(Csv, EverythingThatIsWrittenIsReadBack) {
  const std::vector<std::string> texts = {"plain",
                                          "with, comma",
                                          "say \"hi\"",
                                          "two\nlines",
                                          "two\r\nlines",
                                          " spaced ",
                                          "\xC3\xA4\xF0\x9F\x98\x80",
                                          "\"",
                                          ",",
                                          "\r",
                                          "tab\t"};
  std::vector<Change> rows;
  for (const std::string& text : texts)
    rows.push_back(change(("k" + std::to_string(rows.size())).c_str(),
                          {Value::text(text), Value::text(text), Value(), Value()},
                          {true, true, true, true}));
  const std::string file = CsvForm(key, fields, {"#N/A", false}, {}).write(rows).text;
  CsvReader reader(file);
  for (const std::string& text : texts) {
    const auto* row = reader.next();
    ASSERT_NE(row, nullptr) << reader.problem();
    EXPECT_EQ(row->at(1), text);
    EXPECT_EQ(row->at(2), text);
    EXPECT_EQ(row->at(3), "#N/A");
  }
  EXPECT_EQ(reader.next(), nullptr);
  EXPECT_EQ(reader.problem(), "");
}

TEST(CsvReader, SaysWhereTheTextIsNoFileAnyMore) {
  for (const char* text : {"a,b\n1\n", "a,b\n1,2,3\n", "a,b\n\"1,2\n", "a,b\n\"1\"x,2\n", "a,b\n1,\"2"}) {
    CsvReader reader(text);
    EXPECT_EQ(reader.next(), nullptr) << text;
    EXPECT_NE(reader.problem(), "") << text;
  }
  CsvReader none("");
  EXPECT_TRUE(none.header().empty());
  EXPECT_EQ(none.next(), nullptr);
  CsvReader windows(
      "\xEF\xBB\xBF"
      "a,b\r\n1,2\r\n\r\n3,4");
  EXPECT_EQ(windows.header(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(windows.next()->at(1), "2");
  EXPECT_EQ(windows.next()->at(1), "4");
  EXPECT_EQ(windows.next(), nullptr);
}

}  // namespace
}  // namespace eddy::connectors
