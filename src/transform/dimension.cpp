#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "transform/content_maker.h"

namespace eddy::transform {

using engine::Connection;
using engine::quote_identifier;

namespace {

class DimensionMaker final : public ContentMaker {
 public:
  using ContentMaker::ContentMaker;

 protected:
  void make_rows() override {
    const std::string surrogate = surrogate_column(spec_.name);
    need_free(surrogate, spec_.key.front().at);
    std::vector<std::string> key;
    for (const Word& word : spec_.key) key.push_back(need_column(word));
    check_key(connection_, spec_, fmt::format("temp.{}", staged_table), key, spec_.key.front().at);

    TableDefinition& table = content_.table;
    table.columns.push_back({surrogate, "BIGINT", true});
    table.columns.insert(table.columns.end(), staged_.columns.begin(), staged_.columns.end());
    table.primary_key = {surrogate};
    table.unique = {key};

    const std::string id = quote_identifier(surrogate);
    const std::string order = quoted_list(key);
    const bool goes_on = numbers_can_be_kept(surrogate, key);
    if (goes_on) {
      const std::string old = warehouse_name(old_->name);
      std::vector<std::string> by_key;
      for (const std::string& column : key) by_key.push_back("s." + quote_identifier(column));
      connection_.execute(
          fmt::format("create or replace temp table {content} as select coalesce(o.{id}, (select "
                      "coalesce(max({id}), 0) from {old}) + "
                      "row_number() over (partition by o.{id} is null order by {by_key}))::bigint as {id}, "
                      "s.* from temp.{staged} as s left join {old} as o on o.{id} <> 0 and {matches}",
                      fmt::arg("content", content_table), fmt::arg("id", id), fmt::arg("old", old),
                      fmt::arg("staged", staged_table), fmt::arg("by_key", join(by_key, ", ")),
                      fmt::arg("matches", matches(key, "o", "s"))));
      content_.kept =
          connection_
              .query(fmt::format("insert into temp.{} select o.{id}, {} from {} as o where o.{id} <> 0 and "
                                 "not exists (select 1 from temp.{} as s where {})",
                                 content_table, from_old("o"), old, staged_table, matches(key, "o", "s"),
                                 fmt::arg("id", id)))
              .rows_changed();
      check_kept_keys(key);
    } else {
      connection_.execute(fmt::format(
          "create or replace temp table {} as select row_number() over (order by {}) as {}, * from temp.{}",
          content_table, order, id, staged_table));
    }
    insert_unknown_member();
  }

  std::uint64_t rows_of_no_model() const override { return 1; }  // the unknown member

 private:
  // False: there is nothing to go on from. Throws when there is, but it cannot be gone on from.
  bool numbers_can_be_kept(const std::string& surrogate, const std::vector<std::string>& key) const {
    if (!old_) return false;
    const bool same = old_->is_dimension() && old_->primary_key[0] == surrogate && old_has(key) &&
                      old_->unique[0].size() == key.size() &&
                      std::equal(key.begin(), key.end(), old_->unique[0].begin(),
                                 [](const auto& a, const auto& b) { return lower(a) == lower(b); });
    if (same) return true;
    const std::vector<std::string> referring = tables_referring_to(connection_, spec_.name);
    if (referring.empty()) return false;
    const std::string before = old_->is_dimension() ? join(old_->unique[0], ", ") : "none";
    fail("transform.key_changed",
         fmt::format("the natural key of {} was {} and is now {}, so the surrogate keys in warehouse.{} "
                     "would point at other members",
                     spec_.relation(), before, join(key, ", "), join(referring, ", warehouse.")),
         "give the dimension a new name, or drop the tables that refer to it and build them again",
         spec_.key.front().at);
  }

  bool is_retyped(const std::vector<std::string>& key) const {
    return std::any_of(key.begin(), key.end(), [&](const std::string& column) {
      return old_->find(column)->type != staged_.find(column)->type;
    });
  }

  // A retyped natural key may lose members: two become one, or one becomes NULL.
  void check_kept_keys(const std::vector<std::string>& key) const {
    std::vector<std::string> null;
    for (const std::string& column : key) null.push_back(quote_identifier(column) + " is null");
    const std::string lost = fmt::format(
        "select * from temp.{0} where {1} union all select * from temp.{0} qualify count(*) over (partition "
        "by {2}) > 1",
        content_table, join(null, " or "), quoted_list(key));
    if (!is_retyped(key) || count_of(connection_, fmt::format("select count(*) from ({})", lost)) == 0)
      return;
    fail("transform.key_changed",
         fmt::format("the type of the natural key of {} has changed, and members cannot "
                     "follow: {}",
                     spec_.relation(), examples_of(connection_, lost)),
         "cast the key to its former type in the SELECT, or give the dimension a new name",
         spec_.key.front().at);
  }

  void insert_unknown_member() {
    for (const UnknownValue& value : spec_.unknown) {
      const std::string column = need_column(value.column);
      try {
        connection_.query(fmt::format("select ({}\n)::{}", value.sql, staged_.find(column)->type));
      } catch (const Error& e) {
        const EngineMessage said = read_engine_message(e.message());
        fail("transform.unknown_value",
             fmt::format("`{}` is no SQL value for the unknown member: {}", value.sql, said.text),
             "write SQL, with text in single quotes inside the YAML: column: \"'unknown'\"", value.at);
      }
    }
    std::vector<std::string> values = {std::to_string(unknown_member)};
    for (const auto& column : staged_.columns) {
      const auto value = std::find_if(spec_.unknown.begin(), spec_.unknown.end(), [&](const UnknownValue& v) {
        return lower(v.column.text) == lower(column.name);
      });
      values.push_back(fmt::format(
          "cast({}\n as {})", value == spec_.unknown.end() ? "null" : "(" + value->sql + "\n)", column.type));
    }
    connection_.execute(fmt::format("insert into temp.{} select {}", content_table, join(values, ", ")));
  }
};

}  // namespace

std::unique_ptr<ContentMaker> dimension_maker(Connection& connection, const ModelSpec& spec) {
  return std::make_unique<DimensionMaker>(connection, spec);
}

}  // namespace eddy::transform
