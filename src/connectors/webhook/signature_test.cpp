#include "connectors/webhook/signature.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/secrets.h"

namespace eddy::connectors {
namespace {

// The vector of the standard's own libraries (libraries/javascript/src/webhook.test.ts, "sign function
// works").
constexpr const char* published_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* published_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

std::string sign(std::string_view secrets) {
  return Signer(secrets).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
}

TEST(Signature, IsTheOneTheStandardPublishes) {
  EXPECT_EQ(sign(published_secret), published_signature);
  EXPECT_EQ(sign("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), published_signature) << "the prefix may be missing";
}

TEST(Signature, EverySecretSigns) {
  const std::string other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  EXPECT_EQ(sign(fmt::format("{} , {}", published_secret, other)),
            fmt::format("{} {}", published_signature, sign(other)));
  EXPECT_NE(sign(other), published_signature);
}

TEST(Signature, RefusesWhatIsNoSecretAndDoesNotShowIt) {
  for (const std::string wrong :
       {"whsec_", "whsec_short+AA", "whsec_!!notbase64!!notbase64!!notbase64!!",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    try {
      Signer signer(wrong);
      ADD_FAILURE() << wrong << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "destination.settings");
      if (wrong.size() > 10) {
        EXPECT_EQ(error.message().find(wrong.substr(6)), std::string::npos) << error.message();
      }
    }
  }
  EXPECT_THROW(Signer(fmt::format("whsec_{}", std::string(88, 'A'))), Error) << "66 bytes";
  EXPECT_EQ(redact("x MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw y"), "x *** y");
}

}  // namespace
}  // namespace eddy::connectors
