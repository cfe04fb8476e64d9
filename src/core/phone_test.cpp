#include "core/phone.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace eddy {
namespace {

std::string phone(std::string_view number, std::string_view region = "") {
  return e164(number, region).value_or("none");
}

TEST(Phone, ANumberWithItsCountryCodeNeedsNoRegion) {
  EXPECT_EQ(phone("+1 800-555-0100"), "+18005550100");
  EXPECT_EQ(phone("  +49 (0)30 901820 "), "+4930901820");
  EXPECT_EQ(phone("tel:+41-44-668-18-00"), "+41446681800");
  EXPECT_EQ(phone("+44 20 8366 1177 ext. 3"), "+442083661177");
  EXPECT_EQ(phone("+1 800-555-0100", "DE"), "+18005550100");
}

TEST(Phone, ARegionFillsInTheCountryCode) {
  EXPECT_EQ(phone("(650)555-1212", "US"), "+16505551212");
  EXPECT_EQ(phone("1 650 555 1212", "us"), "+16505551212");
  EXPECT_EQ(phone("030 901820", "DE"), "+4930901820");
  EXPECT_EQ(phone("0049 30 901820", "DE"), "+4930901820");
  EXPECT_EQ(phone("06 4991 2000", "IT"), "+390649912000");  // Italy keeps the zero
  EXPECT_EQ(phone("044 668 18 00", " ch "), "+41446681800");
  EXPECT_EQ(phone("1-800-FLOWERS", "US"), "+18003569377");
}

TEST(Phone, WhatIsNoNumber) {
  EXPECT_EQ(phone(""), "none");
  EXPECT_EQ(phone("unknown", "US"), "none");
  EXPECT_EQ(phone("650 555 1212"), "none");        // whose country?
  EXPECT_EQ(phone("650 555 1212", "UK"), "none");  // no region
  EXPECT_EQ(phone("+1 650 555", "US"), "none");    // too short
  EXPECT_EQ(phone("+1 111 111 1111"), "none");     // no such area
  EXPECT_EQ(phone("+999 123456789"), "none");      // no such country
  EXPECT_EQ(phone("12", "DE"), "none");
}

TEST(Phone, Regions) {
  EXPECT_TRUE(is_phone_region("DE"));
  EXPECT_TRUE(is_phone_region("gb"));
  EXPECT_FALSE(is_phone_region("UK"));
  EXPECT_FALSE(is_phone_region("Germany"));
  EXPECT_FALSE(is_phone_region(""));
  EXPECT_FALSE(is_phone_region("ZZ"));
}

TEST(Phone, FromSeveralThreads) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& count : wrong)
    threads.emplace_back([&count] {
      for (int i = 0; i < 200; ++i)
        if (phone("030 " + std::to_string(901820 + i), "DE") != "+4930" + std::to_string(901820 + i)) ++count;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace eddy
