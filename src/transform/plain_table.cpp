#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "transform/content_maker.h"

namespace eddy::transform {

using engine::Connection;
using engine::quote_identifier;

namespace {

class TableMaker final : public ContentMaker {
 public:
  using ContentMaker::ContentMaker;

 protected:
  void make_rows() override {
    content_.table.columns = staged_.columns;
    for (const Word& word : spec_.key) content_.table.primary_key.push_back(need_column(word));
    mark_key_not_null();
    if (!spec_.key.empty())
      check_key(connection_, spec_, fmt::format("temp.{}", staged_table), content_.table.primary_key,
                spec_.key.front().at);
    // A view, not a copy: what the model gave is what the table shall hold.
    connection_.execute(
        fmt::format("create or replace temp view {} as from temp.{}", content_table, staged_table));
    keep_referred_rows();
  }

 private:
  void keep_referred_rows() {
    const std::vector<std::string> key = content_.table.primary_key;
    if (key.empty() || !old_has(key)) return;
    std::vector<std::string> referred;
    for (const std::string& child : tables_referring_to(connection_, spec_.name)) {
      const auto definition = read_table(connection_, child);
      for (const auto& foreign : definition->foreign_keys) {
        if (lower(foreign.table) != lower(spec_.name)) continue;
        std::vector<std::string> equal;
        for (std::size_t i = 0; i < foreign.columns.size(); ++i)
          equal.push_back(fmt::format("c.{} = o.{}", quote_identifier(foreign.columns[i]),
                                      quote_identifier(foreign.target[i])));
        referred.push_back(fmt::format("exists (select 1 from {} as c where {})", warehouse_name(child),
                                       join(equal, " and ")));
      }
    }
    if (referred.empty()) return;
    connection_.execute(
        fmt::format("create or replace temp table eddy_kept as select {} from {} as o where not exists "
                    "(select 1 from temp.{} as s where {}) and ({})",
                    from_old("o"), warehouse_name(old_->name), staged_table, matches(key, "o", "s"),
                    join(referred, " or ")));
    content_.kept = count_of(connection_, "select count(*) from temp.eddy_kept");
    if (content_.kept > 0)
      connection_.execute(fmt::format("insert into temp.{} from temp.eddy_kept", staged_table));
  }
};

}  // namespace

std::unique_ptr<ContentMaker> table_maker(Connection& connection, const ModelSpec& spec) {
  return std::make_unique<TableMaker>(connection, spec);
}

}  // namespace eddy::transform
