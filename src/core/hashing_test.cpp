#include "core/hashing.h"

#include <gtest/gtest.h>

#include "core/text.h"

namespace eddy {
namespace {

std::string text_of(const HexDigest& digest) { return {digest.begin(), digest.end()}; }

TEST(Hashing, OneSeriesForManyTexts) {
  Sha256Series sha256;
  // FIPS 180-4, example "abc".
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(text_of(sha256("abc")), abc);
  EXPECT_EQ(text_of(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(text_of(sha256("abc")), abc);
  const std::string large(100'000, 'x');
  EXPECT_EQ(text_of(sha256(large)), sha256_hex(large));
}

TEST(Hashing, HmacOfRfc4231) {
  HmacSha256Series hmac;
  const auto of = [&](const std::string& text, const std::string& key) { return text_of(hmac(text, key)); };
  EXPECT_EQ(of("Hi There", std::string(20, '\x0b')),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  for (int again = 0; again < 2; ++again)
    EXPECT_EQ(of("what do ya want for nothing?", "Jefe"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(of("Test Using Larger Than Block-Size Key - Hash Key First", std::string(131, '\xaa')),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hashing, AnEmptyKeyIsAKeyToo) {
  const std::string expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  HmacSha256Series fresh;
  EXPECT_EQ(text_of(fresh("", "")), expected);
  HmacSha256Series used;
  used("a", "Jefe");
  EXPECT_EQ(text_of(used("", "")), expected);
  EXPECT_EQ(text_of(used("", "")), expected);
}

}  // namespace
}  // namespace eddy
