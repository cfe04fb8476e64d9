// Words that systems use for the same thing, so that `given_name` finds `FirstName`.
#pragma once

#include <string>
#include <string_view>

namespace eddy::sync {

// "Lifetime_Value__c" and "user_fields.lifetime-value" -> "lifetimevalue": lower case, letters and digits
// only.
std::string plain_name(std::string_view name);
// Of a plain name the word that stands for all of its synonyms: "givenname" -> "firstname". Itself when none
// is known.
std::string canonical(std::string_view plain);
// Without the word in front that says only whose it is: "customer_city" -> "city". "" when there is none.
std::string undecorated(std::string_view name);

}  // namespace eddy::sync
