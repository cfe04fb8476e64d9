#include "engine/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "core/email.h"
#include "core/error.h"
#include "core/hashing.h"
#include "core/phone.h"
#include "core/unicode.h"

namespace eddy::engine {

namespace {

using Text = std::optional<std::string>;

enum class Second { none, region, key };
enum class Digest { none, sha256, hmac };

struct Function {
  std::string_view name;
  Text (*form)(std::string_view text, std::string_view second);  // brings the text to its form
  Digest digest;                                                 // what is delivered of it
  Second second;                                                 // a region may be left out, a key may not
};

Text as_it_is(std::string_view text, std::string_view) { return std::string(text); }
Text email(std::string_view text, std::string_view) { return email_address(text); }
Text google_email(std::string_view text, std::string_view) { return google_email_address(text); }
Text phone(std::string_view text, std::string_view region) { return e164(text, region); }
Text phone_digits(std::string_view text, std::string_view region) {
  Text number = e164(text, region);
  if (number) number->erase(0, 1);
  return number;
}
Text name(std::string_view text, std::string_view) {
  std::string out = lower_unicode(trim_unicode(text));
  return out.empty() ? Text() : Text(std::move(out));
}
Text plain_name(std::string_view text, std::string_view) { return name(without_punctuation(text), {}); }

constexpr std::array<Function, 10> functions = {{
    {"eddy_email", email, Digest::none, Second::none},
    {"eddy_phone", phone, Digest::none, Second::region},
    {"eddy_sha256", as_it_is, Digest::sha256, Second::none},
    {"eddy_hmac_sha256", as_it_is, Digest::hmac, Second::key},
    {"eddy_email_sha256", email, Digest::sha256, Second::none},
    {"eddy_email_sha256_google", google_email, Digest::sha256, Second::none},
    {"eddy_phone_sha256", phone, Digest::sha256, Second::region},
    {"eddy_phone_sha256_meta", phone_digits, Digest::sha256, Second::region},
    {"eddy_name_sha256", name, Digest::sha256, Second::none},
    {"eddy_name_sha256_meta", plain_name, Digest::sha256, Second::none},
}};

// A flat vector of texts (the engine flattens what it hands to a function of the C API).
class Texts {
 public:
  explicit Texts(duckdb_vector vector)
      : strings_(static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))),
        validity_(duckdb_vector_get_validity(vector)) {}
  bool is_null(idx_t row) const {
    return validity_ != nullptr && !duckdb_validity_row_is_valid(validity_, row);
  }
  std::string_view operator[](idx_t row) const {
    return {duckdb_string_t_data(&strings_[row]), duckdb_string_t_length(strings_[row])};
  }

 private:
  duckdb_string_t* strings_;
  std::uint64_t* validity_;
};

class Answers {
 public:
  explicit Answers(duckdb_vector vector) : vector_(vector) {
    duckdb_vector_ensure_validity_writable(vector);
    validity_ = duckdb_vector_get_validity(vector);
  }
  void null(idx_t row) { duckdb_validity_set_row_invalid(validity_, row); }
  void text(idx_t row, std::string_view text) {
    duckdb_vector_assign_string_element_len(vector_, row, text.data(), text.size());
  }
  void digest(idx_t row, const HexDigest& digest) { text(row, {digest.data(), digest.size()}); }

 private:
  duckdb_vector vector_;
  std::uint64_t* validity_;
};

void compute(const Function& function, duckdb_data_chunk input, duckdb_vector output) {
  const idx_t rows = duckdb_data_chunk_get_size(input);
  const Texts texts(duckdb_data_chunk_get_vector(input, 0));
  std::optional<Texts> seconds;
  if (duckdb_data_chunk_get_column_count(input) > 1) seconds.emplace(duckdb_data_chunk_get_vector(input, 1));
  Answers answers(output);
  std::optional<Sha256Series> sha256;
  std::optional<HmacSha256Series> hmac;
  if (function.digest == Digest::sha256) sha256.emplace();
  if (function.digest == Digest::hmac) hmac.emplace();
  for (idx_t row = 0; row < rows; ++row) {
    const bool no_second = !seconds || seconds->is_null(row);
    if (texts.is_null(row) || (function.second == Second::key && no_second)) {
      answers.null(row);
      continue;
    }
    const std::string_view second = no_second ? std::string_view() : (*seconds)[row];
    const Text text = function.form(texts[row], second);
    if (!text)
      answers.null(row);
    else if (sha256)
      answers.digest(row, (*sha256)(*text));
    else if (hmac)
      answers.digest(row, (*hmac)(*text, second));
    else
      answers.text(row, *text);
  }
}

void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  try {
    compute(*static_cast<const Function*>(duckdb_scalar_function_get_extra_info(info)), input, output);
  } catch (const std::exception& e) {  // no exception may pass through the engine's C interface
    duckdb_scalar_function_set_error(info, e.what());
  }
}

// The text of a constant argument; nullopt when it is no constant, or null.
Text constant(duckdb_bind_info info, idx_t index) {
  duckdb_expression argument = duckdb_scalar_function_bind_get_argument(info, index);
  Text out;
  if (duckdb_expression_is_foldable(argument)) {
    duckdb_client_context context = nullptr;
    duckdb_scalar_function_get_client_context(info, &context);
    duckdb_value value = nullptr;
    duckdb_error_data error = duckdb_expression_fold(context, argument, &value);
    if (!duckdb_error_data_has_error(error) && !duckdb_is_null_value(value)) {
      char* text = duckdb_get_varchar(value);
      out = text;
      duckdb_free(text);
    }
    duckdb_destroy_error_data(&error);
    if (value != nullptr) duckdb_destroy_value(&value);
    duckdb_destroy_client_context(&context);
  }
  duckdb_destroy_expression(&argument);
  return out;
}

// A region in a column may be anything; one that is written out must be right.
void check_region(duckdb_bind_info info) {
  const Text region = constant(info, 1);
  if (!region || region->empty() || is_phone_region(*region)) return;
  const std::string message = fmt::format(
      "`{}` is no region of phone numbers; write its two letters of ISO 3166: 'US', 'DE', 'GB'", *region);
  duckdb_scalar_function_bind_set_error(info, message.c_str());
}

struct Overload {
  Overload(const Function& function, bool with_second) : handle(duckdb_create_scalar_function()) {
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_scalar_function_set_name(handle, std::string(function.name).c_str());
    duckdb_scalar_function_add_parameter(handle, text);
    if (with_second) duckdb_scalar_function_add_parameter(handle, text);
    duckdb_scalar_function_set_return_type(handle, text);
    duckdb_destroy_logical_type(&text);
    duckdb_scalar_function_set_extra_info(handle, const_cast<Function*>(&function), nullptr);
    duckdb_scalar_function_set_function(handle, run);
    if (with_second && function.second == Second::region) {
      duckdb_scalar_function_set_special_handling(handle);  // a null region takes no number away
      duckdb_scalar_function_set_bind(handle, check_region);
    }
  }
  ~Overload() { duckdb_destroy_scalar_function(&handle); }
  Overload(const Overload&) = delete;
  Overload& operator=(const Overload&) = delete;
  duckdb_scalar_function handle;
};

bool register_function(duckdb_connection connection, const Function& function) {
  duckdb_scalar_function_set set = duckdb_create_scalar_function_set(std::string(function.name).c_str());
  bool done = true;
  for (const bool with_second : {false, true}) {
    if (with_second ? function.second == Second::none : function.second == Second::key) continue;
    const Overload overload(function, with_second);
    done = done && duckdb_add_scalar_function_to_set(set, overload.handle) == DuckDBSuccess;
  }
  done = done && duckdb_register_scalar_function_set(connection, set) == DuckDBSuccess;
  duckdb_destroy_scalar_function_set(&set);
  return done;
}

}  // namespace

void register_functions(duckdb_database database) {
  duckdb_connection connection = nullptr;
  if (duckdb_connect(database, &connection) != DuckDBSuccess)
    throw Error("engine.open_failed", "cannot make an engine connection");
  const auto failed = std::find_if(functions.begin(), functions.end(), [&](const Function& function) {
    return !register_function(connection, function);
  });
  duckdb_disconnect(&connection);
  if (failed != functions.end())
    throw Error("engine.open_failed", fmt::format("the engine does not take the function {}", failed->name));
}

bool is_hashing_function(std::string_view function_name) {
  return std::any_of(functions.begin(), functions.end(), [&](const Function& function) {
    return function.name == function_name && function.digest != Digest::none;
  });
}

}  // namespace eddy::engine
