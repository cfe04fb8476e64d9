#include "warehouse/postgres/words.h"

#include <fmt/format.h>

#include "core/text.h"
#include "transport/postgres/encoding.h"

namespace eddy::warehouse::postgres_words {

using postgres::quote_literal;

namespace {

// Texts are compared byte by byte, as Eddy's engine does it; the database's own order may take two for equal.
constexpr std::string_view bytewise = R"(collate "C")";

constexpr std::string_view ascii_space = R"(E'\t\n\x0b\f\r ')";
// What is taken off both ends of a text, as core/unicode.h does it.
constexpr std::string_view unicode_space =
    R"(E'\t\n\x0b\f\r \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u200B\u2028\u2029\u202F\u205F\u3000\uFEFF')";

// Of an address in lower case: as core/email.h.
constexpr std::string_view address =
    R"re('^([a-z0-9!#$%&''*+/=?^_`{|}~-]|[^\u0001-\u007f\s])+(\.([a-z0-9!#$%&''*+/=?^_`{|}~-]|[^\u0001-\u007f\s])+)*@)re"
    R"re((([a-z0-9]|[^\u0001-\u007f\s])(([a-z0-9-]|[^\u0001-\u007f\s])*([a-z0-9]|[^\u0001-\u007f\s]))?\.)+)re"
    R"re(([a-z0-9]|[^\u0001-\u007f\s])(([a-z0-9-]|[^\u0001-\u007f\s])*([a-z0-9]|[^\u0001-\u007f\s]))?$')re";

std::string trimmed(const std::string& text, bool unicode) {
  return fmt::format("nullif(btrim(cast({} as text), {}), '')", text, unicode ? unicode_space : ascii_space);
}

}  // namespace

std::string kept_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "boolean";
    case Type::integer:
      return "bigint";
    case Type::real:
      return "double precision";
    case Type::decimal:
      return "numeric";
    case Type::date:
      return "date";
    case Type::timestamp:
      return "timestamp";
    case Type::blob:
      return "bytea";
    default:
      return "text";
  }
}

std::string literal(const Value& value, Type type) {
  std::string text;
  postgres::append_input(text, value);
  return fmt::format("cast({} as {})", value.is_null() ? "null" : quote_literal(text), kept_type(type));
}

Kept kept(std::string_view base, std::string_view kind, std::string_view category) {
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), base) != names.end();
  };
  const auto plain = [](Type type, const std::string& form) { return Kept{type, form, form}; };
  const std::string as_text = fmt::format("(cast({{}} as text) {})", bytewise);
  if (is({"bool"})) return plain(Type::boolean, "cast({} as boolean)");
  if (is({"int2", "int4", "int8", "oid"})) return plain(Type::integer, "cast({} as bigint)");
  // Adding 0 makes one zero of two. A real is taken as it is written, 0.1, not as the nearest double.
  if (is({"float8", "float4"})) {
    const std::string form = is({"float8"}) ? "({} + 0)" : "(cast(cast({} as text) as double precision) + 0)";
    return {Type::real, form, fmt::format("nullif({}, 'NaN')", form)};
  }
  if (is({"numeric", "money"}))
    return {Type::decimal, "cast({} as numeric)", "nullif(trim_scale(cast({} as numeric)), 'NaN')"};
  if (is({"date"})) return plain(Type::date, "cast({} as date)");
  if (is({"timestamp"})) return plain(Type::timestamp, "cast({} as timestamp)");
  if (is({"timestamptz"})) return plain(Type::timestamp, "({} at time zone 'UTC')");
  if (is({"bytea"})) return plain(Type::blob, "cast({} as bytea)");
  if (is({"json", "jsonb"})) return plain(Type::json, as_text);
  if (kind == "c" || category == "A" || is({"record"}))
    return plain(Type::json, fmt::format("(cast(to_json({{}}) as text) {})", bytewise));
  return plain(Type::text, as_text);
}

std::string hash(const std::vector<std::string>& names, const std::vector<Type>& types) {
  if (names.empty()) return "cast(1 as bigint)";
  std::vector<std::string> cells;
  for (std::size_t i = 0; i < names.size(); ++i)
    cells.push_back(types[i] == Type::decimal ? fmt::format("trim_scale({})", names[i]) : names[i]);
  // Hashing the row itself (hash_record_extended) would be faster, but PostgreSQL folds a bigint and a time
  // to 32 bits first, so that 1 and 4294967296 are the same to it.
  return fmt::format("(hashtextextended(cast(row({}) as text) {}, 0) & 9223372036854775807)",
                     join(cells, ", "), bytewise);
}

std::string hash_probe() {
  return fmt::format(
      "select {} from (select cast('eddy, \"quoted\"' as text) as a, cast(1 as bigint) as b, cast(2.5 as "
      "double precision) as c, cast(1.5 as numeric) as d, date '2024-01-01' as e, timestamp '2024-01-01 "
      "10:00:00.5' as f, true as g, cast(null as text) as h, cast('\\x00ff' as bytea) as i) probe",
      hash({"a", "b", "c", "d", "e", "f", "g", "h", "i"},
           {Type::text, Type::integer, Type::real, Type::decimal, Type::date, Type::timestamp, Type::boolean,
            Type::text, Type::blob}));
}

std::string conversion_name(Type from, Type to) {
  return fmt::format("pg_temp.eddy_{}_as_{}", name_of(from), name_of(to));
}

std::string create_conversion(Type from, Type to) {
  return fmt::format(
      "create or replace function {0}(given {1}) returns {2} language plpgsql immutable as $eddy$ begin "
      "return "
      "cast(given as {2}); exception when others then begin return cast(cast(given as text) as {2}); "
      "exception "
      "when others then return null; end; end $eddy$",
      conversion_name(from, to), kept_type(from), kept_type(to));
}

std::string normalized(Word word, const std::string& text, bool unicode) {
  switch (word) {
    case Word::trim:
      return trimmed(text, unicode);
    case Word::lower:
      return fmt::format("lower(cast({} as text))", text);
    case Word::upper:
      return fmt::format("upper(cast({} as text))", text);
    case Word::email: {
      const std::string lowered = fmt::format("lower({})", trimmed(text, unicode));
      return fmt::format(
          "(select case when one ~ {} and octet_length(one) <= 254 and octet_length(split_part(one, '@', 1)) "
          "<= "
          "64 then one end from (select {} as one) given)",
          address, unicode ? fmt::format("normalize({}, NFC)", lowered) : lowered);
    }
    case Word::sha256:
      return fmt::format("encode(sha256(convert_to(cast({} as text), 'UTF8')), 'hex')", text);
  }
  return text;
}

}  // namespace eddy::warehouse::postgres_words
