#include "sync/judgement.h"

#include <fmt/format.h>

#include "core/text.h"
#include "sync/plan_sql.h"

namespace eddy::sync {

namespace {

// '1', '0' or 'k' for the field at `place`, counted from 1.
std::string flag_sql(const Judgement& j, std::size_t place) {
  const BoundColumn& field = j.definition.fields[place - 1];
  const bool keep = field.when_null == WhenNull::keep;
  if (j.first_run && !keep) return "'1'";
  const std::string drifted = fmt::format("drifted[{}] = '1'", place);
  const bool theirs = j.drifts && field.drift == OnDrift::theirs;
  std::string flag = "case when op = 2 then ''";
  if (keep) flag += fmt::format(" when v{} is null then 'k'", place);
  if (field.write == Write::on_create)
    flag += fmt::format(" when {} then 'k'", j.drifts ? "op = 1 and not missing" : "op = 1");
  // The acknowledged value stays with the row, so that theirs is seen to differ again next time.
  if (theirs) flag += fmt::format(" when {} then 'k'", drifted);
  if (j.drifts && !theirs)
    flag += fmt::format(" when {0} and v{1} is not distinct from t{1} then '0'", drifted, place);
  const std::string differs = j.fresh[place - 1] || j.resend
                                  ? "true"
                                  : fmt::format("op = 0 or suspect or {} is distinct from {}",
                                                comparable(field, fmt::format("v{}", place)),
                                                comparable(field, fmt::format("o{}", place)));
  return flag + fmt::format(" when {}{} then '1' else '0' end", differs, j.drifts ? " or " + drifted : "");
}

// What is not written stays as it was acknowledged.
std::string value_sql(const Judgement& j, std::size_t place) {
  const BoundColumn& field = j.definition.fields[place - 1];
  std::string value = fmt::format("v{}", place);
  if (field.write == Write::on_create)
    value = fmt::format("case when {1} then o{0} else v{0} end", place,
                        j.drifts ? "op = 1 and not missing" : "op = 1");
  if (field.when_null == WhenNull::keep) value = fmt::format("coalesce({}, o{})", value, place);
  if (j.drifts && field.drift == OnDrift::theirs)
    value = fmt::format("case when drifted[{0}] = '1' then o{0} else {1} end", place, value);
  return fmt::format("{} as v{}", value, place);
}

std::string before_sql(const Judgement& j, std::size_t place) {
  if (j.first_run) return fmt::format("o{}", place);
  // What a person has changed is shown as it was found.
  if (j.drifts)
    return fmt::format(
        "case when missing then null when drifted[{0}] = '1' then {1}{0} else o{0} end as o{0}", place,
        j.definition.fields[place - 1].drift == OnDrift::theirs ? "o" : "t");
  return fmt::format("case when op = 2 or f{0} = '1' then o{0} end as o{0}", place);
}

std::string columns(const Judgement& j, const std::string& before) {
  const std::size_t fields = j.definition.fields.size();
  std::string out = "op, " + numbered("k", j.definition.key.size());
  if (fields > 0) out += ", " + numbered("v", fields) + ", " + before;
  return out + ", changed, suspect" + (j.hashed ? ", h" : "");
}

}  // namespace

std::string judged_sql(const Judgement& j, const std::string& differences) {
  const std::size_t fields = j.definition.fields.size();
  std::vector<std::string> flags, names, values, before;
  for (std::size_t i = 1; i <= fields; ++i) {
    flags.push_back(fmt::format("{} as f{}", flag_sql(j, i), i));
    names.push_back(fmt::format("f{}", i));
    values.push_back(value_sql(j, i));
    before.push_back(before_sql(j, i));
  }
  const std::string from =
      fields == 0 ? differences : fmt::format("(select *, {} from {})", join(flags, ", "), differences);
  return fmt::format("(select op, {}{}, {} as changed, suspect{}{} from {})",
                     numbered("k", j.definition.key.size()),
                     fields == 0 ? "" : ", " + join(values, ", ") + ", " + join(before, ", "),
                     fields == 0 ? "''" : join(names, " || "), j.hashed ? ", h" : "",
                     j.reason.empty() ? "" : ", " + j.reason + " as reason", from);
}

std::string stored_columns(const Judgement& j) {
  return columns(j, numbered("o", j.definition.fields.size()));
}

std::string read_columns(const Judgement& j) {
  if (j.drifts) return stored_columns(j);
  std::vector<std::string> before;
  for (std::size_t i = 1; i <= j.definition.fields.size(); ++i)
    before.push_back(
        fmt::format("case when op = 2 or substr(changed, {0}, 1) = '1' then o{0} else v{0} end as o{0}", i));
  return columns(j, join(before, ", "));
}

}  // namespace eddy::sync
