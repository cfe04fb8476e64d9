#include "warehouse/postgres/wire.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <regex>

#include "transport/postgres/encoding.h"

namespace eddy::warehouse {
namespace {

// A backslash and a letter stand for one character; a backslash and anything else for that.
std::string_view unescaped(std::string_view cell, std::string& scratch) {
  if (cell.find('\\') == std::string_view::npos) return cell;
  scratch.clear();
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] != '\\' || i + 1 == cell.size()) {
      scratch += cell[i];
      continue;
    }
    switch (cell[++i]) {
      case 'n':
        scratch += '\n';
        break;
      case 't':
        scratch += '\t';
        break;
      case 'r':
        scratch += '\r';
        break;
      case 'b':
        scratch += '\b';
        break;
      case 'f':
        scratch += '\f';
        break;
      case 'v':
        scratch += '\v';
        break;
      default:
        scratch += cell[i];
    }
  }
  return scratch;
}

std::int64_t integer_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "0044-03-15 10:00:00 BC" -> "-0043-03-15 10:00:00": the year 1 BC is the year 0.
std::string with_iso_year(std::string_view text) {
  if (!text.ends_with(" BC")) return std::string(text);
  const std::string_view date = text.substr(0, text.size() - 3);
  const std::size_t dash = date.find('-');
  return fmt::format("-{:04}{}", integer_of(date.substr(0, dash)) - 1, date.substr(dash));
}

std::string utc(std::string_view text) {
  std::string out = with_iso_year(text);
  const std::size_t space = out.find(' ');
  if (space == std::string::npos) return out;  // infinity
  out[space] = 'T';
  return out + "Z";
}

std::string bytes_of_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
  return bytes;
}

}  // namespace

Value value_of_copy_cell(std::string_view cell, Type type, std::string& scratch) {
  if (cell == "\\N") return {};
  const std::string_view text = unescaped(cell, scratch);
  switch (type) {
    case Type::null:
      return {};
    case Type::boolean:
      return Value::boolean(text == "t");
    case Type::integer:
      return Value::integer(integer_of(text));
    case Type::real:
      return Value::real(std::strtod(std::string(text).c_str(), nullptr));
    case Type::decimal:
      return Value::decimal(std::string(text));
    case Type::text:
      return Value::text(std::string(text));
    case Type::date:
      return Value::date(with_iso_year(text));
    case Type::timestamp:
      return Value::timestamp(utc(text));
    case Type::json:
      return Value::json(std::string(text));
    case Type::blob:
      return Value::blob(bytes_of_hex(text));
  }
  return {};
}

namespace {

// "permission denied for table orders" -> the statement that allows it, as far as PostgreSQL says what it is.
std::string grant_for(const std::string& message, const std::string& role,
                      const std::function<std::string(const std::string& table)>& schema_of) {
  const std::string to = " TO " + postgres::quote_identifier(role);
  static const std::regex denied(R"(permission denied for ([a-z ]+) ([^ ]+))");
  std::smatch found;
  if (message.find("temporary tables") != std::string::npos) return "GRANT TEMPORARY ON DATABASE …" + to;
  if (!std::regex_search(message, found, denied)) return "GRANT the missing right" + to;
  const std::string kind = found[1], name = found[2];
  if (kind == "schema")
    return fmt::format("GRANT USAGE ON SCHEMA {}{}", postgres::quote_identifier(name), to);
  if (kind == "database")
    return fmt::format("GRANT CREATE ON DATABASE {}{}", postgres::quote_identifier(name), to);
  if (kind == "function") return fmt::format("GRANT EXECUTE ON FUNCTION {}{}", name, to);
  if (kind == "sequence") return fmt::format("GRANT USAGE ON SEQUENCE {}{}", name, to);
  const std::string schema = schema_of(name);
  return fmt::format("GRANT SELECT ON {}.{}{}",
                     schema.empty() ? "<its schema>" : postgres::quote_identifier(schema),
                     postgres::quote_identifier(name), to);
}

}  // namespace

void throw_as_warehouse_error(const postgres::PostgresError& error, const std::string& role,
                              const std::function<std::string(const std::string& table)>& schema_of) {
  if (error.sqlstate() == "42501")
    throw Error("warehouse.no_right", error.message(),
                fmt::format("let an owner run: {}", grant_for(error.message(), role, schema_of)));
  if (error.is_connection_lost() || error.is_in_doubt())
    throw Error("warehouse.lost", error.message(), "run it again: what was not finished is taken up");
  throw Error("warehouse.refused", error.message(), error.hint());
}

}  // namespace eddy::warehouse
