#include "transport/postgres/error.h"

#include <algorithm>
#include <array>
#include <utility>

namespace eddy::postgres {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 33> names = {{
    {"21000", "cardinality_violation"},
    {"22001", "string_data_right_truncation"},
    {"22003", "numeric_value_out_of_range"},
    {"22007", "invalid_datetime_format"},
    {"22008", "datetime_field_overflow"},
    {"22012", "division_by_zero"},
    {"22021", "character_not_in_repertoire"},
    {"22023", "invalid_parameter_value"},
    {"22026", "string_data_length_mismatch"},
    {"22030", "duplicate_json_object_key_value"},
    {"22032", "invalid_json_text"},
    {"22P02", "invalid_text_representation"},
    {"22P03", "invalid_binary_representation"},
    {"22P04", "bad_copy_file_format"},
    {"22P05", "untranslatable_character"},
    {"23000", "integrity_constraint_violation"},
    {"23001", "restrict_violation"},
    {"23502", "not_null_violation"},
    {"23503", "foreign_key_violation"},
    {"23505", "unique_violation"},
    {"23514", "check_violation"},
    {"23P01", "exclusion_violation"},
    {"40001", "serialization_failure"},
    {"40P01", "deadlock_detected"},
    {"42501", "insufficient_privilege"},
    {"42703", "undefined_column"},
    {"42P01", "undefined_table"},
    {"44000", "with_check_option_violation"},
    {"53100", "disk_full"},
    {"54000", "program_limit_exceeded"},
    {"55P03", "lock_not_available"},
    {"57014", "query_canceled"},
    {"P0001", "raise_exception"},
}};

bool in_class(std::string_view sqlstate, std::string_view prefix) { return sqlstate.starts_with(prefix); }

}  // namespace

std::string_view sqlstate_name(std::string_view sqlstate) {
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == sqlstate; });
  return found == names.end() ? sqlstate : found->second;
}

PostgresError::PostgresError(std::string code, std::string sqlstate, std::string message, std::string hint)
    : Error(std::move(code), std::move(message), std::move(hint)), sqlstate_(std::move(sqlstate)) {}

std::string PostgresError::name() const { return std::string(sqlstate_name(sqlstate_)); }

bool PostgresError::is_data_error() const {
  return in_class(sqlstate_, "21") || in_class(sqlstate_, "22") || in_class(sqlstate_, "23") ||
         in_class(sqlstate_, "44") || in_class(sqlstate_, "54") || in_class(sqlstate_, "P0");
}

bool PostgresError::is_transient() const {
  if (code() == "postgres.unreachable" || code() == "postgres.connection_lost") return true;
  // 53100 is a full disk: waiting does not help.
  return in_class(sqlstate_, "40") || in_class(sqlstate_, "08") || sqlstate_ == "53200" ||
         sqlstate_ == "53300" || sqlstate_ == "55P03" || sqlstate_ == "55006" ||
         (in_class(sqlstate_, "57") && sqlstate_ != "57P04");
}

bool PostgresError::is_connection_lost() const {
  return code() == "postgres.connection_lost" || is_in_doubt();
}

bool PostgresError::is_in_doubt() const { return code() == "postgres.commit_in_doubt"; }

}  // namespace eddy::postgres
