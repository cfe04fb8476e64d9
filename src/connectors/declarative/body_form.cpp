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
  needs_fields_ = needs_fields_ || blank == Blank::fields;
  needs_all_ = needs_all_ || blank == Blank::all;
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

bool BodyForm::add_map(const Tree& tree, const Lookup& lookup) {
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

std::expected<void, Verdict> BodyForm::write_members(std::string& out, const Change& change, bool with_key,
                                                     const std::string& key, const TransformSpec& transforms,
                                                     bool clear) const {
  const Value null;
  out.reserve(members_.size() * 32);
  out += '{';
  for (const Member& member : members_) {
    const std::size_t i = member.field;
    const bool is_key = i == field_names_.size();
    const bool wanted =
        is_key ? with_key
               : clear || (i < change.fields.size() && (i >= change.changed.size() || change.changed[i]));
    if (!wanted) continue;
    const std::size_t before = out.size();
    if (before > 1) out += ',';
    out += member.name;
    if (is_key) {
      out += key;
      continue;
    }
    const auto cell = append_cell(out, clear ? null : change.fields[i], transforms);
    if (!cell)
      return std::unexpected(
          Verdict::rejected("unsendable_value", fmt::format("{}: {}", field_names_[i], cell.error())));
    if (*cell == CellText::left_out) out.resize(before);
  }
  out += '}';
  return {};
}

RenderedRow BodyForm::row(const Change& change, const TransformSpec& transforms, bool clear) const {
  RenderedRow out;
  out.trace = std::to_string(change.number);
  const Value null;
  const Value& key = change.key.empty() ? null : change.key.front();
  const auto keyed = append_cell(out.key_json, key, transforms);
  if (!keyed) {
    out.unusable = Verdict::rejected("unsendable_value", fmt::format("{}: {}", key_name_, keyed.error()));
    return out;
  }
  if (key.type() == Type::text)
    out.key_text = key.as_string();
  else if (!key.is_null())
    out.key_text = plain_text(json::parse(out.key_json));
  if (out.key_text.empty()) {
    out.unusable =
        Verdict::rejected("null_key", fmt::format("{} is empty, so no record can be matched", key_name_));
    return out;
  }
  std::expected<void, Verdict> written;
  if (needs_fields_) written = write_members(out.fields_json, change, false, out.key_json, transforms, clear);
  if (written && needs_all_)
    written = write_members(out.all_json, change, true, out.key_json, transforms, clear);
  if (!written) out.unusable = written.error();
  return out;
}

void BodyForm::fill(std::string& out, const Pieces& pieces, const RenderedRow* row, std::size_t index) const {
  for (const Piece& piece : pieces) {
    out += piece.text;
    switch (piece.blank) {
      case Blank::none:
        break;
      case Blank::key:
        out += row->key_json;
        break;
      case Blank::fields:
        out += row->fields_json;
        break;
      case Blank::all:
        out += row->all_json;
        break;
      case Blank::trace:
        out += '"';
        out += row->trace;
        out += '"';
        break;
      case Blank::index:
        out += std::to_string(index);
        break;
    }
  }
}

std::string BodyForm::body(std::span<const RenderedRow> rows) const {
  std::size_t size = 256;
  for (const RenderedRow& row : rows)
    size += 2 * row.key_json.size() + row.fields_json.size() + row.all_json.size() + row.trace.size() + 160;
  std::string out;
  out.reserve(size);
  const RenderedRow* only = rows.empty() ? nullptr : &rows.front();
  fill(out, before_, only, 0);
  if (!has_each_) return out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) out += ',';
    fill(out, each_, &rows[i], i);
  }
  fill(out, after_, only, 0);
  return out;
}

}  // namespace eddy::connectors
