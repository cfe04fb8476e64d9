#include "core/phone.h"

#include <phonenumbers/phonenumberutil.h>

#include <set>

#include "core/text.h"

namespace eddy {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

// As libphonenumber spells regions; "ZZ" is its word for none.
std::string region_of(std::string_view text) {
  std::string region = trim(text);
  for (char& c : region)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  return is_phone_region(region) ? region : "ZZ";
}

}  // namespace

std::optional<std::string> e164(std::string_view number, std::string_view region) {
  const PhoneNumberUtil& phones = *PhoneNumberUtil::GetInstance();
  PhoneNumber parsed;
  if (phones.Parse(std::string(number), region_of(region), &parsed) != PhoneNumberUtil::NO_PARSING_ERROR ||
      !phones.IsValidNumber(parsed))
    return std::nullopt;
  std::string out;
  phones.Format(parsed, PhoneNumberUtil::E164, &out);
  return out;
}

bool is_phone_region(std::string_view region) {
  static const std::set<std::string> known = [] {
    std::set<std::string> regions;
    PhoneNumberUtil::GetInstance()->GetSupportedRegions(&regions);
    for (const std::string& r : std::set<std::string>(regions)) regions.insert(lower(r));
    return regions;
  }();
  return known.contains(std::string(region));
}

}  // namespace eddy
