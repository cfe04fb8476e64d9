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
      EXPECT_EQ(found->key, columns == &target.key) << column.name;
      EXPECT_TRUE(found->writable) << column.name;
      EXPECT_NE(found->native_type, "") << column.name;
    }
}

TEST_P(Contract, HasNoWordForAnUnknownObject) {
  EXPECT_FALSE(destination_->describe("no such object").has_value());
}

TEST_P(Contract, OpenRefusesWhatCannotBeDone) {
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
  if (!subject_->supports(sync::Removal::archive)) {
    EXPECT_EQ(code_of_open(target, sync::Removal::archive), "destination.unsupported");
  }
  EXPECT_EQ(code_of_open(target), "no error");
}

INSTANTIATE_TEST_SUITE_P(Destinations, Contract, ::testing::ValuesIn(all_subjects()), subject_name);

}  // namespace
}  // namespace eddy::conformance
