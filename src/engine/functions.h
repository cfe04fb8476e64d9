// The SQL functions that Eddy adds to DuckDB, for mappings and models. All take text and give text; null
// gives null, and so does what is no address or number. They are pure, so that the engine may fold constants.
//
//   eddy_email(x)                       the address in one form (core/email.h)
//   eddy_phone(x [, region])            E.164 with + (core/phone.h); region null or unknown: needs + in x
//   eddy_sha256(x)                      64 lower-case digits, of the text as it is
//   eddy_hmac_sha256(x, key)            the same, keyed
//   eddy_email_sha256(x)                of eddy_email(x): Meta, TikTok, LinkedIn
//   eddy_email_sha256_google(x)         of google_email_address(x)
//   eddy_phone_sha256(x [, region])     of eddy_phone(x, region), with the +: Google, TikTok
//   eddy_phone_sha256_meta(x [, region]) of its digits alone
//   eddy_name_sha256(x)                 of the name trimmed and lower-cased: Google
//   eddy_name_sha256_meta(x)            … and without punctuation
//
// The rules: https://developers.google.com/data-manager/api/devguides/concepts/formatting and
// https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters
#pragma once

#include <duckdb.h>

#include <string_view>

namespace eddy::engine {

// For every connection of the database. Throws Error("engine.open_failed").
void register_functions(duckdb_database database);

// Whether the function (a lower-case name) gives a digest instead of what it read.
bool is_hashing_function(std::string_view name);

}  // namespace eddy::engine
