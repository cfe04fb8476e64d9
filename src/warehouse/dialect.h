// What a warehouse of the user's own must be able to do, so that syncs can be planned in it: PostgreSQL today
// (postgres/dialect.h), others by one more implementation of this page.
//
// Everything else is SQL that such systems share: joins, `group by`, `case`, `cast`, `coalesce`,
// `is distinct from`, `values`, `limit`, "double quotes" around names, 'single quotes' around texts.
//
// Values cross the border in one form per core Type, the kept form: no type of the user's own making, times
// in UTC, so that they can be stored, hashed, compared and carried into Eddy's engine and back without a
// change. What identifies a row has one spelling for equal values besides (5 and 5.00 are one decimal).
//
// Ownership: a Dialect owns one connection. Thread rule: one thread at a time; open another for another.
// Errors: every method throws Error with the warehouse's own words. "warehouse.no_right" says in its hint
// which right is missing; "warehouse.refused" is all else that the warehouse said no to;
// "warehouse.unreachable" and "warehouse.lost" are about the way to it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "engine/database.h"

namespace eddy::warehouse {

// A column of a SELECT.
struct NativeColumn {
  std::string name;
  std::string native_type;  // "character varying", in the warehouse's words
  Type type = Type::text;   // what a destination meets
  std::string form;         // SQL of the kept form, with {} where the value stands
  std::string key_form;     // of a key: NaN, which identifies nothing, is null
};

enum class Purpose {
  read,  // nothing is written, not even scratch tables
  plan,  // scratch tables only
  write
};

struct MissingRight {
  std::string what;  // "role eddy may not create the schema eddy in database shop"
  std::string cure;  // the statement that gives it
};

enum class Word { trim, lower, upper, email, sha256 };  // of `normalize:` and of `pii: hash`

class Dialect {
 public:
  virtual ~Dialect() = default;

  // --- Statements. Whoever needs several of them to see one moment wraps them in transaction().

  virtual std::uint64_t execute(std::string_view sql) = 0;  // rows changed by the last statement
  // Row after row, never all of them in memory. `types`: of the columns, which are in their kept form.
  using OnRow = std::function<void(const Row& row)>;
  virtual void stream(std::string_view select, const std::vector<Type>& types, const OnRow& on_row) = 0;
  // Without running it.
  virtual std::vector<NativeColumn> describe(std::string_view select) = 0;
  // Rows into a table, all columns in order, until `next` says false. Returns how many.
  using NextRow = std::function<bool(Row& row)>;
  virtual std::uint64_t load(std::string_view table, const NextRow& next) = 0;
  // All of `work` sees one moment, and is kept whole or not at all. Not to be nested.
  virtual void transaction(Purpose purpose, const std::function<void()>& work) = 0;
  // A table that ends with the transaction. Returns what to call it.
  virtual std::string scratch(std::string_view name, std::string_view select) = 0;

  // --- What is there

  virtual std::vector<std::string> relations() = 0;  // tables and views this role may see, "schema.name"
  virtual std::string identity() = 0;                // "PostgreSQL 15.4, database shop as eddy"
  // The first thing that is missing to plan here and to keep tables in that schema; changes nothing.
  virtual std::optional<MissingRight> missing_right(std::string_view schema) = 0;

  // --- The words of SQL that differ

  virtual std::string kept_type(Type type) = 0;  // of a column that holds kept values: "bigint"
  virtual std::string literal(const Value& value, Type type) = 0;  // a kept value: "cast('…' as bigint)"
  // 63 bits, of kept values of these types that stand under these names. Equal values have equal hashes,
  // however they are spelled (5 and 5.00); null is a value like others.
  virtual std::string hash(const std::vector<std::string>& names, const std::vector<Type>& types) = 0;
  // Names the way values are hashed here; another name means that stored hashes say nothing any more.
  virtual std::string hash_algorithm() = 0;
  // A kept value as a kept value of another type; null where it cannot be one. May define what it needs, for
  // the time of the connection.
  virtual std::string converted(const std::string& value, Type from, Type to) = 0;
  // A text in one form: what is none becomes null.
  virtual std::string normalized(Word word, const std::string& text) = 0;
};

// "cast({} as bigint)", "id" -> "cast(id as bigint)"
std::string in_form(const std::string& form, std::string_view expression);
// In Eddy's engine. Decimals are text there: the engine's own have 38 digits and no NaN.
std::string kept_engine_type(Type type);
// A query with its columns, under their names, in their kept forms; `columns` as describe() gives them.
std::string kept_select(std::string_view select, const std::vector<NativeColumn>& columns);
// The first rows of a query (0: all) as a temp table of the engine; it replaces an older one. Returns how
// many.
std::uint64_t bring_table(Dialect& dialect, engine::Connection& connection, std::string_view select,
                          const std::string& table, std::uint64_t rows_max);

}  // namespace eddy::warehouse
