#include "app/table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.h"

namespace eddy::app {
namespace {

constexpr std::size_t cell_width_max = 60;

// Columns a UTF-8 text takes, near enough: code points, wide East Asian and emoji counted twice.
std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) width += byte >= 0xF0 || (byte >= 0xE3 && byte <= 0xED) ? 2 : 1;
  }
  return width;
}

std::string cell_text(const Value& value, bool cut_long) {
  std::string text = value.is_null()              ? ""
                     : value.type() == Type::blob ? "\\x" + hex(value.as_string())
                                                  : value.to_text();
  for (char& c : text)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  if (cut_long && text.size() > cell_width_max) {
    std::size_t cut = cell_width_max - 1;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    text = text.substr(0, cut) + "…";
  }
  return text;
}

bool is_number(Type type) { return type == Type::integer || type == Type::real || type == Type::decimal; }

}  // namespace

Table::Table(const std::vector<std::string>& text_columns) : cuts_cells_(false) {
  for (const std::string& name : text_columns) columns_.push_back({name, Type::text});
}

void Table::add(const std::vector<std::string>& cells) {
  Row row;
  for (const std::string& cell : cells) row.push_back(Value::text(cell));
  rows_.push_back(std::move(row));
}

std::string csv_line(const Row& row) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line += ',';
    if (row[i].is_null()) continue;
    const std::string text = row[i].to_text();
    // An empty text is quoted so that it can be told from null.
    if (text.empty() || text.find_first_of(",\"\r\n") != std::string::npos)
      line += '"' + replace_all(text, "\"", "\"\"") + '"';
    else
      line += text;
  }
  return line + "\n";
}

std::string json_line(const Schema& columns, const Row& row) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < row.size(); ++i) object[columns[i].name] = row[i].to_json();
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string Table::render(TableForm form) const {
  if (form == TableForm::table) return as_table();
  std::string out;
  if (form == TableForm::csv) {
    Row header;
    for (const Column& column : columns_) header.push_back(Value::text(column.name));
    out = csv_line(header);
  }
  for (const Row& row : rows_) out += form == TableForm::csv ? csv_line(row) : json_line(columns_, row);
  return out;
}

std::string Table::as_table() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.name));
  std::vector<std::vector<std::string>> texts;
  for (const Row& row : rows_) {
    auto& cells = texts.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(cell_text(row[i], cuts_cells_));
      widths[i] = std::max(widths[i], display_width(cells.back()));
    }
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string pad(widths[i] - std::min(widths[i], display_width(cells[i])), ' ');
      const bool last = i + 1 == cells.size();
      out += is_number(columns_[i].type) ? pad + cells[i] : cells[i] + (last ? "" : pad);
      if (!last) out += "  ";
    }
    return out + "\n";
  };
  std::vector<std::string> header, rule;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    header.push_back(columns_[i].name);
    std::string dashes;
    for (std::size_t d = 0; d < widths[i]; ++d) dashes += "─";
    rule.push_back(dashes);
  }
  std::string out = line(header) + line(rule);
  for (const auto& cells : texts) out += line(cells);
  return out;
}

}  // namespace eddy::app
