// How one column of a MySQL table takes values: what it would bend without a word from the server, and how
// what it does take is written. Pure, and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "core/value.h"
#include "transport/mysql/table.h"

namespace eddy::connectors {

// The server warns about most values that do not fit (mysql/load.h); this class knows those it changes in
// silence: 12.5 into an INT becomes 13, fractions of a second are cut off, CHAR loses trailing blanks, an
// ENUM takes '2' for its second word, a BINARY is filled up, a FLOAT rounds, YEAR 70 is 1970.
class MysqlColumn {
 public:
  explicit MysqlColumn(mysql::TableColumn column) : column_(std::move(column)) {}

  const mysql::TableColumn& schema() const { return column_; }
  // Why the column would not keep the value exactly; "" when it would, or when the server will say it.
  // A real in a FLOAT column is the nearest that it has: that is what such a column is for.
  std::string loss(const Value& value) const;

  // What stands in LOAD DATA's column list, and in its SET clause ("" for none).
  std::string load_target(std::size_t place) const;      // "`name`", or a variable "@c3"
  std::string load_assignment(std::size_t place) const;  // "`bytes` = unhex(@c3)"
  void append_cell(std::string& out, const Value& value) const;
  void append_literal(std::string& out, const Value& value) const;  // for INSERT
  // For comparisons with the column: of its own kind, or the server compares both sides as doubles.
  std::string comparable(const Value& value) const;

  // As a nullable column of a table of ours, with the same type, character set and collation.
  std::string definition() const;
  // `expression` (text of the connection's character set) in the column's own character set and collation.
  std::string converted(const std::string& expression) const;

 private:
  bool goes_as_hex() const { return column_.is_binary(); }
  bool goes_as_bits() const { return column_.data_type == "bit"; }
  std::string_view text_of(const Value& value, std::string& scratch) const;
  std::string loss_of_text(std::string_view text, const Value& value) const;
  mysql::TableColumn column_;
};

}  // namespace eddy::connectors
