#include "sync/unread.h"

#include <fmt/format.h>

#include "core/text.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

std::uint64_t find_unread(engine::Connection& c, const Unread& unread, const std::string& rows,
                          std::size_t keys) {
  if (unread.texts.empty() && !unread.all) return 0;
  c.execute("create or replace temp table eddy_unread(text varchar)");
  auto texts = c.appender("temp", "main", "eddy_unread");
  for (const std::string& text : unread.texts) {
    texts.append_text(text);
    texts.end_row();
  }
  texts.close();
  std::vector<std::string> named;
  for (std::size_t i = 1; i <= keys; ++i)
    named.push_back(fmt::format("contains(u.text, lower(c.k{}::varchar))", i));
  const std::string kept =
      unread.all ? "true"
                 : fmt::format("exists (select 1 from eddy_unread u where {})", join(named, " and "));
  c.execute(fmt::format("create or replace temp table eddy_kept as select {} from {} c where op = 2 and {}",
                        numbered("c.k", keys), rows, kept));
  return static_cast<std::uint64_t>(c.query("select count(*) from eddy_kept").scalar().as_integer());
}

}  // namespace eddy::sync
