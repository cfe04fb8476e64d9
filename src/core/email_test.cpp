#include "core/email.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/unicode.h"

namespace eddy {
namespace {

std::string email(std::string_view text) { return email_address(text).value_or("none"); }
std::string google(std::string_view text) { return google_email_address(text).value_or("none"); }

TEST(Unicode, TrimsWhatNobodySees) {
  EXPECT_EQ(trim_unicode(" \t\r\n a b \v"), "a b");
  EXPECT_EQ(trim_unicode("\u00A0\u2003a\u3000\u200B"), "a");
  EXPECT_EQ(trim_unicode("\uFEFFé"), "é");
  EXPECT_EQ(trim_unicode(" \u00A0"), "");
  EXPECT_EQ(trim_unicode(""), "");
  EXPECT_EQ(trim_unicode("\xC3"), "\xC3");  // no UTF-8: left alone
}

TEST(Unicode, LowersAndComposes) {
  EXPECT_EQ(lower_unicode("ÄÖÜ Straße ÉΣ"), "äöü straße éς");
  EXPECT_EQ(lower_unicode("VALE\u0301RY"), "valéry");  // E and a combining accent
  EXPECT_EQ(lower_unicode("I"), "i");                  // not the Turkish ı
  EXPECT_EQ(lower_unicode("ASCII 09 [@"), "ascii 09 [@");
}

TEST(Unicode, TakesOut) {
  EXPECT_EQ(without_white_space(" a\u00A0b\tc "), "abc");
  EXPECT_EQ(without_punctuation("O’Brien-Smith, Jr."), "OBrienSmith Jr");
}

TEST(Email, OneForm) {
  EXPECT_EQ(email("ada@example.com"), "ada@example.com");
  EXPECT_EQ(email("  Ada.Lovelace+News@Example.COM\n"), "ada.lovelace+news@example.com");
  EXPECT_EQ(email("\u00A0ada@example.com"), "ada@example.com");
  EXPECT_EQ(email("JÖRG@MÜLLER.example"), "jörg@müller.example");
  EXPECT_EQ(email("JO\u0308RG@example.com"), "jörg@example.com");
  EXPECT_EQ(email("o'brien@mail.example.co.uk"), "o'brien@mail.example.co.uk");
}

TEST(Email, WhatIsNoAddress) {
  for (const std::string_view text : {"",
                                      "   ",
                                      "ada",
                                      "@example.com",
                                      "ada@",
                                      "ada@example",
                                      "a@b@example.com",
                                      "ada lovelace@example.com",
                                      "ada@exa mple.com",
                                      "ada@example..com",
                                      "ada@.example.com",
                                      "ada@example.com.",
                                      ".ada@example.com",
                                      "ada.@example.com",
                                      "a..b@example.com",
                                      "ada@-example.com",
                                      "ada@example-.com",
                                      "ada,b@example.com",
                                      "Ada <ada@example.com>",
                                      "ada@example.com, b@example.com",
                                      "\"a b\"@example.com",
                                      "ada@[192.0.2.1]",
                                      "ada\u00A0b@example.com",
                                      "mailto:ada@example.com"})
    EXPECT_EQ(email(text), "none") << text;
  EXPECT_NE(email(fmt::format("{:a<64}@example.com", "")), "none");
  EXPECT_EQ(email(fmt::format("{:a<65}@example.com", "")), "none");
  EXPECT_NE(email(fmt::format("a@{:b<63}.com", "")), "none");
  EXPECT_EQ(email(fmt::format("a@{:b<64}.com", "")), "none");
  std::string domain = "com";
  while (domain.size() < 252) domain = "abc." + domain;
  EXPECT_EQ(email("a@" + domain), "none");
  EXPECT_NE(email("a@" + domain.substr(4)), "none");
}

// The cases of https://developers.google.com/data-manager/api/devguides/concepts/formatting
TEST(Email, GooglesForm) {
  EXPECT_EQ(google("cloudy.sanfrancisco+shopping@gmail.com"), "cloudysanfrancisco@gmail.com");
  EXPECT_EQ(google("Cloudy.SanFrancisco+shopping@GoogleMail.com"), "cloudysanfrancisco@googlemail.com");
  EXPECT_EQ(google("user.name+NYC@Example.com"), "user.name+nyc@example.com");
  EXPECT_EQ(google("j.e.f..ferson @gmail.com"), "jefferson@gmail.com");
  EXPECT_EQ(google("a.b@mygmail.com"), "a.b@mygmail.com");
  EXPECT_EQ(google("@gmail.com"), "none");
  EXPECT_EQ(google("+shopping@gmail.com"), "none");
  EXPECT_EQ(google("quinn"), "none");
}

}  // namespace
}  // namespace eddy
