#include "connectors/declarative/object_name.h"

#include <gtest/gtest.h>

namespace eddy::connectors {
namespace {

using Words = std::map<std::string, std::string>;

TEST(ObjectName, PatternsGiveTheirWords) {
  EXPECT_EQ(words_of("{from}_to_{to}", "contacts_to_companies"),
            (Words{{"from", "contacts"}, {"to", "companies"}}));
  EXPECT_EQ(words_of("{from}_to_{to}", "a_to_b_to_c"), (Words{{"from", "a"}, {"to", "b_to_c"}}));
  EXPECT_EQ(words_of("{of}_in_list_{list}", "2-17_in_list_42"), (Words{{"of", "2-17"}, {"list", "42"}}));
  EXPECT_EQ(words_of("list_{n}_members", "list_7_members"), (Words{{"n", "7"}}));
  EXPECT_EQ(words_of("list_{n}_members", "list_7_members_members"), (Words{{"n", "7_members"}}));
}

TEST(ObjectName, OtherNamesAreNotLikeThem) {
  for (const char* name : {"", "_to_", "a_to_", "_to_b", "contacts", "a_to", "toto"})
    EXPECT_FALSE(words_of("{from}_to_{to}", name)) << name;
  for (const char* name : {"list__members", "list_7", "x_list_7_members", "list_7_members_"})
    EXPECT_FALSE(words_of("list_{n}_members", name)) << name;
  EXPECT_FALSE(words_of("contacts", "contacts"));
}

TEST(ObjectName, AnExactNameGoesFirst) {
  Spec spec;
  spec.objects.list.resize(2);
  spec.objects.list[0].name = "{a}_to_{b}";
  spec.objects.list[0].values = {{"path", "links"}};
  spec.objects.list[1].name = "way_to_go";
  EXPECT_EQ(find_object(spec, "way_to_go"), &spec.objects.list[1]);
  EXPECT_EQ(find_object(spec, "x_to_y"), &spec.objects.list[0]);
  EXPECT_EQ(find_object(spec, "xy"), nullptr);
  EXPECT_EQ(object_words(spec, "x_to_y"), (Words{{"a", "x"}, {"b", "y"}, {"path", "links"}}));
}

}  // namespace
}  // namespace eddy::connectors
