// The fixture of the suite: one subject per test, and the few words in which the tests speak.
#pragma once

#include <gtest/gtest.h>

#include "conformance/subject.h"
#include "support/delivery.h"

namespace eddy::conformance {

class Conformance : public ::testing::TestWithParam<NamedSubject> {
 protected:
  void SetUp() override {
    const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    const auto waiver = GetParam().waivers.find(test.substr(0, test.find('/')));
    if (waiver != GetParam().waivers.end()) GTEST_SKIP() << GetParam().name << ": " << waiver->second;
    if (!GetParam().available()) GTEST_SKIP() << GetParam().missing;
    subject_ = GetParam().make();
    destination_ = subject_->destination();
  }

  // removed: as asked; otherwise erase where the destination can, or archive.
  std::unique_ptr<sync::Writer> open(const Target& target, sync::Mode mode = sync::Mode::upsert,
                                     std::optional<sync::Removal> removed = std::nullopt) {
    const auto removal = subject_->supports(sync::Removal::erase)     ? sync::Removal::erase
                         : subject_->supports(sync::Removal::archive) ? sync::Removal::archive
                                                                      : sync::Removal::ignore;
    return destination_->open({.object = target.object,
                               .mode = mode,
                               .removed = removed.value_or(removal),
                               .key = target.key,
                               .fields = target.fields,
                               .options = subject_->options(),
                               .sync = "test"});
  }

  // A change of the n-th record: every field null but the text field and what no record can be without.
  Change write(const Target& target, int n, const std::string& words,
               Operation operation = Operation::add) const {
    Change change{.number = static_cast<std::uint64_t>(n),
                  .operation = operation,
                  .key = {},
                  .fields = {},
                  .changed = {}};
    for (const Column& column : target.key) change.key.push_back(subject_->key_value(column, n));
    change.fields.resize(target.fields.size());
    change.changed.assign(target.fields.size(), true);
    for (std::size_t i = 0; i < target.fields.size(); ++i)
      if (target.required.contains(target.fields[i].name)) change.fields[i] = Value::text("Somebody");
    change.fields[field_of(target, Type::text)] = Value::text(words);
    return change;
  }
  Change remove(const Target& target, int n) const {
    Change change = write(target, n, "", Operation::remove);
    change.fields.clear();
    change.changed.clear();
    return change;
  }
  std::vector<Change> writes(const Target& target, int rows, const std::string& words) const {
    std::vector<Change> changes;
    for (int n = 0; n < rows; ++n) changes.push_back(write(target, n, fmt::format("{} {}", words, n)));
    return changes;
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  static std::size_t field_of(const Target& target, Type type) {
    for (std::size_t i = 0; i < target.fields.size(); ++i)
      if (target.fields[i].type == type) return i;
    return none;
  }

  // The text field of every record, by its first key column.
  std::map<std::string, std::string> words(const Target& target) {
    std::map<std::string, std::string> found;
    const std::string& field = target.fields[field_of(target, Type::text)].name;
    for (const auto& row : subject_->rows(target)) {
      const auto key = row.at(target.key[0].name).get<std::string>();
      EXPECT_FALSE(found.contains(key)) << "key " << key << " is there twice";
      found[key] = row.at(field).is_null() ? "(null)" : row.at(field).get<std::string>();
    }
    return found;
  }
  std::string key_text(const Target& target, int n) const {
    return canonical(subject_->key_value(target.key[0], n));
  }

  std::unique_ptr<Subject> subject_;
  std::unique_ptr<sync::Destination> destination_;
};

inline void PrintTo(const NamedSubject& subject, std::ostream* out) { *out << subject.name; }
inline std::string subject_name(const ::testing::TestParamInfo<NamedSubject>& subject) {
  return subject.param.name;
}

}  // namespace eddy::conformance
