// What replies and result files say about the rows that were sent: items matched to rows, one verdict per
// row.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/cells.h"
#include "connectors/declarative/reply.h"
#include "connectors/declarative/spec.h"

namespace eddy::connectors {

// Gathers verdicts from one or more lists. A row that no item names, that two items contradict each other
// about, or whose item cannot be read gets `unknown`; never applied. Items of a job that only their place
// connects to a row count only when all of them say the same. One thread; keeps references to
// `errors`, `rows` and the specs of lists.
class RowAnswers {
 public:
  // Where keys are known only by a mark of theirs (job_record.h): the mark of a key that is echoed. Rows then
  // have it as their key_text.
  using KeyMark = std::function<std::string(const std::string& key)>;

  RowAnswers(const ErrorSpec& errors, std::span<const RenderedRow> rows, Lookup lookup, Verdict unknown,
             KeyMark mark = {});
  ~RowAnswers();

  // The list of a reply in JSON.
  void read(const Reply& reply, const RowsSpec& list);
  // A list that comes item by item: number `index` of `count`; 0: nobody knows how many there are.
  void open(const RowsSpec& list);
  void item(const nlohmann::json& item, std::size_t index, std::size_t count, int status);

  // A failure was told that names no row.
  bool unnamed() const { return unnamed_; }
  // Rows that items have named as refused; nullopt: items contradict each other.
  std::optional<std::size_t> refused() const;

  // In the order of the rows; ends the gathering. A row that is not mentioned is unknown even where the
  // service mentions only failures, when one of them names nobody.
  std::vector<Verdict> verdicts(bool missing_row_applied);

 private:
  class Matcher;
  void take_places();
  const ErrorSpec& errors_;
  std::span<const RenderedRow> rows_;
  Lookup lookup_;
  Verdict unknown_;
  KeyMark mark_;
  const RowsSpec* list_ = nullptr;
  std::vector<Matcher> matchers_;
  std::vector<std::optional<Verdict>> found_;
  std::vector<bool> contradicted_;
  std::vector<std::pair<std::size_t, Verdict>> by_place_;  // of a job: rows of which only the place is known
  bool unnamed_ = false;
};

// All lists of one reply, and what it counts. `unnamed` becomes true when a failure names no row.
std::vector<Verdict> read_rows(const Reply& reply, const OutcomeSpec& outcome, const ErrorSpec& errors,
                               std::span<const RenderedRow> rows, const Lookup& lookup,
                               const Verdict& unknown, bool* unnamed = nullptr);

}  // namespace eddy::connectors
