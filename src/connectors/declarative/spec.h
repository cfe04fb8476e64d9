// connector.yml as plain structs: a service's contract as data. Parsed once, immutable afterwards.
//
// The file is checked against connector_shape() (an unknown word is an error with its position), then every
// placeholder and JSON pointer in it. Codes: config.*, connector.placeholder, connector.pointer,
// connector.test, connector.setting.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/shape.h"
#include "connectors/declarative/branch_spec.h"
#include "connectors/declarative/jwt.h"
#include "connectors/declarative/options.h"
#include "connectors/declarative/pairs.h"
#include "connectors/declarative/reply.h"
#include "connectors/declarative/template.h"
#include "core/value.h"
#include "transport/http/pacing.h"

namespace eddy::connectors {

struct SettingSpec {
  std::string name;
  std::string doc;
  std::string type = "text";  // text, integer, share
  bool secret = false;
  bool required = false;
  std::optional<Template> otherwise;  // default; may use other settings
};

using NamedTemplates = std::vector<std::pair<std::string, Template>>;

struct RequestSpec {
  enum class Encoding { json, form, csv, multipart };
  std::string method = "POST";
  Template url;  // relative ones go to the connection's base URL
  NamedTemplates query;
  NamedTemplates headers;
  Encoding encoding = Encoding::json;
  Tree body;
  std::string limit;  // one of LimitsSpec::named, kept besides the limits of all requests; empty: none
};

// How the next page of a list is found: one of cursor, next_url, or an offset (neither of them).
struct PagingSpec {
  std::string cursor;     // JSON pointer to what `parameter` takes
  std::string next_url;   // JSON pointer to the URL
  std::string parameter;  // takes the cursor, or the number of items read so far
  std::string total;      // JSON pointer to the number of all items; empty: until a page is empty
  Predicate more_when;    // there is another page
  std::size_t pages_max = 200;
};

struct AuthSpec {
  enum class Kind { header, basic, oauth2 };
  Kind kind = Kind::header;
  std::vector<std::string> needs;  // this way is taken when these settings are set; the first that fits wins
  NamedTemplates headers;          // of every request; may use {auth.access_token}
  Template user;                   // basic
  Template password;
  RequestSpec token_request;   // oauth2
  std::string token;           // JSON pointers into its reply
  std::string expires_in;      // seconds; empty: not told, the token is used until it is refused
  std::string base_url_from;   // later requests go there
  std::string refresh_token;   // a new one in the reply is used from then on; empty: there is none
  std::optional<JwtSpec> jwt;  // what {auth.assertion} is made of
  Predicate retry_on;          // a refused token request that may be tried again
};

// What an answer that is no success means for the rows of the request.
enum class ErrorClass {
  row,        // the service refuses these rows; alone: rejected, together: split
  retry,      // not processed, may be sent again
  throttle,   // too fast: not processed, wait
  auth,       // the credentials are refused: refresh once, then stop
  config,     // the mapping, the object or a permission is wrong: every row would fail, stop
  stop,       // a quota is used up: stop until it is renewed
  unsure,     // may have been processed (502 from a proxy): again when that is safe, otherwise in doubt
  done,       // what was asked for is already so (delete of what is gone): applied
  other_way,  // this way is not open to the account: nothing was processed, rows go another way
};
std::string_view name_of(ErrorClass error_class);

struct ErrorRule {
  ErrorClass error_class = ErrorClass::row;
  std::optional<std::chrono::milliseconds> wait;
};

struct ErrorSpec {
  std::vector<std::string> code;     // JSON pointers; the first code that is in `codes` decides
  std::vector<std::string> message;  // JSON pointers; the first text found is shown
  std::vector<std::pair<Predicate, ErrorRule>> rules;       // go before codes: one code can mean two things
  std::map<std::string, ErrorRule> codes;                   // the service's own codes
  std::vector<std::pair<std::string, ErrorRule>> statuses;  // "429", "5xx"; the first that fits
};

struct MatchSpec {
  enum class By { position, index, echo, alone, all };
  enum class Row { trace, key, id };  // id: the one a branch has found
  By by = By::position;
  Template pointer;                          // index, echo: where in the item
  std::map<std::string, Template> pointers;  // echo of a key of several fields: where each is
  Row row = Row::trace;
  bool ignore_case = false;
};

// A list in the reply that tells about rows.
struct RowsSpec {
  Template items;                // JSON pointer to the list; an object there is a list of itself
  std::vector<MatchSpec> match;  // tried in order until one names a row
  bool refused = false;          // this list holds only failures
  bool not_processed = false;    // this list holds rows that nothing was done with
  Predicate applied_when;        // otherwise
  Predicate created_when;
  bool tells_created = false;
  std::string id;
  std::vector<std::string> code;
  std::string code_ends_at;  // "CODE:words": a code is what stands before this; empty: it is the whole text
  std::vector<std::string> message;
};

struct OutcomeSpec {
  Predicate success_when;  // the request was processed, look at the rows; default: status 2xx
  std::vector<RowsSpec> rows;
  bool missing_row_applied = false;  // the service mentions only failures
  // JSON pointers to counts: together they must be all rows but those refused by name, then rows that are not
  // mentioned are applied. Empty: the service does not count.
  std::vector<std::string> counted = {};
};

// How rows are written into a file.
struct CsvSpec {
  std::string null_text;    // stands for null, and for the empty text
  bool whole_rows = false;  // an empty cell would clear the field, so that unchanged values are written too
};

struct JobSpec;  // job_spec.h

// An envelope in which several requests count as one.
struct PackSpec {
  std::size_t most = 1;  // requests in it
  RequestSpec request;   // `each:` is a request: {part.method}, {part.url}, {part.id}, {part.body}
  std::string items;     // JSON pointer to the list of answers; the others point into one of them
  std::string id, status, body;
};

struct OperationSpec {
  std::vector<std::string> objects;   // empty: all
  std::vector<std::string> keys;      // fields that can be the key; empty: any
  std::vector<std::string> keys_not;  // fields that cannot
  std::vector<std::string> keys_all;  // the key is exactly these fields together
  bool composite = false;             // the key may have several fields, whatever they are called
  bool known_keys = false;            // only fields that discovery calls keys
  // Instead of a request: the record is looked up by its key, then one of these is done.
  std::vector<OperationSpec> found, missing;  // at most one each; found: nothing else is set
  Template of;                                // the object that is looked up; empty: the sync's
  std::optional<ConflictSpec> conflict;       // of `missing`
  RequestSpec request;
  std::size_t rows_max = 1;
  std::size_t bytes_max = 0;  // of the encoded body; 0: no limit
  bool idempotent = true;     // sending it again ends in the same state
  OutcomeSpec outcome;
  ErrorSpec errors;   // the connector's, with the operation's own rules in front
  std::string way;    // the connection's setting write_by can ask for it; empty: it is always possible
  Template rows_min;  // taken when a plan has so many rows; empty: always
  std::optional<CsvSpec> csv;  // the rows are written as a file
  std::optional<PackSpec> pack;
  std::shared_ptr<const JobSpec> job;  // the answer about rows comes later
};

// How records are read by their keys.
struct LookupSpec {
  std::vector<std::string> objects;   // empty: all
  std::vector<std::string> keys;      // fields that can be the key; empty: any
  std::vector<std::string> keys_not;  // fields that cannot
  bool known_keys = false;            // only fields that discovery calls keys; their values get its type
  std::chrono::milliseconds lags{0};  // shows what was written only after so long: fit for branches only
  RequestSpec request;
  std::size_t rows_max = 1;         // keys in one request
  std::size_t bytes_max = 0;        // of URL and body; 0: no limit
  std::vector<std::string> fields;  // always asked for, besides the key and the asked ones
  Predicate success_when;           // the request was processed; default: status 2xx and the list is there
  Template items;                   // JSON pointer to the list of records
  std::optional<PagingSpec> paging;
  MatchSpec match;  // by echo of the key
  std::string id;
  Template value;          // JSON pointer in a record; {field} is the field's name, its dots go deeper
  Predicate skip_when;     // records that do not count
  Predicate cut_when;      // the reply does not hold all records: fewer keys are asked for
  std::string failures;    // JSON pointer to a list of keys that could not be read
  Predicate missing_when;  // such a failure says only that there is no record
  ErrorSpec errors;        // `done`: there is no record for any of the keys
};

struct FieldSpec {
  std::string name;
  Type type = Type::text;
  bool required = false;
  bool writable = true;
  bool key = false;
  bool unique = true;  // of a key: the service keeps it so
  std::size_t length_max = 0;
  std::vector<std::string> options;
};

struct ObjectSpec {
  std::string name;  // or a pattern for many: {from}_to_{to} (object_name.h)
  std::string doc;
  bool open_fields = false;                   // fields beyond the described ones exist
  bool fixed = false;                         // its fields are those below; the service is not asked
  std::vector<std::string> keys;              // fields that can match records, for the manual
  std::map<std::string, std::string> values;  // {object.word}
  std::vector<FieldSpec> fields;              // known without asking
};

struct DiscoverSpec {
  RequestSpec request;
  Predicate missing_when;  // the service has no such object
  Template items;          // JSON pointer
  std::optional<PagingSpec> paging;
  Template name;    // JSON pointer
  Template prefix;  // put before every name
  std::string native_type;
  std::map<std::string, Type> types;  // native type -> ours; others are text
  std::string length;
  Predicate skip_when, required_when, writable_when, key_when;
  std::string options, option_value;
  Predicate option_when;
  std::optional<RequestSpec> keys_request;  // a second question: which fields can be keys; or the first reply
  std::string keys_items;                   // list of names, or of lists of one name
  // A field that refers to another record: the name under which the record is spoken of, and its objects.
  std::string relation, relation_objects;
};

struct ObjectsSpec {
  std::vector<ObjectSpec> list;
  bool open = false;         // other names exist too
  bool open_fields = false;  // fields beyond the described ones exist
  std::optional<DiscoverSpec> discover;
  std::optional<RequestSpec> list_request;  // asks for the names
  std::string list_items, list_name, list_prefix;
  std::optional<PagingSpec> list_paging;
  Predicate list_when;
};

// How cells are written.
struct TransformSpec {
  enum class Null { null, empty_text, omit };
  enum class Time { iso, epoch_ms };
  bool all_text = false;  // every value is a JSON string
  Null null = Null::null;
  Time date = Time::iso;
  Time timestamp = Time::iso;
  std::string list_separator;  // a JSON list of texts is joined with this; empty: sent as a list
  PairsSpec pairs = {};
};

// What may be asked in a day, as a service tells it in headers or as we count it ourselves.
struct QuotaSpec {
  std::string ratio_header, ratio_name;  // "Sforce-Limit-Info", "api-usage" in "api-usage=258/15000"
  std::string left_header, most_header;  // what is left, of what
  Template count;                        // requests of a day, counted by ourselves
  Template stop_at;                      // share from which on we leave the rest to others; empty: all
  std::string zone;                      // renewed at `at` there; empty: nobody says when
  std::chrono::minutes at{0};
  std::chrono::milliseconds ask_again{std::chrono::hours{1}};  // so long we stop then
};

// How often one record may be written.
struct RowLimitSpec {
  std::vector<std::string> objects;  // empty: all
  std::size_t max = 1;
  std::chrono::milliseconds window{0};
};

using BucketSpec = std::pair<Template, std::chrono::milliseconds>;  // max, window

struct LimitsSpec {
  std::size_t concurrency = 1;
  std::vector<BucketSpec> buckets;
  std::map<std::string, std::vector<BucketSpec>> named;  // of the requests that name one
  std::vector<http::HeaderReader> headers;
  std::optional<QuotaSpec> quota;
  std::vector<RowLimitSpec> rows;
};

// What the credentials must allow.
struct NeedSpec {
  std::string what;
  std::optional<RequestSpec> request;  // nullopt: the check's own reply tells
  Predicate when;
  std::string otherwise;
  std::vector<std::string> detail;  // JSON pointers
};

struct CheckSpec {
  RequestSpec request;               // must be answered; without a URL there is none
  std::vector<std::string> account;  // JSON pointers
  std::vector<NeedSpec> needs;
};

struct Spec {
  std::string name;
  std::string title;
  std::string summary;
  std::string contract;  // where the service documents it
  std::vector<SettingSpec> settings;
  std::vector<OptionSpec> options;
  std::vector<AuthSpec> auth;
  ObjectsSpec objects;
  std::map<std::string, std::vector<OperationSpec>>
      operations;                   // upsert, update, insert, erase, archive: first that fits
  std::vector<LookupSpec> lookups;  // the first that fits
  std::optional<CheckSpec> check;
  ErrorSpec errors;
  TransformSpec transforms;
  LimitsSpec limits;
};

config::Shape connector_shape();
// Throws Error with everything that is wrong. `name` is what errors call the file.
Spec parse_connector(std::string_view text, const std::string& name);

}  // namespace eddy::connectors
