#include "sync/message_template.h"

#include <gtest/gtest.h>

#include "core/text.h"

namespace eddy::sync {
namespace {

TEST(MessageTemplate, ReplacesWhatDiffersFromRowToRow) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"ada@example.com is already contact 1234", "<email> is already contact <n>"},
      {"Email address 'x y' is invalid.", "Email address <value> is invalid."},
      {"Property \"lead score\" can't be 12.5%", "Property <value> can't be <n>"},
      {"duplicate value found: Email__c duplicates value on record with id: 0035g00000AbCdEFGH",
       "duplicate value found: Email__c duplicates value on record with id: <id>"},
      {"contact 5f0c7a4e-3b1d-4c2a-9f00-aa12bb34cc56 not found", "contact <id> not found"},
      {"Key (email)=(ada@example.com) already exists.", "Key (email)=(<value>) already exists."},
      {"date 2026-11-23T10:53:42Z is after 2026-01-01", "date <time> is after <time>"},
      {"see https://docs.example.com/errors?id=7 for more", "see <url> for more"},
      {"user1234 uses sha256 and v3", "user<n> uses sha256 and v3"},
      {"value -12,345.67 out of range", "value <n> out of range"},
      {"Größe 'XXL' für Straße 7", "Größe <value> für Straße <n>"},
      {"REQUIRED_FIELD_MISSING: LastName", "REQUIRED_FIELD_MISSING: LastName"},
      {R"(not valid: [{"isValid":false,"message":"x y is bad","error":"INVALID_EMAIL"}])",
       R"(not valid: [{"isValid":false,"message":<value>,"error":"INVALID_EMAIL"}])"},
      {"it's the user's own", "it's the user's own"},
      {"", ""},
  };
  for (const auto& [message, expected] : cases) EXPECT_EQ(message_template(message), expected) << message;
}

TEST(MessageTemplate, IsBoundedAndStaysUtf8) {
  std::string longest;
  for (int i = 0; i < 400; ++i) longest += "ä ";
  const std::string text = message_template(longest);
  EXPECT_LE(text.size(), 304u);
  EXPECT_TRUE(is_utf8(text));
  EXPECT_EQ(message_template("'unfinished"), "'unfinished");
}

TEST(MessageTemplate, IsItsOwnTemplate) {
  for (const char* message : {"ada@example.com is 12 'x' at 2026-01-01 (a)=(b)", "id 0035g00000AbCdEFGH"})
    EXPECT_EQ(message_template(message_template(message)), message_template(message));
}

}  // namespace
}  // namespace eddy::sync
