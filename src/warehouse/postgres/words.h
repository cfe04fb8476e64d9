// PostgreSQL's words for kept values. Pure text; nothing is executed. Inside this folder only.
#pragma once

#include <string>
#include <string_view>

#include "warehouse/dialect.h"

namespace eddy::warehouse::postgres_words {

std::string kept_type(Type type);
std::string literal(const Value& value, Type type);
// `base` is the type below all domains, as pg_type names it; `kind` and `category` are its typtype and
// typcategory.
struct Kept {
  Type type = Type::text;
  std::string form, key_form;
};
Kept kept(std::string_view base, std::string_view kind, std::string_view category);

std::string hash(const std::vector<std::string>& names, const std::vector<Type>& types);
// A query of one value that differs when any of the functions that hash() is made of differs.
std::string hash_probe();
// A function in the connection's own schema for the conversion, and its call.
std::string conversion_name(Type from, Type to);
std::string create_conversion(Type from, Type to);

// `unicode`: the server's encoding is UTF-8.
std::string normalized(Word word, const std::string& text, bool unicode);

}  // namespace eddy::warehouse::postgres_words
