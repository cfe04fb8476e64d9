#include "connectors/declarative/row_answers.h"

#include <algorithm>
#include <unordered_map>

#include "connectors/declarative/outcome.h"
#include "core/text.h"

namespace eddy::connectors {

using nlohmann::json;

// Finds the rows an item speaks of.
class RowAnswers::Matcher {
 public:
  Matcher(const MatchSpec& spec, std::span<const RenderedRow> rows, const Lookup& lookup, const KeyMark& mark)
      : spec_(spec), rows_(rows), pointer_(render_pointer(spec.pointer, lookup)), mark_(mark) {
    if (spec.by != MatchSpec::By::echo) return;
    for (const auto& [name, pointer] : spec.pointers) pointers_[name] = render_pointer(pointer, lookup);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (spec.row == MatchSpec::Row::trace)
        places_[rows[i].trace].push_back(i);
      else if (spec.row == MatchSpec::Row::id) {
        if (!rows[i].id.empty()) places_[rows[i].id].push_back(i);
      } else
        places_[mark_ ? rows[i].key_text : folded(rows[i].key_text)].push_back(i);
  }

  bool goes_by_place() const { return spec_.by == MatchSpec::By::position; }
  // The item says which row it is about, were it among ours.
  bool names_somebody(const json& item) const {
    if (spec_.by != MatchSpec::By::echo || !pointers_.empty()) return false;
    const json* value = at(item, pointer_);
    return value != nullptr && value->is_primitive() && !value->is_null();
  }

  // `item` is number `index` of `count`.
  std::vector<std::size_t> rows_of(const json& item, std::size_t index, std::size_t count) const {
    switch (spec_.by) {
      case MatchSpec::By::position:
        // Fewer or more items than rows: no position can be trusted.
        if (count == rows_.size()) return {index};
        return {};
      case MatchSpec::By::all: {
        std::vector<std::size_t> every(rows_.size());
        for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
        return every;
      }
      case MatchSpec::By::alone:
        if (rows_.size() == 1) return {0};
        return {};
      case MatchSpec::By::index:
        return row_at(at(item, pointer_));
      case MatchSpec::By::echo:
        return pointers_.empty() ? rows_echoed(at(item, pointer_)) : row_of_parts(item);
    }
    return {};
  }

 private:
  std::string folded(const std::string& text) const { return spec_.ignore_case ? lower(text) : text; }
  std::string marked(const std::string& text) const {
    return mark_ && spec_.row == MatchSpec::Row::key ? mark_(folded(text)) : folded(text);
  }

  std::vector<std::size_t> row_at(const json* value) const {
    if (value == nullptr || !value->is_number_unsigned()) return {};
    const auto place = value->get<std::size_t>();
    if (place >= rows_.size()) return {};
    return {place};
  }

  std::vector<std::size_t> rows_echoed(const json* value) const {
    if (value == nullptr || value->is_null() || value->is_object()) return {};
    std::vector<std::size_t> out;
    const json list = value->is_array() ? *value : json::array({*value});
    for (const json& echo : list) {
      if (!echo.is_primitive()) continue;
      // Two rows whose keys differ only in case cannot be told apart by an echo that ignores it.
      const auto found = places_.find(marked(plain_text(echo)));
      if (found != places_.end() && found->second.size() == 1) out.push_back(found->second.front());
    }
    return out;
  }

  // Each part of the key is echoed at a place of its own, perhaps in a list of one.
  std::vector<std::size_t> row_of_parts(const json& item) const {
    std::map<std::string, std::string> texts;
    for (const auto& [name, pointer] : pointers_) {
      const json* part = at(item, pointer);
      if (part != nullptr && part->is_array() && part->size() == 1) part = &part->front();
      if (part == nullptr || !part->is_primitive() || part->is_null()) return {};
      texts[name] = plain_text(*part);
    }
    const auto found = places_.find(marked(text_of_keys(texts)));
    if (found == places_.end() || found->second.size() != 1) return {};
    return found->second;
  }

  const MatchSpec& spec_;
  std::span<const RenderedRow> rows_;
  std::string pointer_;
  std::map<std::string, std::string> pointers_;  // by the fields of the key
  const KeyMark& mark_;
  std::unordered_map<std::string, std::vector<std::size_t>> places_;
};

namespace {

std::optional<Verdict> failed_row(const json& item, const RowsSpec& list, const ErrorSpec& errors) {
  auto codes = texts_at(&item, list.code);
  if (!list.code_ends_at.empty())
    for (std::string& code : codes) code = trim(code.substr(0, code.find(list.code_ends_at)));
  const auto messages = texts_at(&item, list.message);
  const std::string message = for_people(
      messages.empty() ? item.dump(-1, ' ', false, json::error_handler_t::replace) : messages.front());
  for (const std::string& code : codes) {
    const auto rule = errors.codes.find(code);
    if (rule == errors.codes.end()) continue;
    switch (rule->second.error_class) {
      case ErrorClass::done:
        return Verdict::applied();
      case ErrorClass::row:
      case ErrorClass::config:
        return Verdict::rejected(for_people(code), message);
      // The rest of the batch has been processed, so nothing may be thrown; the next request will meet the
      // cause itself.
      default:
        return Verdict::retry(for_people(code), message);
    }
  }
  // Neither a success nor a reason: an item that says nothing refuses nothing.
  if (codes.empty() && !list.refused) return std::nullopt;
  return Verdict::rejected(codes.empty() ? "refused" : for_people(codes.front()), message);
}

std::optional<Verdict> verdict_of(const json& item, const RowsSpec& list, const ErrorSpec& errors,
                                  int status) {
  if (list.not_processed)
    return Verdict::retry("not_processed", "the service took the row and did not process it");
  if (list.refused || !list.applied_when.holds(status, &item)) return failed_row(item, list, errors);
  const json* id = list.id.empty() ? nullptr : at(item, list.id);
  const bool known = id != nullptr && id->is_primitive();
  return Verdict::applied(known ? for_people(plain_text(*id)) : std::string(),
                          list.tells_created && list.created_when.holds(status, &item));
}

// True when the counts are there and make up exactly so many rows.
bool counts_agree(const Reply& reply, const std::vector<std::string>& pointers, std::size_t rows) {
  std::size_t sum = 0;
  for (const std::string& pointer : pointers) {
    const json* count = reply.json ? at(*reply.json, pointer) : nullptr;
    // No service is sent more rows than that; beyond it the sum could overflow.
    if (count == nullptr || !count->is_number_unsigned() || count->get<std::uint64_t>() > 1'000'000'000)
      return false;
    sum += count->get<std::size_t>();
  }
  return sum == rows;
}

}  // namespace

RowAnswers::RowAnswers(const ErrorSpec& errors, std::span<const RenderedRow> rows, Lookup lookup,
                       Verdict unknown, KeyMark mark)
    : errors_(errors),
      rows_(rows),
      lookup_(std::move(lookup)),
      unknown_(std::move(unknown)),
      mark_(std::move(mark)),
      found_(rows.size()),
      contradicted_(rows.size()) {}

RowAnswers::~RowAnswers() = default;

void RowAnswers::open(const RowsSpec& list) {
  list_ = &list;
  matchers_.clear();
  for (const MatchSpec& match : list.match) matchers_.emplace_back(match, rows_, lookup_, mark_);
}

void RowAnswers::item(const json& item, std::size_t index, std::size_t count, int status) {
  bool names_somebody = false;
  for (const Matcher& matcher : matchers_) {
    // What is about somebody else is not about the row at its place.
    if (matcher.goes_by_place() && names_somebody) continue;
    const auto places = matcher.rows_of(item, index, count);
    names_somebody = names_somebody || matcher.names_somebody(item);
    if (places.empty()) continue;
    Verdict verdict = verdict_of(item, *list_, errors_, status).value_or(unknown_);
    if (mark_ && matcher.goes_by_place()) {
      by_place_.emplace_back(places.front(), std::move(verdict));
      return;
    }
    for (const std::size_t row : places) {
      if (found_[row] && found_[row]->outcome != verdict.outcome) contradicted_[row] = true;
      if (!found_[row]) found_[row] = verdict;
    }
    return;
  }
  if (list_->refused || list_->not_processed || !list_->applied_when.holds(status, &item)) unnamed_ = true;
}

std::optional<std::size_t> RowAnswers::refused() const {
  std::size_t out = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (contradicted_[i]) return std::nullopt;
    out += found_[i] && found_[i]->outcome != Outcome::applied;
  }
  return out;
}

void RowAnswers::read(const Reply& reply, const RowsSpec& list) {
  // A reply without a body (204) is an item of its own: predicates over the status can still read it.
  static const json nothing;
  const json& whole = reply.json ? *reply.json : nothing;
  const std::string pointer = render_pointer(list.items, lookup_);
  const json* items = at(whole, pointer);
  if (items == nullptr || (items->is_null() && !pointer.empty())) return;
  const json wrapped = items->is_array() ? json() : json::array({*items});
  const json& sequence = items->is_array() ? *items : wrapped;
  open(list);
  for (std::size_t i = 0; i < sequence.size(); ++i) item(sequence[i], i, sequence.size(), reply.status);
}

// Nobody promises the order of a job's results. So nothing is taken from their places unless it would be the
// same in any order, and the records' ids never are.
void RowAnswers::take_places() {
  const auto agrees = [&](const auto& one) {
    return !found_[one.first] && one.second.outcome == by_place_.front().second.outcome;
  };
  if (!std::all_of(by_place_.begin(), by_place_.end(), agrees)) return;
  for (auto& [row, verdict] : by_place_) {
    verdict.destination_id.clear();
    found_[row] = std::move(verdict);
  }
  by_place_.clear();
}

std::vector<Verdict> RowAnswers::verdicts(bool missing_row_applied) {
  take_places();
  std::vector<Verdict> out;
  out.reserve(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (found_[i] && !contradicted_[i])
      out.push_back(std::move(*found_[i]));
    else if (!found_[i] && missing_row_applied && !unnamed_)
      out.push_back(Verdict::applied());
    else
      out.push_back(unknown_);
  }
  return out;
}

std::vector<Verdict> read_rows(const Reply& reply, const OutcomeSpec& outcome, const ErrorSpec& errors,
                               std::span<const RenderedRow> rows, const Lookup& lookup,
                               const Verdict& unknown, bool* unnamed) {
  RowAnswers answers(errors, rows, lookup, unknown);
  for (const RowsSpec& list : outcome.rows) answers.read(reply, list);
  if (unnamed != nullptr) *unnamed = answers.unnamed();
  if (outcome.counted.empty()) return answers.verdicts(outcome.missing_row_applied);
  const auto refused = answers.refused();
  return answers.verdicts(refused && counts_agree(reply, outcome.counted, rows.size() - *refused));
}

}  // namespace eddy::connectors
