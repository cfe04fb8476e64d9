// What every destination does with fields that must not be written, and what it reads back.
#include "conformance/suite.h"
#include "core/error.h"

namespace eddy::conformance {
namespace {
using testing::count;
using testing::deliver;

class Records : public Conformance {
 protected:
  static Value sample(Type type) {
    switch (type) {
      case Type::boolean:
        return Value::boolean(true);
      case Type::integer:
        return Value::integer(42);
      case Type::real:
        return Value::real(0.1);
      case Type::decimal:
        return Value::decimal("-12.25");
      case Type::date:
        return Value::date("2024-02-29");
      case Type::timestamp:
        return Value::timestamp("2026-03-29T01:30:00.125Z");
      case Type::json:
        return Value::json("{\"a\":[1,null,\"ü\"]}");
      case Type::blob:
        return Value::blob(std::string("\x00\xff\\x41", 6));
      case Type::null:
      case Type::text:
        break;
    }
    return Value::text("Größe 🚀 it's \\N\ttab");
  }

  static std::string comparable(const Value& value) {
    return fmt::format("{}:{}", name_of(value.type()), canonical(value));
  }

  std::unique_ptr<sync::Reader> reader(const Target& target) {
    return destination_->reader({.object = target.object,
                                 .key = target.key,
                                 .fields = target.fields,
                                 .options = subject_->options()});
  }
};

TEST_P(Records, AKeptFieldIsNeverWritten) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  const std::size_t field = field_of(target, Type::text);
  ASSERT_EQ(count(deliver(*writer, writes(target, 4, "before")).verdicts, Outcome::applied), 4U);
  // Three masks in one batch: none, this field, another field.
  std::vector<Change> changes = writes(target, 6, "after");
  for (const std::size_t row : {1U, 3U, 5U}) {
    changes[row].kept.assign(target.fields.size(), false);
    changes[row].kept[field] = true;
    changes[row].changed[field] = false;
  }
  std::size_t other = none;
  for (std::size_t i = 0; i < target.fields.size(); ++i)
    if (i != field && !target.required.contains(target.fields[i].name)) other = i;
  if (other != none) {
    changes[2].kept.assign(target.fields.size(), false);
    changes[2].kept[other] = true;
    changes[2].changed[other] = false;
  }
  EXPECT_EQ(count(deliver(*writer, changes).verdicts, Outcome::applied), 6U);
  const auto found = words(target);
  for (const int row : {0, 2, 4})
    EXPECT_EQ(found.at(key_text(target, row)), fmt::format("after {}", row)) << row;
  for (const int row : {1, 3})
    EXPECT_EQ(found.at(key_text(target, row)), fmt::format("before {}", row)) << row;
  ASSERT_TRUE(found.contains(key_text(target, 5))) << "a new record is made without the kept field";
  EXPECT_EQ(found.at(key_text(target, 5)).find("after"), std::string::npos);
}

TEST_P(Records, AKeptFieldLeavesTheOthersToBeWritten) {
  const Target target = subject_->make_object();
  const auto writer = open(target);
  const std::size_t text = field_of(target, Type::text), other = target.fields.size() - 1;
  ASSERT_NE(text, other);
  Change change = write(target, 0, "first");
  const Value was =
      target.fields[other].type == Type::text ? Value::text("was") : sample(target.fields[other].type);
  change.fields[other] = was;
  ASSERT_EQ(count(deliver(*writer, std::vector{change}).verdicts, Outcome::applied), 1U);
  change.operation = Operation::change;
  change.fields[text] = Value::text("second");
  change.fields[other] = Value();
  change.kept.assign(target.fields.size(), false);
  change.kept[other] = true;
  change.changed[other] = false;
  ASSERT_EQ(count(deliver(*writer, std::vector{change}).verdicts, Outcome::applied), 1U);
  const auto rows = subject_->rows(target);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at(target.fields[text].name), "second");
  EXPECT_EQ(rows[0].at(target.fields[other].name), canonical(was));
}

TEST_P(Records, ReadsBackWhatWasWritten) {
  const Target target = subject_->make_object();
  const auto reads = reader(target);
  if (!reads) GTEST_SKIP() << GetParam().name << " reads no records";
  std::vector<Change> changes = writes(target, 3, "row");
  // Where there are more texts than one, the others may be e-mails or choices.
  for (std::size_t i = 0; i < target.fields.size(); ++i)
    if (target.fields[i].type != Type::text || i == field_of(target, Type::text))
      changes[0].fields[i] = sample(target.fields[i].type);
  // A checkbox may not know null.
  for (std::size_t i = 0; i < target.fields.size(); ++i)
    if (target.fields[i].type == Type::boolean)
      changes[1].fields[i] = changes[2].fields[i] = Value::boolean(false);
  ASSERT_EQ(count(deliver(*open(target), changes).verdicts, Outcome::applied), 3U);

  const std::vector<Row> keys = {changes[2].key, write(target, 99, "").key, changes[0].key, changes[2].key};
  const auto records = reads->read(keys);
  ASSERT_EQ(records.size(), keys.size());
  EXPECT_EQ(records[1].matches, 0U);
  EXPECT_TRUE(records[1].fields.empty());
  for (const auto& [record, change] : {std::pair(0U, 2U), {2U, 0U}, {3U, 2U}}) {
    EXPECT_EQ(records[record].matches, 1U);
    ASSERT_EQ(records[record].fields.size(), target.fields.size());
    for (std::size_t i = 0; i < target.fields.size(); ++i)
      EXPECT_EQ(comparable(records[record].fields[i]), comparable(changes[change].fields[i]))
          << target.fields[i].name;
  }
  EXPECT_TRUE(reads->read({}).empty());
}

TEST_P(Records, ReadsManyKeysAtOnceAndTellsWhetherTheyAreThere) {
  const Target target = subject_->make_object();
  const auto whole = reader(target);
  if (!whole) GTEST_SKIP() << GetParam().name << " reads no records";
  const auto reads = destination_->reader(
      {.object = target.object, .key = target.key, .fields = {}, .options = subject_->options()});
  ASSERT_GE(reads->keys_max(), 1U);
  const std::size_t many = std::min<std::size_t>(reads->keys_max(), 1000);
  ASSERT_EQ(
      count(deliver(*open(target), writes(target, static_cast<int>(many), "row")).verdicts, Outcome::applied),
      many);
  std::vector<Row> keys;
  for (std::size_t n = 0; n < many; ++n) keys.push_back(write(target, static_cast<int>(2 * n), "").key);
  const auto records = reads->read(keys);
  ASSERT_EQ(records.size(), many);
  for (std::size_t n = 0; n < many; ++n) {
    ASSERT_EQ(records[n].matches, 2 * n < many ? 1U : 0U) << n;
    ASSERT_TRUE(records[n].fields.empty());
  }
}

TEST_P(Records, ReadsByEveryPartOfACompositeKey) {
  const Target target = subject_->make_object(2);
  const auto reads = reader(target);
  if (!reads) GTEST_SKIP() << GetParam().name << " reads no records";
  Change change = write(target, 0, "here");
  change.key = {subject_->key_value(target.key[0], 1), subject_->key_value(target.key[1], 2)};
  ASSERT_EQ(count(deliver(*open(target), std::vector{change}).verdicts, Outcome::applied), 1U);
  const std::vector<Row> keys = {
      {subject_->key_value(target.key[0], 1), subject_->key_value(target.key[1], 1)},
      change.key,
      {subject_->key_value(target.key[0], 2), subject_->key_value(target.key[1], 2)}};
  const auto records = reads->read(keys);
  EXPECT_EQ(records[0].matches, 0U);
  EXPECT_EQ(records[1].matches, 1U);
  EXPECT_EQ(records[2].matches, 0U);
}

TEST_P(Records, AKeyThatDoesNotTellRecordsApartIsCounted) {
  const Target target = subject_->make_object();
  if (!reader(target)) GTEST_SKIP() << GetParam().name << " reads no records";
  const std::size_t field = field_of(target, Type::text);
  auto changes = writes(target, 3, "row");
  for (const std::size_t row : {0U, 2U}) changes[row].fields[field] = Value::text("the same");
  ASSERT_EQ(count(deliver(*open(target), changes).verdicts, Outcome::applied), 3U);
  const auto reads = destination_->reader({.object = target.object,
                                           .key = {target.fields[field]},
                                           .fields = {target.fields[field]},
                                           .options = subject_->options()});
  if (!reads) GTEST_SKIP() << GetParam().name << " reads by its own keys only";
  const auto records = reads->read(
      std::vector<Row>{{Value::text("the same")}, {Value::text("row 1")}, {Value::text("nobody")}});
  EXPECT_EQ(records[0].matches, 2U);
  EXPECT_EQ(records[0].fields.at(0), Value::text("the same"));
  EXPECT_EQ(records[1].matches, 1U);
  EXPECT_EQ(records[2].matches, 0U);
}

TEST_P(Records, AskingASystemThatIsDownThrows) {
  const Target target = subject_->make_object();
  const auto reads = reader(target);
  if (!reads) GTEST_SKIP() << GetParam().name << " reads no records";
  subject_->take_down();
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      reads->read(std::vector<Row>{write(target, 0, "").key});
      ADD_FAILURE() << "no error was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "destination.unavailable");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Destinations, Records, ::testing::ValuesIn(all_subjects()), subject_name);

}  // namespace
}  // namespace eddy::conformance
