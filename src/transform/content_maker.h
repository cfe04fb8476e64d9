// How the content of a warehouse table comes to be, per materialization. Inside transform/ only; star.h is
// the door.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transform/star.h"

namespace eddy::transform {

// Reads eddy_staged and the catalog, makes eddy_content. Used once, by one thread.
class ContentMaker {
 public:
  ContentMaker(engine::Connection& connection, const ModelSpec& spec);
  virtual ~ContentMaker() = default;
  ContentMaker(const ContentMaker&) = delete;
  ContentMaker& operator=(const ContentMaker&) = delete;
  Content make();

 protected:
  virtual void make_rows() = 0;  // eddy_content, and its definition in content_.table
  virtual std::uint64_t rows_of_no_model() const {
    return 0;
  }  // rows of eddy_content that stand for nothing in the model

  [[noreturn]] void fail(std::string code, std::string message, std::string hint,
                         const SourcePosition& at) const;
  std::string need_column(const Word& word) const;  // the column as the model spells it
  void need_free(const std::string& column, const SourcePosition& at) const;
  TableDefinition need_table(const std::string& table, const SourcePosition& at) const;
  bool old_has(const std::vector<std::string>& columns) const;
  // "try_cast(old.a as T) as a, …" per staged column; NULL where the old table has no such column.
  std::string from_old(std::string_view alias) const;
  // "try_cast(old.a as T) = staged.a and …"
  std::string matches(const std::vector<std::string>& key, std::string_view old_alias,
                      std::string_view new_alias) const;
  void mark_key_not_null();

  engine::Connection& connection_;
  const ModelSpec& spec_;
  std::optional<TableDefinition> old_;
  TableDefinition staged_;
  Content content_;

 private:
  void add_references();
  std::vector<std::string> target_key(const TableDefinition& parent, const Reference& reference,
                                      const std::vector<std::string>& columns) const;
};

std::unique_ptr<ContentMaker> table_maker(engine::Connection& connection, const ModelSpec& spec);
std::unique_ptr<ContentMaker> dimension_maker(engine::Connection& connection, const ModelSpec& spec);
std::unique_ptr<ContentMaker> fact_maker(engine::Connection& connection, const ModelSpec& spec);

std::string quoted_list(const std::vector<std::string>& columns);  // "a", "b"
std::uint64_t count_of(engine::Connection& connection, const std::string& sql);
std::string examples_of(engine::Connection& connection, const std::string& sql);  // up to five rows: {…}, {…}

}  // namespace eddy::transform
