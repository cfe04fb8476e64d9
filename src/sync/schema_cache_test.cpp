#include "sync/schema_cache.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "support/scratch.h"

namespace eddy::sync {
namespace {

// Counts what it is asked.
class Service final : public Destination {
 public:
  struct State {
    ObjectSchema contacts{"contacts", {{.name = "email", .type = Type::text, .key = true}}, false};
    int asked = 0, made = 0;
    bool down = false;
  };
  explicit Service(State& state) : state_(state) { ++state_.made; }
  std::string check() override { return "ok"; }
  std::vector<std::string> objects() override {
    ask();
    return {"contacts"};
  }
  std::optional<ObjectSchema> describe(const std::string& name) override {
    ask();
    return name == "contacts" ? std::optional(state_.contacts) : std::nullopt;
  }
  std::unique_ptr<Writer> open(const Delivery&) override { return nullptr; }

 private:
  void ask() {
    ++state_.asked;
    if (state_.down) throw Error("destination.unreachable", "crm does not answer: no route to host");
  }
  State& state_;
};

class SchemaCacheTest : public ::testing::Test {
 protected:
  CachedDestination with(Asking asking, const std::string& fingerprint = "f1") {
    return {[this] { return std::make_unique<Service>(service); }, SchemaCache(folder(), fingerprint), asking,
            clock};
  }
  std::filesystem::path folder() const { return scratch_.path() / "schemas" / "crm"; }
  Service::State service;
  ManualClock clock;

 private:
  eddy::testing::Scratch scratch_;
};

TEST_F(SchemaCacheTest, IsAskedOnceADay) {
  EXPECT_EQ(with(Asking::when_old).describe("contacts")->fields.size(), 1U);
  clock.advance(std::chrono::hours{3});
  auto second = with(Asking::when_old);
  EXPECT_EQ(second.describe("contacts")->fields.front().name, "email");
  EXPECT_EQ(second.note(), "read 3 h ago");
  EXPECT_EQ(service.asked, 1);
  EXPECT_EQ(service.made, 1) << "nothing but its fields was wanted";
  clock.advance(std::chrono::hours{22});
  auto third = with(Asking::when_old);
  third.describe("contacts");
  EXPECT_EQ(third.note(), "");
  EXPECT_EQ(service.asked, 2);
}

TEST_F(SchemaCacheTest, KeepsEverythingOfAField) {
  const ObjectSchema object{"deals/€",
                            {{.name = "stage",
                              .type = Type::decimal,
                              .native_type = "enum",
                              .required = true,
                              .writable = false,
                              .key = true,
                              .length_max = 12,
                              .options = {"a", "b;c"}},
                             {.name = "note"}},
                            true};
  const SchemaCache cache(folder(), "f");
  cache.keep(object, clock.now());
  const auto kept = cache.object("deals/€");
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->answer.open);
  ASSERT_EQ(kept->answer.fields.size(), 2U);
  const FieldSchema& f = kept->answer.fields[0];
  EXPECT_EQ(f.type, Type::decimal);
  EXPECT_EQ(f.native_type, "enum");
  EXPECT_TRUE(f.required && !f.writable && f.key);
  EXPECT_EQ(f.length_max, 12U);
  EXPECT_EQ(f.options, (std::vector<std::string>{"a", "b;c"}));
  EXPECT_TRUE(kept->answer.fields[1].writable && !kept->answer.fields[1].required);
  EXPECT_EQ(kept->at, clock.now());
}

TEST_F(SchemaCacheTest, WorksWithoutTheNetwork) {
  with(Asking::when_missing).objects();
  with(Asking::when_missing).describe("contacts");
  service.down = true;
  clock.advance(std::chrono::hours{24 * 5});
  auto offline = with(Asking::when_missing);
  EXPECT_EQ(offline.objects(), std::vector<std::string>{"contacts"});
  EXPECT_TRUE(offline.describe("contacts"));
  EXPECT_EQ(offline.note(), "read 5 days ago");
  EXPECT_EQ(service.asked, 2);

  auto old = with(Asking::when_old);  // would ask, and takes what is kept
  EXPECT_TRUE(old.describe("contacts"));
  EXPECT_EQ(old.note(), "read 5 days ago; it cannot be asked now: crm does not answer: no route to host");
  EXPECT_THROW(with(Asking::always).describe("contacts"), Error);
  EXPECT_THROW(with(Asking::when_missing).describe("deals"), Error);
}

TEST_F(SchemaCacheTest, NeverMeansNever) {
  auto none = with(Asking::never);
  try {
    none.describe("contacts");
    FAIL() << "there is nothing to answer with";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "destination.not_asked");
  }
  with(Asking::always).describe("contacts");
  clock.advance(std::chrono::hours{100});
  EXPECT_TRUE(with(Asking::never).describe("contacts"));
  EXPECT_FALSE(none.ask_anew());
  EXPECT_EQ(service.asked, 1);
}

TEST_F(SchemaCacheTest, AsksAnewWhenWhatIsKeptIsNotEnough) {
  with(Asking::when_old).describe("contacts");
  service.contacts.fields.push_back({.name = "phone"});
  auto again = with(Asking::when_old);
  EXPECT_FALSE(again.ask_anew()) << "nothing was taken from what is kept";
  EXPECT_EQ(again.describe("contacts")->fields.size(), 1U);
  EXPECT_TRUE(again.ask_anew());
  EXPECT_EQ(again.describe("contacts")->fields.size(), 2U);
  EXPECT_FALSE(again.ask_anew()) << "it has just been asked";
}

TEST_F(SchemaCacheTest, AnotherPlaceOrADamagedFileIsNoAnswer) {
  with(Asking::when_old, "f1").describe("contacts");
  with(Asking::when_old, "f2").describe("contacts");
  EXPECT_EQ(service.asked, 2) << "the connection leads elsewhere now";
  const auto file = folder() / "object.contacts.json";
  const std::string text = read_file(file);
  write_file_atomically(file, text.substr(0, text.size() / 2));
  with(Asking::when_old, "f2").describe("contacts");
  EXPECT_EQ(service.asked, 3);
  EXPECT_TRUE(with(Asking::never, "f2").describe("contacts"));
}

TEST_F(SchemaCacheTest, NoSuchObjectIsNotKept) {
  EXPECT_FALSE(with(Asking::when_old).describe("deals"));
  EXPECT_FALSE(with(Asking::when_old).describe("deals"));
  EXPECT_EQ(service.asked, 2);
}

}  // namespace
}  // namespace eddy::sync
