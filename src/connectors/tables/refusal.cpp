#include "connectors/tables/refusal.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/tables/verdicts.h"

namespace eddy::connectors {

sync::Answer answer_to(const Refusal& refusal, std::vector<Verdict> verdicts, const std::string& table) {
  sync::Answer answer;
  switch (refusal.blame) {
    case Blame::nobody_knows:  // sync repeats what may be repeated, and remembers the doubt
      settle(verdicts, Verdict::in_doubt("commit_in_doubt", refusal.message));
      break;
    case Blame::moment:
      settle(verdicts, Verdict::retry(refusal.code, refusal.message));
      break;
    case Blame::values:
      answer.refused_whole = std::count_if(verdicts.begin(), verdicts.end(), is_open) > 1;
      settle(verdicts, Verdict::rejected(refusal.code, refusal.message));
      break;
    case Blame::setting:
      throw Error("destination.refused", fmt::format("{} cannot be written: {}", table, refusal.message),
                  refusal.hint);
  }
  answer.verdicts = std::move(verdicts);
  return answer;
}

Error cannot_be_read(const std::string& table, bool may_pass, const std::string& message,
                     const std::string& hint) {
  return Error(may_pass ? "destination.unavailable" : "destination.refused",
               fmt::format("{} cannot be read: {}", table, message), hint);
}

}  // namespace eddy::connectors
