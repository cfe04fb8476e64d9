// What every destination says about itself, and what it refuses before anything is sent.
#include "conformance/suite.h"
#include "core/error.h"

namespace eddy::conformance {
namespace {

class Contract : public Conformance {
 protected:
  std::string code_of_open(const Target& target, sync::Removal removed = sync::Removal::ignore) {
    try {
      open(target, sync::Mode::upsert, removed);
    } catch (const Error& error) {
      EXPECT_NE(error.message(), "");
      return error.code();
    }
    return "no error";
  }
};

TEST_P(Contract, CheckAnswersInOneLine) {
  const std::string line = destination_->check();
  EXPECT_FALSE(line.empty());
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST_P(Contract, ListsAndDescribesItsObjects) {
  const Target target = subject_->make_object();
  const auto objects = destination_->objects();
  EXPECT_NE(std::find(objects.begin(), objects.end(), target.object), objects.end());
  const auto schema = destination_->describe(target.object);
  ASSERT_TRUE(schema.has_value());
  EXPECT_EQ(schema->name, target.object);
  for (const Schema* columns : {&target.key, &target.fields})
    for (const Column& column : *columns) {
      const auto found = std::find_if(schema->fields.begin(), schema->fields.end(),
                                      [&](const auto& field) { return field.name == column.name; });
      ASSERT_NE(found, schema->fields.end()) << column.name;
      EXPECT_EQ(found->type, column.type) << column.name << " is " << found->native_type;
      EXPECT_EQ(found->key, columns == &target.key || target.other_keys.contains(column.name)) << column.name;
      EXPECT_TRUE(found->writable) << column.name;
      EXPECT_NE(found->native_type, "") << column.name;
    }
}

TEST_P(Contract, HasNoWordForAnUnknownObject) {
  EXPECT_FALSE(destination_->describe("no such object").has_value());
}

TEST_P(Contract, OpenRefusesUnknownObjectsFieldsAndKeys) {
  const Target target = subject_->make_object();
  Target nowhere = target;
  nowhere.object = "no such object";
  EXPECT_EQ(code_of_open(nowhere), "destination.no_such_object");
  Target misspelt = target;
  misspelt.fields[0].name += "x";
  EXPECT_EQ(code_of_open(misspelt), "destination.unknown_field");
  Target wrong_key = target;
  wrong_key.key = {target.fields[0]};
  wrong_key.fields = {target.fields[1]};
  EXPECT_EQ(code_of_open(wrong_key), "destination.key_not_unique");
  EXPECT_EQ(code_of_open(target), "no error");
}

TEST_P(Contract, OpenRefusesARemovalItCannotDo) {
  const Target target = subject_->make_object();
  for (const sync::Removal removed : {sync::Removal::erase, sync::Removal::archive}) {
    EXPECT_EQ(code_of_open(target, removed),
              subject_->supports(removed) ? "no error" : "destination.unsupported")
        << static_cast<int>(removed);
  }
}

TEST(Waivers, NameTestsThatExistAndSayWhy) {
  std::set<std::string> tests;
  const auto& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i)
    for (int j = 0; j < all.GetTestSuite(i)->total_test_count(); ++j) {
      const std::string name = all.GetTestSuite(i)->GetTestInfo(j)->name();
      tests.insert(name.substr(0, name.find('/')));
    }
  for (const NamedSubject& subject : all_subjects())
    for (const auto& [test, reason] : subject.waivers) {
      EXPECT_TRUE(tests.contains(test)) << subject.name << " waives " << test << ", which is no test";
      EXPECT_GT(reason.size(), 20U) << subject.name << ": " << test;
    }
}

INSTANTIATE_TEST_SUITE_P(Destinations, Contract, ::testing::ValuesIn(all_subjects()), subject_name);

}  // namespace
}  // namespace eddy::conformance
