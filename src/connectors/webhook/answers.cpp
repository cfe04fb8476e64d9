#include "connectors/webhook/answers.h"

#include <fmt/format.h>

#include <optional>
#include <unordered_map>

namespace eddy::connectors {

using nlohmann::json;

namespace {

std::string pointer(const config::Node& node) {
  std::string text = node.as_string("");
  try {
    static_cast<void>(json::json_pointer(text));
  } catch (const json::exception&) {
    node.fail("destination.options", fmt::format("`{}` is not a JSON pointer", text),
              "write it like /results/items");
  }
  return text;
}

std::vector<std::string> texts(const config::Node& node) {
  std::vector<std::string> out;
  for (const config::Node& item : node.items()) out.push_back(item.text());
  return out;
}

bool has(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::optional<std::string> text_at(const json& item, const std::string& where) {
  const json* value = where.empty() ? nullptr : at(item, where);
  if (value == nullptr || value->is_null() || !value->is_primitive()) return std::nullopt;
  return plain_text(*value);
}

// nullopt: the item says nothing.
std::optional<Verdict> verdict_of(const json& item, const AnswersSpec& spec) {
  const auto status = text_at(item, spec.status);
  if (!status) return std::nullopt;
  const bool created = has(spec.created, *status);
  if (created || has(spec.applied, *status))
    return Verdict::applied(for_people(text_at(item, spec.id).value_or("")), created);
  const std::string code = for_people(text_at(item, spec.code).value_or(*status));
  const std::string message = for_people(
      text_at(item, spec.message).value_or(item.dump(-1, ' ', false, json::error_handler_t::replace)));
  return has(spec.retry, *status) ? Verdict::retry(code, message) : Verdict::rejected(code, message);
}

// The row that an item echoes; nullopt when none or more than one could be meant.
class Echoes {
 public:
  explicit Echoes(std::span<const MessageRow> rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      add(rows[i].id, i);
      if (!rows[i].key_text.empty()) add(rows[i].key_text, i);
    }
  }
  std::optional<std::size_t> row_of(const std::string& text) const {
    const auto found = rows_.find(text);
    return found == rows_.end() ? std::nullopt : found->second;
  }

 private:
  void add(const std::string& text, std::size_t row) {
    const auto [place, fresh] = rows_.emplace(text, row);
    if (!fresh && place->second != row) place->second = std::nullopt;
  }
  std::unordered_map<std::string, std::optional<std::size_t>> rows_;
};

}  // namespace

config::Shape AnswersSpec::shape() {
  using config::field;
  using config::Shape;
  return Shape::object(
      {field("rows", Shape::string(),
             "pointer to the list of answers in the reply (default: the whole reply)"),
       config::required("status", Shape::string(), "pointer, within one answer, to what became of the row"),
       config::required("applied", Shape::list(Shape::string()), "statuses that mean: done"),
       field("created", Shape::list(Shape::string()), "statuses that mean: done, and a record was made"),
       field("retry", Shape::list(Shape::string()), "statuses that mean: not now; all others are rejections"),
       field("code", Shape::string(), "pointer to the code of a refusal (default: the status)"),
       field("message", Shape::string(), "pointer to the reason of a refusal (default: the whole answer)"),
       field("id", Shape::string(), "pointer to the receiver's own id of the record"),
       field("echo", Shape::string(),
             "pointer to where the answer repeats the row's `id` or its key; without it answers count by "
             "position")});
}

AnswersSpec AnswersSpec::parse(const config::Node& node) {
  return {pointer(node["rows"]),    pointer(node["status"]), texts(node["applied"]),
          texts(node["created"]),   texts(node["retry"]),    pointer(node["code"]),
          pointer(node["message"]), pointer(node["id"]),     pointer(node["echo"])};
}

std::vector<Verdict> read_answers(const Reply& reply, const AnswersSpec& spec,
                                  std::span<const MessageRow> rows) {
  const Verdict unknown =
      Verdict::in_doubt("no_answer_for_row", "the reply does not say what became of this row");
  std::vector<std::optional<Verdict>> found(rows.size());
  std::vector<bool> contradicted(rows.size());
  const json* list = reply.json ? at(*reply.json, spec.rows) : nullptr;
  if (list != nullptr && !list->is_null()) {
    const json wrapped = list->is_array() ? json() : json::array({*list});
    const json& items = list->is_array() ? *list : wrapped;
    const Echoes echoes(rows);
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::optional<std::size_t> row;
      if (!spec.echo.empty()) {
        if (const auto echo = text_at(items[i], spec.echo)) row = echoes.row_of(*echo);
      } else if (items.size() == rows.size()) {
        row = i;
      }
      if (!row) continue;
      const Verdict verdict = verdict_of(items[i], spec).value_or(unknown);
      if (found[*row] && found[*row]->outcome != verdict.outcome) contradicted[*row] = true;
      if (!found[*row]) found[*row] = verdict;
    }
  }
  std::vector<Verdict> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.push_back(found[i] && !contradicted[i] ? *found[i] : unknown);
  return out;
}

}  // namespace eddy::connectors
