// The words of connector.yml, each with its meaning. Checks and JSON Schema follow from this description.
#include "connectors/declarative/spec_shape.h"

#include "connectors/declarative/job_spec.h"
#include "connectors/declarative/spec.h"

namespace eddy::connectors {

using config::field;
using config::required;
using config::Shape;

namespace {

Shape text() { return Shape::string(); }
Shape texts() { return Shape::list(Shape::string()); }
Shape text_map() { return Shape::map(Shape::string()); }

Shape setting() {
  return Shape::object(
      {field("doc", text(), "what it is and where to find it"),
       field("type", Shape::enumeration({"text", "integer", "share"}), "text unless said otherwise"),
       field("secret", Shape::boolean(), "never shown"),
       field("required", Shape::boolean(), "the connection cannot do without"),
       field("default", text(), "may use other settings: https://{subdomain}.example.com")});
}

Shape request() {
  return Shape::object(
      {field("method", Shape::enumeration({"GET", "POST", "PUT", "PATCH", "DELETE"}),
             "POST unless said otherwise"),
       required("url", text(), "absolute, or relative to the connection's base URL"),
       field("query", text_map(), "parameters; one whose placeholder has no value is left out"),
       field("headers", text_map(), "header lines"),
       field("encoding", Shape::enumeration({"json", "form", "csv", "multipart"}),
             "of the body; json unless said otherwise; csv: the rows as a file; multipart: parts, of which "
             "{rows.csv} is a file"),
       field("body", Shape::any(), "data tree; `each:` repeats for every row, `\"*\"` spreads an object"),
       field("limit", text(),
             "a limit of its own, one of `named` in `limits`, besides those of all requests")});
}

Shape auth() {
  const Shape jwt = Shape::object({required("key", text(), "private RSA key, PEM or the path of its file"),
                                   required("claims", text_map(), "who we are; exp and iat are added"),
                                   field("lifetime", Shape::duration(), "3m unless said otherwise")});
  const Shape oauth2 = Shape::object(
      {required("grant", Shape::enumeration({"client_credentials", "refresh_token", "jwt_bearer"}),
                "what is exchanged for a token"),
       field("jwt", jwt, "of grant jwt_bearer: what {auth.assertion} is made of, signed with RS256"),
       required("request", request(), "asks for the token"),
       required("token", text(), "JSON pointer to the access token in the reply"),
       field("expires_in", text(), "JSON pointer to its lifetime in seconds"),
       field("base_url_from", text(), "JSON pointer to the base URL of all later requests"),
       field("headers", text_map(), "of later requests; default Authorization: Bearer {auth.access_token}"),
       field("retry_on", Predicate::shape(), "a refused token request that may be repeated")});
  const Shape basic =
      Shape::object({required("user", text(), "user name"), required("password", text(), "password")});
  return Shape::object(
      {field("needs", texts(), "taken when these settings are set; the first that fits wins"),
       field("header", text_map(), "header lines sent with every request"),
       field("basic", basic, "HTTP basic authentication"),
       field("oauth2", oauth2, "a token request, repeated when the token is refused")});
}

Shape error_class() {
  return Shape::enumeration(
      {"row", "retry", "throttle", "auth", "config", "stop", "unsure", "done", "other_way"});
}

Shape error_rule() {
  return Shape::one_of(
      {error_class(), Shape::object({required("is", error_class(), "what the code means"),
                                     field("wait", Shape::duration(), "stay away for so long")})});
}

Shape errors() {
  const Shape rule = Shape::object({required("when", Predicate::shape(), "the reply"),
                                    required("is", error_class(), "what it means"),
                                    field("wait", Shape::duration(), "stay away for so long")});
  return Shape::object(
      {field("code", texts(), "JSON pointers to the service's code"),
       field("message", texts(), "JSON pointers to its words"),
       field("rules", Shape::list(rule), "tests that go before the codes: one code can mean two things"),
       field("codes", Shape::map(error_rule()), "what each code means"),
       field("statuses", Shape::map(error_rule()),
             "what an HTTP status means when no code decides: 429, 5xx")});
}

Shape rows() {
  const Shape match = Shape::object(
      {required("by", Shape::enumeration({"position", "index", "echo", "alone", "all"}),
                "how an item names its row"),
       field("pointer", text(), "JSON pointer inside the item; \"\" is the item itself"),
       field("pointers", text_map(), "of a key of several fields: field: JSON pointer inside the item"),
       field("row", Shape::enumeration({"trace", "key", "id"}),
             "what is echoed; id: the one that a branch has found"),
       field("ignore_case", Shape::boolean(), "the service changes the case of the key")});
  return Shape::object(
      {field("items", text(), "JSON pointer to the list; \"\" is the whole body"),
       required("match", Shape::list(match), "tried in order until one names a row"),
       field("refused", Shape::boolean(), "this list holds only failures"),
       field("not_processed", Shape::boolean(), "nothing was done with the rows of this list"),
       field("applied_when", Predicate::shape(), "the item is a success"),
       field("created_when", Predicate::shape(), "the record is new"),
       field("id", text(), "JSON pointer to the record's id there"),
       field("code", texts(), "JSON pointers to the code of a failure"),
       field("code_ends_at", text(), "the code is what stands before this"),
       field("message", texts(), "JSON pointers to its words")});
}

Shape outcome() {
  return Shape::object(
      {field("success_when", Predicate::shape(),
             "the request was processed; status 2xx unless said otherwise"),
       required("rows", Shape::list(rows()), "the lists of the reply that tell about rows"),
       field("missing_row", Shape::enumeration({"unknown", "applied"}),
             "what a row that is not mentioned means; unknown unless said otherwise"),
       field(
           "counted", texts(),
           "JSON pointers to counts of applied rows: when they are all rows but those refused by name, rows "
           "that are not mentioned are applied")});
}

// What is sent and understood: of an operation, and of both ways of a branch.
std::vector<config::Field> exchange() {
  const Shape pack =
      Shape::object({required("max", Shape::integer(), "requests in one envelope"),
                     required("request", request(),
                              "the envelope; `each:` is a request, of {part.method}, {part.url}, "
                              "{part.id} and {part.body}"),
                     required("items", text(), "JSON pointer to the list of answers"),
                     required("id", text(), "JSON pointer in an answer to {part.id}"),
                     required("status", text(), "JSON pointer to its HTTP status"),
                     required("body", text(), "JSON pointer to its body")});
  const Shape batch =
      Shape::object({field("max_rows", Shape::integer(), "rows in one request"),
                     field("max_bytes", Shape::integer(), "bytes of one body"),
                     field("pack", pack, "an envelope in which several requests count as one")});
  return {field("request", request(), "what is sent"),
          field("batch", batch, "how much goes into one request; one row unless said otherwise"),
          field("idempotency", Shape::enumeration({"natural", "none"}),
                "natural: sending it twice does no harm, which is so unless said otherwise, but for inserts"),
          field("outcome", outcome(), "what the reply says about each row"),
          field("errors", errors(), "rules that go before the connector's")};
}

Shape branch() {
  const Shape conflict = Shape::object(
      {required("when", Predicate::shape(), "a reply that says so"),
       required("id", text(), "JSON pointer to the id of the record in the way, or to words that hold it"),
       field("pattern", text(), "regular expression whose first group is the id in those words"),
       required("read_by", text(),
                "the record is read by this field first: only one that has the row's key is updated")});
  std::vector<config::Field> missing = exchange();
  missing.push_back(field("on_conflict", conflict, "the record is there after all: it is updated instead"));
  return Shape::object(
      {field("of", text(), "the object whose records are looked up, when it is another"),
       required("found", Shape::object(exchange()), "what is sent for records that are there"),
       field("missing", Shape::object(missing), "what is sent for the others")});
}

Shape operation() {
  std::vector<config::Field> words = {
      field("objects", texts(), "only for these objects"),
      field("keys", texts(), "only with one of these fields as key"),
      field("keys_not", texts(), "not with these fields as key"),
      field("keys_all", texts(), "the key is exactly these fields together"),
      field("composite", Shape::boolean(), "the key may have several fields, whatever they are called"),
      field("known_keys", Shape::boolean(), "only with fields that discovery calls keys"),
      field("branch", branch(),
            "instead of a request: the record is looked up by its key, then updated or made")};
  for (config::Field& word : exchange()) words.push_back(std::move(word));
  const Shape when = Shape::object({required("min_rows", text(), "a plan has at least so many rows")});
  words.push_back(field("way", text(), "a name for it, which the setting write_by can ask for"));
  words.push_back(field("when", when, "only then; without it always"));
  words.push_back(field("csv", csv_shape(), "how rows are written into a file"));
  words.push_back(
      field("async_job", job_shape(), "instead of outcome: what became of the rows is told later"));
  return Shape::object(std::move(words));
}

Shape lookup() {
  const Shape batch = Shape::object({field("max_rows", Shape::integer(), "keys in one request"),
                                     field("max_bytes", Shape::integer(), "bytes of URL and body")});
  const Shape match =
      Shape::object({required("by", Shape::enumeration({"echo"}), "a record names its key"),
                     required("pointer", text(), "JSON pointer to the key in the record"),
                     field("ignore_case", Shape::boolean(), "the service does not tell case apart in keys")});
  return Shape::object(
      {field("objects", texts(), "only for these objects"),
       field("keys", texts(), "only with one of these fields as key"),
       field("keys_not", texts(), "not with these fields as key"),
       field("known_keys", Shape::boolean(), "only with fields that discovery calls keys"),
       field("lags", Shape::duration(), "shows what was written only after so long: for branches only"),
       required("request", request(), "asks for the records of some keys; changes nothing"),
       field("batch", batch, "how many keys go into one request; one unless said otherwise"),
       field("fields", texts(), "always asked for, besides the key and the asked fields"),
       field("success_when", Predicate::shape(),
             "the request was processed; status 2xx with the list unless said otherwise"),
       required("items", text(), "JSON pointer to the list of records"),
       required("match", match, "which key a record belongs to; one of a key not asked for is passed over"),
       field("id", text(), "JSON pointer to the record's id"),
       required("value", text(), "JSON pointer to {field} in the record; dots in its name go deeper"),
       field("skip_when", Predicate::shape(), "records that do not count"),
       field("paging", paging_shape(), "the list comes in pages"),
       field("cut_when", Predicate::shape(), "records are left out of this reply: fewer keys are asked for"),
       field("failures", text(), "JSON pointer to the list of keys that could not be read"),
       field("missing_when", Predicate::shape(), "a failure that says only that there is no record"),
       field("errors", errors(), "rules that go before the connector's; done: there is no such record")});
}

Shape objects() {
  const Shape options = Shape::object({required("items", text(), "JSON pointer to the list"),
                                       required("value", text(), "JSON pointer to the value"),
                                       field("when", Predicate::shape(), "only these options")});
  const Shape keys_from =
      Shape::object({field("request", request(), "asks for them; without it the first reply names them"),
                     required("items", text(), "JSON pointer to the list of names")});
  const Shape relations = Shape::object(
      {required("name", text(), "JSON pointer to the name of the relation; the field is then name.key"),
       required("objects", text(), "JSON pointer to the list of objects that it can lead to")});
  const Shape discover =
      Shape::object({required("request", request(), "asks for the fields of {object}"),
                     field("missing_when", Predicate::shape(), "the service has no such object"),
                     required("items", text(), "JSON pointer to the list of fields"),
                     field("paging", paging_shape(), "the list comes in pages"),
                     required("name", text(), "JSON pointer to a field's name"),
                     field("prefix", text(), "put before every name"),
                     field("native_type", text(), "JSON pointer to its type"),
                     field("relations", relations, "fields that refer to a record by one of its own keys"),
                     field("types", text_map(), "the service's type: ours; others are text"),
                     field("length", text(), "JSON pointer to the longest length"),
                     field("skip_when", Predicate::shape(), "fields that do not count"),
                     field("required_when", Predicate::shape(), "needed to create a record"),
                     field("writable_when", Predicate::shape(), "can be written"),
                     field("key_when", Predicate::shape(), "can identify a record"),
                     field("options", options, "allowed values"),
                     field("keys_from", keys_from, "a second request that names the keys")});
  const Shape names = Shape::object({required("request", request(), "asks for the objects"),
                                     required("items", text(), "JSON pointer to the list"),
                                     field("paging", paging_shape(), "the list comes in pages"),
                                     required("name", text(), "JSON pointer to the name"),
                                     field("prefix", text(), "put before every name"),
                                     field("when", Predicate::shape(), "only these")});
  const Shape known_field = Shape::object(
      {field(
           "type",
           Shape::enumeration({"boolean", "integer", "real", "decimal", "text", "date", "timestamp", "json"}),
           "text unless said otherwise"),
       field("required", Shape::boolean(), "needed to create a record"),
       field("writable", Shape::boolean(), "can be written; true unless said otherwise"),
       field("key", Shape::boolean(), "can identify a record"),
       field("unique", Shape::boolean(),
             "of a key: false where two records may share a value; they are found by a lookup, and several "
             "matches are refused"),
       field("length", Shape::integer(), "longest length"), field("options", texts(), "allowed values")});
  const Shape object = Shape::object(
      {field("doc", text(), "what it is"), field("keys", texts(), "fields that can match records"),
       field("fixed", Shape::boolean(), "its fields are known: the service is not asked"),
       field("open_fields", Shape::boolean(), "fields beyond the described ones exist"),
       field("values", text_map(), "words for requests: {object.word}"),
       field("fields", Shape::map(known_field), "fields known without asking")});
  return Shape::object({required("list", Shape::map(object), "objects by name"),
                        field("open", Shape::boolean(), "other names exist too"),
                        field("open_fields", Shape::boolean(), "fields beyond the described ones exist"),
                        field("names", names, "asks the service for its objects"),
                        field("discover", discover, "asks the service for the fields of an object")});
}

}  // namespace

Shape request_shape() { return request(); }
Shape rows_shape() { return rows(); }

Shape connector_shape() {
  const Shape pairs =
      Shape::object({required("name", text(), "the member of a pair that holds the field's name"),
                     required("value", text(), "the member that holds its value"),
                     field("numbers", Shape::boolean(), "names that are whole numbers are sent as such")});
  const Shape transforms =
      Shape::object({field("values", Shape::enumeration({"json", "text"}), "text: every value is a string"),
                     field("nulls", Shape::enumeration({"null", "empty", "omit"}), "how null is written"),
                     field("date", Shape::enumeration({"iso", "epoch_ms"}), "how dates are written"),
                     field("timestamp", Shape::enumeration({"iso", "epoch_ms"}), "how times are written"),
                     field("list_separator", text(), "a list of texts is joined with this"),
                     field("pairs", Shape::map(pairs),
                           "the fields below these, as custom_fields.7, are a list of names with values")});
  const Shape some = Shape::list(operation());
  const Shape operations = Shape::object(
      {field("upsert", some, "create or update by key"), field("update", some, "never creates"),
       field("insert", some, "never looks for an existing record"), field("erase", some, "removes for good"),
       field("archive", some, "removes, can be restored")});
  return Shape::object(
      {required("name", text(), "as in `type:` of connections.yml"),
       required("title", text(), "the service's own name"), required("summary", text(), "one line"),
       field("contract", text(), "URL of the service's documentation"),
       required("settings", Shape::map(setting()), "of the connection; base_url must be one of them"),
       field("options", Shape::map(option_shape()), "of a sync, beyond mode and key: {options.name}"),
       field("auth", Shape::list(auth()), "how requests prove who they are"),
       required("objects", objects(), "what can be written"),
       required("operations", operations, "requests per mode and removal; the first that fits is taken"),
       field("lookup", Shape::list(lookup()), "how records are read by key; the first that fits is taken"),
       field("check", check_shape(), "whose account it is, and what its credentials lack"),
       field("errors", errors(), "what answers that are no success mean"),
       field("transforms", transforms, "how values are written"),
       field("limits", limits_shape(), "how fast")});
}

}  // namespace eddy::connectors
