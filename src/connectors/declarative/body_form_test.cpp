#include "connectors/declarative/body_form.h"

#include <gtest/gtest.h>

#include <random>

#include "connectors/declarative/cell_text.h"

namespace eddy::connectors {
namespace {

using nlohmann::json;

Tree tree(std::string_view yaml) {
  Diagnostics diagnostics;
  const auto node = config::parse(yaml, "t.yml", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  return Tree::parse(node);
}

const Schema key{{"email", Type::text}};
const Schema fields{{"zip", Type::integer},    {"Ärger", Type::text},   {"name", Type::text},
                    {"ltv", Type::real},       {"rate", Type::decimal}, {"born", Type::date},
                    {"seen", Type::timestamp}, {"tags", Type::json},    {"vip", Type::boolean}};

std::optional<json> constants(std::string_view name) {
  if (name == "object") return json("con\"tacts");
  if (name == "key.field") return json("email");
  if (name == "version") return json(3);
  return std::nullopt;
}

// The other way to the same text: a document.
std::string as_document(const Tree& body, std::span<const Change> changes, const TransformSpec& transforms) {
  std::vector<RenderedRow> rows;
  for (const Change& change : changes) rows.push_back(render_row(change, key, fields, transforms));
  const auto row = [&](std::size_t i) {
    return [&rows, i](std::string_view name) -> std::optional<json> {
      if (name == "row.key") return rows[i].key;
      if (name == "row.fields") return rows[i].fields;
      if (name == "row.all") return rows[i].all;
      if (name == "row.trace") return json(rows[i].trace);
      if (name == "row.index") return json(i);
      return constants(name);
    };
  };
  return body.render(row(0), rows.size(), row).dump();
}

std::string as_form(const BodyForm& form, std::span<const Change> changes, const TransformSpec& transforms) {
  RenderedBatch batch;
  std::string out = form.write(changes, transforms, true, batch);
  EXPECT_EQ(batch.rows.size(), changes.size());
  return out;
}

// Values of every type, awkward ones among them.
Change random_change(std::minstd_rand& random, std::uint64_t number) {
  static const std::vector<std::string> texts = {"",
                                                 "plain",
                                                 "quo\"te",
                                                 "back\\slash",
                                                 "new\nline\ttab\r\b\f",
                                                 std::string("nul\0inside", 10),
                                                 "\x1f\x7f",
                                                 "Žluťoučký 🐴",
                                                 "</script>",
                                                 "1e5"};
  static const std::vector<double> reals = {0, -0.0, 100, 0.1, 1e21, 1e-7, 123456789.125, -2.5e300};
  const auto text = [&] { return texts[random() % texts.size()]; };
  Change change{number, Operation::change, {Value::text("k" + std::to_string(number) + text())}, {}, {}};
  change.fields = {Value::integer(static_cast<std::int64_t>(random()) - 1'000'000'000),
                   Value::text(text()),
                   Value::text(text()),
                   Value::real(reals[random() % reals.size()]),
                   Value::decimal(random() % 2 == 0 ? "12.50" : "12345678901234567890.1"),
                   Value::date("2026-11-23"),
                   Value::timestamp("2026-11-23T10:53:42Z"),
                   Value::json(R"(["a", "b"])"),
                   Value::boolean(random() % 2 == 0)};
  for (Value& value : change.fields)
    if (random() % 5 == 0) value = Value();
  for (std::size_t i = 0; i < fields.size(); ++i) change.changed.push_back(random() % 4 != 0);
  return change;
}

std::vector<TransformSpec> all_transforms() {
  std::vector<TransformSpec> out;
  for (const bool all_text : {false, true})
    for (const auto null :
         {TransformSpec::Null::null, TransformSpec::Null::empty_text, TransformSpec::Null::omit})
      for (const auto time : {TransformSpec::Time::iso, TransformSpec::Time::epoch_ms})
        out.push_back({all_text, null, time, time, all_text ? ";" : ""});
  return out;
}

TEST(BodyForm, WritesWhatTheDocumentWouldBe) {
  const std::vector<std::string> bodies = {
      "{inputs: {each: {id: '{row.key}', idProperty: '{key.field}', properties: '{row.all}', trace: "
      "'{row.trace}'}}}",
      "{b: 1, a: [1, {x: '{object}'}, {each: '{row.fields}'}], 'c{version}': '{{literal}}', gone: "
      "'{unknown}'}",
      "{each: {'*': '{row.all}'}}",
      "{all: false, records: {each: {attributes: {type: '{object}'}, zz: [1, '{version}'], '*': "
      "'{row.all}'}}}",
      "{each: {attributes: {type: x}, id: '{row.key}', '*': '{row.fields}', gone: '{unknown}'}}",
      "{each: {n: '{row.index}', v: '{version}', text: 'v{version} of {object}'}}"};
  std::minstd_rand random(1);
  for (const std::string& text : bodies) {
    const Tree body = tree(text);
    const auto form = BodyForm::compile(body, constants, false, key, fields);
    ASSERT_TRUE(form) << text;
    for (const TransformSpec& transforms : all_transforms())
      for (const std::size_t rows : {1U, 2U, 30U}) {
        std::vector<Change> changes;
        for (std::size_t i = 0; i < rows; ++i) changes.push_back(random_change(random, i));
        EXPECT_EQ(as_form(*form, changes, transforms), as_document(body, changes, transforms)) << text;
      }
  }
}

TEST(BodyForm, OneRowMayBeMeantOutsideOfEach) {
  const Tree body = tree("{record: '{row.all}', id: '{row.key}'}");
  EXPECT_FALSE(BodyForm::compile(body, constants, false, key, fields));
  const auto form = BodyForm::compile(body, constants, true, key, fields);
  ASSERT_TRUE(form);
  std::minstd_rand random(2);
  const std::vector<Change> changes = {random_change(random, 9)};
  EXPECT_EQ(as_form(*form, changes, {}), as_document(body, changes, {}));
}

TEST(BodyForm, LeavesToTheDocumentWhatItCannotExpress) {
  for (const char* text :
       {"{each: {'*': '{row.all}', '{key.field}': 1}}", "{each: {'*': '{row.all}', n: {k: '{row.key}'}}}",
        "{each: [{'*': '{row.all}'}, {'*': '{row.fields}'}]}", "{each: {name: 'row {row.index}'}}",
        "{each: {'{row.key}': 1}}", "{keys: '{rows.keys}'}", "{each: {each: '{row.key}'}}",
        "{a: {each: 1}, b: {each: 2}}", "{each: '{unknown}'}"})
    EXPECT_FALSE(BodyForm::compile(tree(text), constants, false, key, fields)) << text;
  const Tree body = tree("{each: '{row.all}'}");
  EXPECT_FALSE(BodyForm::compile(body, constants, false, key, {{"user.name", Type::text}}));
  EXPECT_FALSE(BodyForm::compile(body, constants, false, key, {{"email", Type::text}}));
  EXPECT_FALSE(BodyForm::compile(body, constants, false, {{"a", Type::text}, {"b", Type::text}}, {}));
}

TEST(BodyForm, RowsThatCannotBeSentAreRefusedInTheSameWords) {
  const auto form = BodyForm::compile(tree("{each: '{row.all}'}"), constants, false, key, fields);
  ASSERT_TRUE(form);
  std::minstd_rand random(3);
  std::vector<Change> bad(5, random_change(random, 1));
  for (Change& change : bad) change.changed.assign(fields.size(), true);
  bad[0].key = {Value()};
  bad[1].key = {Value::text("")};
  bad[2].key = {Value::text("\xC3(")};
  bad[3].fields[1] = Value::text("cut\xC3");
  bad[4].fields[3] = Value::real(std::numeric_limits<double>::infinity());
  bad.push_back(random_change(random, 77));  // a good one at the end
  RenderedBatch batch;
  const std::string text = form->write(bad, {}, true, batch);
  EXPECT_EQ(batch.place, (std::vector<std::size_t>{5}));
  EXPECT_EQ(text, as_form(*form, std::span(bad).last(1), {}));
  for (std::size_t i = 0; i < 5; ++i) {
    const auto theirs = render_row(bad[i], key, fields, {}).unusable;
    ASSERT_TRUE(theirs);
    EXPECT_EQ(batch.verdicts[i].code, theirs->code);
    EXPECT_EQ(batch.verdicts[i].message, theirs->message);
  }
}

TEST(BodyForm, KeysOfOtherTypesAreMatchedByTheSameText) {
  for (const auto& [type, value] :
       std::vector<std::pair<Type, Value>>{{Type::integer, Value::integer(-7)},
                                           {Type::decimal, Value::decimal("7.50")},
                                           {Type::date, Value::date("2026-01-02")}}) {
    const Schema by{{"id", type}};
    const auto form = BodyForm::compile(tree("{each: '{row.key}'}"), constants, false, by, {});
    ASSERT_TRUE(form);
    for (const TransformSpec& transforms : all_transforms()) {
      const Change change{4, Operation::remove, {value}, {}, {}};
      RenderedBatch batch;
      form->write(std::span(&change, 1), transforms, true, batch);
      ASSERT_EQ(batch.rows.size(), 1U);
      const RenderedRow theirs = render_row(change, by, {}, transforms);
      EXPECT_EQ(batch.rows[0].key_text, theirs.key_text);
      EXPECT_EQ(batch.rows[0].trace, theirs.trace);
    }
  }
}

}  // namespace
}  // namespace eddy::connectors
