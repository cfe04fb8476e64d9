#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "transform/content_maker.h"

namespace eddy::transform {

using engine::Connection;
using engine::quote_identifier;

namespace {

class FactMaker final : public ContentMaker {
 public:
  using ContentMaker::ContentMaker;

 protected:
  void make_rows() override {
    std::vector<std::string> columns, joins;
    TableDefinition& table = content_.table;
    std::vector<std::string> counts;
    for (std::size_t i = 0; i < spec_.dimensions.size(); ++i) {
      const DimensionLookup& lookup = spec_.dimensions[i];
      const TableDefinition dimension = need_table(lookup.dimension, lookup.at);
      if (!dimension.is_dimension())
        fail("transform.not_a_dimension",
             fmt::format("warehouse.{} is no dimension: it has no surrogate key", lookup.dimension),
             fmt::format("write `materialize: dimension` in models/warehouse/{}.sql", lookup.dimension),
             lookup.at);
      const std::vector<std::string>& natural = dimension.unique[0];
      if (natural.size() != lookup.key.size())
        fail("transform.wrong_key",
             fmt::format("the natural key of warehouse.{} is {}, but {} column(s) are given",
                         lookup.dimension, join(natural, ", "), lookup.key.size()),
             "give one column of the fact for each of them, in that order", lookup.at);
      need_free(lookup.column.text, lookup.column.at);
      const std::string alias = fmt::format("eddy_d{}", i), name = quote_identifier(lookup.column.text);
      std::vector<std::string> equal, null;
      for (std::size_t k = 0; k < natural.size(); ++k) {
        const std::string column = quote_identifier(need_column(lookup.key[k]));
        need_comparable(dimension, natural[k], lookup.key[k]);
        equal.push_back(fmt::format("{}.{} = s.{}", alias, quote_identifier(natural[k]), column));
        null.push_back(column + " is null");
      }
      columns.push_back(fmt::format("coalesce({}.{}, {})::bigint as {}", alias,
                                    quote_identifier(dimension.primary_key[0]), unknown_member, name));
      joins.push_back(fmt::format("left join {} as {} on {}", warehouse_name(dimension.name), alias,
                                  join(equal, " and ")));
      table.columns.push_back({lookup.column.text, "BIGINT"});
      table.foreign_keys.push_back({{lookup.column.text}, dimension.name, dimension.primary_key});
      const std::string none = join(null, " or ");
      counts.push_back(fmt::format(
          "count(*) filter (where {0} = {1} and ({2})), count(*) filter (where {0} = {1} and not ({2}))",
          name, unknown_member, none));
      content_.unknown.push_back({lookup.column.text});
    }
    columns.push_back("s.*");
    table.columns.insert(table.columns.end(), staged_.columns.begin(), staged_.columns.end());
    connection_.execute(fmt::format("create or replace temp table {} as select {} from temp.{} as s {}",
                                    content_table, join(columns, ", "), staged_table, join(joins, " ")));
    for (const Word& word : spec_.key) {
      if (table.find(word.text) == nullptr) need_column(word);
      table.primary_key.push_back(table.find(word.text)->name);
    }
    mark_key_not_null();
    if (!spec_.key.empty())
      check_key(connection_, spec_, fmt::format("temp.{}", content_table), table.primary_key,
                spec_.key.front().at);
    if (counts.empty()) return;
    const Row row =
        connection_.query(fmt::format("select {} from temp.{}", join(counts, ", "), content_table))
            .rows()
            .at(0);
    for (std::size_t i = 0; i < content_.unknown.size(); ++i) {
      content_.unknown[i].null = static_cast<std::uint64_t>(row[2 * i].as_integer());
      content_.unknown[i].not_found = static_cast<std::uint64_t>(row[2 * i + 1].as_integer());
    }
  }

 private:
  // Text against number would be compared by casting every text: one odd value would sink the build, or match
  // by accident.
  void need_comparable(const TableDefinition& dimension, const std::string& natural, const Word& word) const {
    const std::string &there = dimension.find(natural)->type, &here = staged_.find(word.text)->type;
    if (there == here || (there != "VARCHAR" && here != "VARCHAR")) return;
    fail("transform.wrong_key",
         fmt::format("`{}` is {} but {} of warehouse.{} is {}", word.text, here, natural, dimension.name,
                     there),
         fmt::format("cast it in the SELECT: {}::{}", word.text, there), word.at);
  }
};

}  // namespace

std::unique_ptr<ContentMaker> fact_maker(Connection& connection, const ModelSpec& spec) {
  return std::make_unique<FactMaker>(connection, spec);
}

}  // namespace eddy::transform
