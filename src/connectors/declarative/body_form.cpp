#include "connectors/declarative/body_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "connectors/declarative/cell_text.h"

namespace eddy::connectors {

using nlohmann::json;

namespace {

bool about_a_row(const std::string& name) { return name.starts_with("row.") || name.starts_with("rows."); }

bool any_about_a_row(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), about_a_row);
}

}  // namespace

void BodyForm::leave(Blank blank) {
  here().back().blank = blank;
  here().emplace_back();
}

std::optional<BodyForm> BodyForm::compile(const Tree& tree, const Lookup& lookup, bool single,
                                          const Schema& key, const Schema& fields) {
  if (tree.empty() || tree.kind_ == Tree::Kind::constant || key.size() != 1) return std::nullopt;
  BodyForm form;
  form.single_ = single;
  if (!form.plan_members(key, fields) || !form.add(tree, lookup)) return std::nullopt;
  return form;
}

bool BodyForm::plan_members(const Schema& key, const Schema& fields) {
  std::map<std::string, std::size_t> by_name;  // sorted, as the members of a document are
  by_name[key.front().name] = fields.size();
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (!by_name.emplace(fields[i].name, i).second) return false;
  for (const auto& [name, field] : by_name) {
    if (name.find('.') != std::string::npos) return false;  // lies in an object of its own
    Member& member = members_.emplace_back();
    member.field = field;
    if (!append_json_string(member.name, name)) return false;
    member.name += ':';
  }
  key_name_ = key.front().name;
  for (const Column& field : fields) field_names_.push_back(field.name);
  return true;
}

bool BodyForm::add_leaf(const Template& leaf, const Lookup& lookup) {
  if (!any_about_a_row(leaf.names())) {
    const auto value = leaf.value(lookup);
    if (value) say(value->dump());
    return value.has_value();
  }
  if (!in_each_ && !single_) return false;
  static const std::map<std::string, Blank, std::less<>> blanks = {{"{row.key}", Blank::key},
                                                                   {"{row.fields}", Blank::fields},
                                                                   {"{row.all}", Blank::all},
                                                                   {"{row.trace}", Blank::trace},
                                                                   {"{row.index}", Blank::index}};
  const auto blank = blanks.find(leaf.source());
  if (blank == blanks.end()) return false;
  leave(blank->second);
  return true;
}

// Fields spread among other members of a map, which are sorted as in a document.
bool BodyForm::add_spread(const Tree& tree, const Lookup& lookup) {
  if (!spread_.empty() || (!in_each_ && !single_)) return false;
  std::optional<Blank> blank;
  std::map<std::string, Member> by_name;
  const auto quoted = [](const std::string& name) {
    std::string out;
    return append_json_string(out, name) ? out + ":" : std::string();
  };
  for (const auto& [name, value] : tree.members_) {
    if (value.kind_ != Tree::Kind::leaf && any_about_a_row(value.names())) return false;
    if (name.source() == "*") {
      const std::string& source = value.leaf_.source();
      if (blank || (source != "{row.all}" && source != "{row.fields}")) return false;
      blank = source == "{row.all}" ? Blank::spread_all : Blank::spread_fields;
      continue;
    }
    if (any_about_a_row(name.names())) return false;
    const auto key = name.text(lookup);
    if (!key) continue;
    Member member{quoted(*key), no_field, {}};
    if (value.kind_ == Tree::Kind::leaf && value.leaf_.source() == "{row.key}") {
      member.field = field_names_.size();
    } else {
      if (any_about_a_row(value.names())) return false;
      const auto fixed = value.render_value(lookup, 0, {});
      if (!fixed) continue;
      member.fixed = fixed->dump();
    }
    if (member.name.empty() || !by_name.emplace(*key, std::move(member)).second) return false;
  }
  if (!blank) return false;
  for (const Member& member : members_) {
    const bool is_key = member.field == field_names_.size();
    if (is_key && *blank == Blank::spread_fields) continue;
    // Which of two members of one name stays depends on their order: a document's affair.
    if (!by_name.emplace(is_key ? key_name_ : field_names_[member.field], member).second) return false;
  }
  for (auto& [name, member] : by_name) spread_.push_back(std::move(member));
  leave(*blank);
  return true;
}

bool BodyForm::add_map(const Tree& tree, const Lookup& lookup) {
  if (std::any_of(tree.members_.begin(), tree.members_.end(),
                  [](const auto& member) { return member.first.source() == "*"; }))
    return add_spread(tree, lookup);
  std::map<std::string, const Tree*> members;
  for (const auto& [name, value] : tree.members_) {
    if (name.source() == "*" || any_about_a_row(name.names())) return false;
    // A leaf without a value leaves its member out.
    if (value.kind_ == Tree::Kind::leaf && !any_about_a_row(value.leaf_.names()) &&
        !value.leaf_.value(lookup))
      continue;
    const auto key = name.text(lookup);
    if (key && !members.emplace(*key, &value).second) return false;
  }
  say("{");
  bool first = true;
  for (const auto& [name, value] : members) {
    if (!std::exchange(first, false)) say(",");
    std::string quoted;
    if (!append_json_string(quoted, name)) return false;
    say(quoted + ":");
    if (!add(*value, lookup)) return false;
  }
  say("}");
  return true;
}

bool BodyForm::add_each(const Tree& tree, const Lookup& lookup) {
  if (in_each_ || has_each_) return false;
  say("[");
  in_each_ = true;
  if (!add(tree.members_.front().second, lookup)) return false;
  in_each_ = false;
  has_each_ = true;
  say("]");
  return true;
}

bool BodyForm::add(const Tree& tree, const Lookup& lookup) {
  switch (tree.kind_) {
    case Tree::Kind::none:
      return false;
    case Tree::Kind::constant:
      say(tree.constant_.dump());
      return true;
    case Tree::Kind::leaf:
      return add_leaf(tree.leaf_, lookup);
    case Tree::Kind::map:
      return add_map(tree, lookup);
    case Tree::Kind::list:
      say("[");
      for (std::size_t i = 0; i < tree.members_.size(); ++i) {
        if (i > 0) say(",");
        if (!add(tree.members_[i].second, lookup)) return false;
      }
      say("]");
      return true;
    case Tree::Kind::each:
      return add_each(tree, lookup);
  }
  return false;
}

Verdict BodyForm::null_key() const {
  return Verdict::rejected("null_key", fmt::format("{} is empty, so no record can be matched", key_name_));
}

Verdict BodyForm::unsendable(const std::string& field, const std::string& why) const {
  return Verdict::rejected("unsendable_value", fmt::format("{}: {}", field, why));
}

std::optional<Verdict> BodyForm::write_key(std::string& out, const Change& change,
                                           const TransformSpec& transforms) const {
  if (change.key.empty() || change.key.front().is_null()) return null_key();
  const std::size_t before = out.size();
  const auto cell = append_cell(out, change.key.front(), transforms);
  if (!cell) return unsendable(key_name_, cell.error());
  if (std::string_view(out).substr(before) == "\"\"") return null_key();
  return std::nullopt;
}

std::string BodyForm::text_of_key(const Change& change, const TransformSpec& transforms) const {
  const Value& key = change.key.front();
  if (key.type() == Type::text) return key.as_string();
  std::string cell;
  append_cell(cell, key, transforms);
  return plain_text(json::parse(cell));
}

std::optional<Verdict> BodyForm::write_members(std::string& out, const Change& change, bool with_key,
                                               const TransformSpec& transforms,
                                               const std::vector<Member>& members) const {
  out += '{';
  const std::size_t start = out.size();
  for (const Member& member : members) {
    const std::size_t i = member.field;
    if (i == no_field) {
      if (out.size() > start) out += ',';
      out += member.name;
      out += member.fixed;
      continue;
    }
    const bool is_key = i == field_names_.size();
    const bool wanted =
        is_key ? with_key : i < change.fields.size() && (i >= change.changed.size() || change.changed[i]);
    if (!wanted) continue;
    const std::size_t before = out.size();
    if (before > start) out += ',';
    out += member.name;
    if (is_key) {
      if (auto refused = write_key(out, change, transforms)) return refused;
      continue;
    }
    const auto cell = append_cell(out, change.fields[i], transforms);
    if (!cell) return unsendable(field_names_[i], cell.error());
    if (*cell == CellText::left_out) out.resize(before);
  }
  out += '}';
  return std::nullopt;
}

std::optional<Verdict> BodyForm::fill(std::string& out, const Pieces& pieces, const Change* change,
                                      std::size_t index, const TransformSpec& transforms) const {
  std::optional<Verdict> refused;
  for (const Piece& piece : pieces) {
    out += piece.text;
    switch (piece.blank) {
      case Blank::none:
        break;
      case Blank::key:
        refused = write_key(out, *change, transforms);
        break;
      case Blank::fields:
        refused = write_members(out, *change, false, transforms, members_);
        break;
      case Blank::all:
        refused = write_members(out, *change, true, transforms, members_);
        break;
      case Blank::spread_fields:
      case Blank::spread_all:
        refused = write_members(out, *change, true, transforms, spread_);
        break;
      case Blank::trace:
        out += '"';
        out += std::to_string(change->number);
        out += '"';
        break;
      case Blank::index:
        out += std::to_string(index);
        break;
    }
    if (refused) break;
  }
  return refused;
}

std::string BodyForm::write(std::span<const Change> changes, const TransformSpec& transforms, bool named,
                            RenderedBatch& batch) const {
  std::string out;
  out.reserve(256 + changes.size() * (each_.size() * 24 + members_.size() * 32));
  batch.verdicts.resize(changes.size());
  batch.rows.reserve(changes.size());
  batch.place.reserve(changes.size());
  const Change* only = changes.empty() ? nullptr : &changes.front();
  std::string key;
  if (has_each_) fill(out, before_, only, 0, transforms);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::size_t before = out.size();
    key.clear();
    auto refused =
        write_key(key, changes[i], transforms);  // checked whether the form has a blank for it or not
    if (!refused && !batch.rows.empty() && has_each_) out += ',';
    if (!refused)
      refused = fill(out, has_each_ ? each_ : before_, &changes[i], batch.rows.size(), transforms);
    if (refused) {
      out.resize(before);
      batch.verdicts[i] = std::move(*refused);
      continue;
    }
    RenderedRow& row = batch.rows.emplace_back();
    batch.place.push_back(i);
    if (!named) continue;
    row.trace = std::to_string(changes[i].number);
    row.key_text = text_of_key(changes[i], transforms);
  }
  if (has_each_) fill(out, after_, only, 0, transforms);
  return out;
}

}  // namespace eddy::connectors
