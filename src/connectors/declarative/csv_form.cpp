#include "connectors/declarative/csv_form.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "connectors/declarative/cells.h"
#include "core/text.h"

namespace eddy::connectors {

namespace {

constexpr unsigned char quoted = 1, beyond_ascii = 2;

constexpr auto classes = [] {
  std::array<unsigned char, 256> out{};
  for (const char c : {'"', ',', '\n', '\r'}) out[static_cast<unsigned char>(c)] = quoted;
  for (std::size_t c = 0x80; c < 0x100; ++c) out[c] = beyond_ascii;
  return out;
}();

unsigned char class_of(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= classes[static_cast<unsigned char>(c)];
  return all;
}

void append_classed(std::string& out, std::string_view text, unsigned char all) {
  // White space around a bare cell may be taken for layout.
  const bool spaced = !text.empty() && (text.front() == ' ' || text.back() == ' ' || text.front() == '\t' ||
                                        text.back() == '\t');
  if ((all & quoted) == 0 && !spaced) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

Verdict unsendable(const std::string& field, std::string_view why) {
  return Verdict::rejected("unsendable_value", fmt::format("{}: {}", field, why));
}

}  // namespace

void append_csv_text(std::string& out, std::string_view text) { append_classed(out, text, class_of(text)); }

CsvForm::CsvForm(Schema key, Schema fields, CsvSpec csv, TransformSpec transforms)
    : key_(std::move(key)),
      fields_(std::move(fields)),
      csv_(std::move(csv)),
      transforms_(std::move(transforms)) {
  append_csv_text(null_, csv_.null_text);
  for (const Schema* columns : {&key_, &fields_})
    for (const Column& column : *columns) {
      if (!header_.empty()) header_ += ',';
      append_csv_text(header_, column.name);
    }
  header_ += '\n';
}

std::optional<Verdict> CsvForm::append_text(std::string& out, std::string_view text,
                                            const std::string& field) const {
  if (text.empty()) {
    out += null_;
    return std::nullopt;
  }
  const unsigned char all = class_of(text);
  if ((all & beyond_ascii) != 0 && !is_utf8(text)) return unsendable(field, "the text is not valid UTF-8");
  if (!csv_.null_text.empty() && text == csv_.null_text)
    return unsendable(field, fmt::format("the text {} means null in this service's files", text));
  append_classed(out, text, all);
  return std::nullopt;
}

std::optional<Verdict> CsvForm::append_cell(std::string& out, const Value& value,
                                            const std::string& field) const {
  switch (value.type()) {
    case Type::null:
      out += null_;
      return std::nullopt;
    case Type::text:
      return append_text(out, value.as_string(), field);
    case Type::boolean:
      out += value.as_boolean() ? "true" : "false";
      return std::nullopt;
    case Type::integer: {
      std::array<char, 24> digits;
      const auto [end, error] =
          std::to_chars(digits.data(), digits.data() + digits.size(), value.as_integer());
      out.append(digits.data(), end);
      return std::nullopt;
    }
    case Type::decimal:  // keeps the digits of the warehouse
      return append_text(out, value.as_string(), field);
    case Type::date:
      if (transforms_.date != TransformSpec::Time::iso) break;
      return append_text(out, value.as_string(), field);
    case Type::timestamp:
      if (transforms_.timestamp != TransformSpec::Time::iso) break;
      return append_text(out, value.as_string(), field);
    default:
      break;
  }
  const auto cell = render_cell(value, transforms_);
  if (!cell) return unsendable(field, cell.error());
  return append_text(out, value.type() == Type::real ? value.to_text() : plain_text(cell->value()), field);
}

std::optional<Verdict> CsvForm::append_line(std::string& out, const Change& change) const {
  for (std::size_t i = 0; i < key_.size(); ++i) {
    if (i > 0) out += ',';
    const std::size_t before = out.size();
    const Value& key = change.key.at(i);
    // As it will be looked for in the result file: see key_text().
    if (auto refused =
            key.type() == Type::text || key.is_null()
                ? append_cell(out, key, key_[i].name)
                : append_text(out, plain_text(render_cell(key, transforms_).value_or("").value_or("")),
                              key_[i].name))
      return refused;
    if (key.is_null() || out.size() == before || std::string_view(out).substr(before) == null_)
      return Verdict::rejected("null_key",
                               fmt::format("{} is empty, so no record can be matched", key_[i].name));
  }
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    out += ',';
    if (i >= change.fields.size()) continue;
    const bool wanted = i >= change.changed.size() || change.changed[i];
    if (!wanted && !csv_.whole_rows) continue;
    if (!wanted && change.keeps(i))
      return Verdict::rejected(
          "kept_field",
          fmt::format("{} must not be written, and in this service's files every field is", fields_[i].name));
    if (auto refused = append_cell(out, change.fields[i], fields_[i].name)) return refused;
  }
  out += '\n';
  return std::nullopt;
}

CsvBatch CsvForm::write(std::span<const Change> changes) const {
  CsvBatch out;
  out.text.reserve(header_.size() + changes.size() * (16 + 16 * fields_.size()));
  out.place.reserve(changes.size());
  out.text = header_;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::size_t before = out.text.size();
    if (auto refused = append_line(out.text, changes[i])) {
      out.text.resize(before);
      out.refused.emplace_back(i, std::move(*refused));
    } else {
      out.place.push_back(i);
    }
  }
  return out;
}

}  // namespace eddy::connectors
