#include "sync/synonyms.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/text.h"

namespace eddy::sync {
namespace {

// The first of a line is the one compared.
constexpr auto groups = std::to_array<std::string_view>({
    "firstname givenname forename fname first prename",
    "lastname surname familyname lname last",
    "name fullname displayname contactname personname",
    "middlename middleinitial",
    "salutation title honorific prefix",
    "jobtitle position role occupation personaltitle",
    "email emailaddress mail primaryemail emailprimary workemail contactemail",
    "phone phonenumber telephone tel workphone businessphone mainphone primaryphone",
    "mobilephone mobile mobilenumber cell cellphone mobilephonenumber handy",
    "fax faxnumber",
    "company companyname organization organisation accountname organizationname employer",
    "website url web homepage companyurl websiteurl",
    "domain companydomain domainname websitedomain emaildomain",
    "industry sector branch",
    "numberofemployees employees employeecount headcount companysize numemployees",
    "annualrevenue revenue yearlyrevenue turnover",
    "externalid customerid userid contactid id extid foreignid customernumber customerno sourceid leadid",
    "accountid companyid organizationid organisationid",
    "ownerid owner accountowner salesrep hubspotownerid",
    "createdat created createddate creationdate createdon createdate dateadded signupdate signedupat "
    "registeredat "
    "registrationdate signup",
    "updatedat updated modifiedat modifieddate lastmodified lastmodifieddate updatedon changedat",
    "birthdate birthday dateofbirth dob",
    "gender sex",
    "language locale preferredlanguage lang",
    "timezone tz",
    "currency currencycode currencyisocode",
    "street streetaddress address addressline1 address1 street1 mailingstreet billingstreet",
    "street2 addressline2 address2",
    "city town mailingcity billingcity locality",
    "state region province stateregion mailingstate billingstate statecode",
    "postalcode zip zipcode postcode mailingpostalcode billingpostalcode plz",
    "country countryname mailingcountry billingcountry countryregion",
    "countrycode countryiso iso2",
    "lifetimevalue ltv clv customerlifetimevalue clvtotal",
    "totalrevenue totalspend totalspent moneyspent totalsales spend",
    "leadscore score pqlscore productqualifiedscore hubspotscore",
    "propensity propensitytobuy buyprobability conversionprobability purchasepropensity",
    "health customerhealth healthscore customerhealthscore",
    "atrisk churnrisk isatrisk",
    "churnprobability churnscore propensitytochurn",
    "nps npsscore netpromoterscore",
    "mrr monthlyrecurringrevenue monthlyrevenue",
    "arr annualrecurringrevenue",
    "plan planname subscriptionplan tier subscription package",
    "lifecyclestage stage customerstage lifecycle",
    "status accountstatus customerstatus",
    "leadstatus hsleadstatus",
    "leadsource source acquisitionsource originalsource channel",
    "segment customersegment cluster",
    "orders ordercount numberoforders orderscount totalorders numorders",
    "lastorderdate lastorderat lastpurchasedate lastpurchaseat lastorder lastpurchase recentpurchase",
    "firstorderdate firstorderat firstpurchasedate firstpurchaseat firstorder firstpurchase",
    "averageordervalue aov avgordervalue",
    "lastseenat lastseen lastactiveat lastactivity lastlogin lastloginat lastactive lastvisit lastseendate",
    "description about summary",
    "notes note comment comments remarks",
    "tags labels",
    "amount dealamount value price total",
    "closedate closingdate closedat expectedclose",
    "dealname opportunityname dealtitle",
    "unsubscribed optout emailoptout hasoptedoutofemail unsubscribedfromemail donotemail",
    "twitter twitterhandle twitterusername",
});

const std::map<std::string_view, std::string_view>& words() {
  static const auto all = [] {
    std::map<std::string_view, std::string_view> out;
    for (const std::string_view group : groups) {
      const std::string_view first = group.substr(0, group.find(' '));
      for (std::size_t at = 0; at < group.size();) {
        const auto end = std::min(group.find(' ', at), group.size());
        out.emplace(group.substr(at, end - at), first);
        at = end + 1;
      }
    }
    return out;
  }();
  return all;
}

}  // namespace

std::string plain_name(std::string_view name) {
  std::string text = lower(name);
  if (const auto dot = text.rfind('.'); dot != std::string::npos) text.erase(0, dot + 1);
  if (text.ends_with("__c")) text.resize(text.size() - 3);
  std::string out;
  for (const char c : text)
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) out += c;
  return out;
}

std::string canonical(std::string_view plain) {
  const auto found = words().find(plain);
  return std::string(found == words().end() ? plain : found->second);
}

std::string undecorated(std::string_view name) {
  constexpr auto decorations = std::to_array<std::string_view>(
      {"customer", "contact", "user", "account", "person", "lead", "company", "org", "organization",
       "primary", "work", "main", "current", "billing", "total", "hs", "mailing", "crm"});
  const std::string text = lower(name);
  for (const std::string_view decoration : decorations)
    if (text.size() > decoration.size() + 1 && text.starts_with(decoration) &&
        (text[decoration.size()] == '_' || text[decoration.size()] == '-' || text[decoration.size()] == ' '))
      return text.substr(decoration.size() + 1);
  return "";
}

}  // namespace eddy::sync
