#include "ingest/rendering.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"

namespace eddy::ingest {

using engine::quote_identifier;
using engine::quote_literal;
using nlohmann::json;

nlohmann::json CsvDialect::to_json() const {
  return {{"delimiter", std::string(1, delimiter)},
          {"quote", std::string(1, quote)},
          {"header", header},
          {"date_format", date_format},
          {"timestamp_format", timestamp_format}};
}

CsvDialect CsvDialect::from_json(const json& record) {
  CsvDialect dialect;
  dialect.delimiter = record.value("delimiter", ",").front();
  dialect.quote = record.value("quote", "\"").front();
  dialect.header = record.value("header", true);
  dialect.date_format = record.value("date_format", "");
  dialect.timestamp_format = record.value("timestamp_format", "");
  return dialect;
}

StreamSchema StreamSchema::from_json(std::string_view text) {
  StreamSchema schema;
  if (text.empty()) return schema;
  for (const json& column : json::parse(text)) {
    schema.columns_.push_back({column.at("name"), column.at("type")});
    schema.provisional = schema.provisional || column.value("provisional", false);
  }
  return schema;
}

std::string StreamSchema::to_json() const {
  json out = json::array();
  for (const StreamColumn& column : columns_) {
    out.push_back({{"name", column.name}, {"type", column.type}});
    if (provisional) out.back()["provisional"] = true;
  }
  return out.dump();
}

const StreamColumn* StreamSchema::find(std::string_view name) const {
  const auto found = std::find_if(columns_.begin(), columns_.end(),
                                  [&](const StreamColumn& c) { return lower(c.name) == lower(name); });
  return found == columns_.end() ? nullptr : &*found;
}

namespace {

std::string names(const std::vector<std::string>& columns) {
  std::vector<std::string> quoted;
  for (const std::string& column : columns) quoted.push_back("`" + column + "`");
  return join(quoted, ", ");
}

}  // namespace

std::vector<std::string> StreamSchema::take_over(const std::vector<StreamColumn>& found,
                                                 const StreamSpec& spec, const std::string& origin) {
  for (const StreamColumn& column : found)
    if (const std::string name = lower(column.name); name == "_load_id" || name == "_loaded_at")
      throw Error("ingest.reserved_column",
                  fmt::format("{}: {} has a column `{}`, which Eddy itself adds to every row",
                              spec.relation(), origin, column.name),
                  "rename the column where the file is made", spec.position);
  if (provisional) columns_.clear();
  provisional = false;
  const bool first = columns_.empty();
  std::vector<std::string> fresh, missing, changes;
  std::vector<StreamColumn> after = columns_;
  for (const StreamColumn& column : found)
    if (find(column.name) == nullptr) {
      fresh.push_back(column.name);
      after.push_back(column);
    }
  const auto is_found = [&](const std::string& name) {
    return std::any_of(found.begin(), found.end(),
                       [&](const StreamColumn& c) { return lower(c.name) == lower(name); });
  };
  for (const StreamColumn& column : columns_)
    if (!is_found(column.name)) missing.push_back(column.name);
  if (!first && spec.new_columns == StreamSpec::Columns::freeze && (!fresh.empty() || !missing.empty())) {
    std::vector<std::string> parts;
    if (!fresh.empty()) parts.push_back("has new columns " + names(fresh));
    if (!missing.empty()) parts.push_back("lacks columns " + names(missing));
    throw Error("ingest.contract_columns",
                fmt::format("{}: {} {}, and the contract freezes the columns", spec.relation(), origin,
                            join(parts, " and ")),
                "have the file corrected, or set `contract: {columns: evolve}`", spec.position);
  }
  for (StreamColumn& column : after)
    for (const auto& [name, type] : spec.columns)
      if (lower(name) == lower(column.name) && column.type != type) {
        if (find(name) != nullptr)
          changes.push_back(
              fmt::format("column `{}` is now {} as declared, was {}", column.name, type, column.type));
        column.type = type;
      }
  if (!first) {
    for (const std::string& name : fresh) changes.push_back(fmt::format("new column `{}`", name));
    for (const std::string& name : missing)
      changes.push_back(fmt::format("{} has no column `{}`: null", origin, name));
  }
  columns_ = std::move(after);
  return changes;
}

std::uint64_t write_parquet(const Rendering& job, const std::string& select_list, const std::string& from) {
  auto result =
      job.connection.query(fmt::format("copy (select {}, {} as _load_id, {}::timestamptz as _loaded_at from "
                                       "{}) to {} (format parquet, compression snappy)",
                                       select_list, quote_literal(job.load_id), quote_literal(job.loaded_at),
                                       from, quote_literal(job.out.string())));
  const Value count = result.scalar();
  return count.type() == Type::integer ? static_cast<std::uint64_t>(count.as_integer())
                                       : result.rows_changed();
}

void write_empty_parquet(const Rendering& job, const StreamSchema& schema) {
  std::vector<std::string> columns;
  for (const StreamColumn& column : schema.columns())
    columns.push_back(fmt::format("null::{} as {}", column.type, quote_identifier(column.name)));
  write_parquet(job, join(columns, ", "), "(select 1 where false)");
}

bool is_integer_type(std::string_view type) {
  static constexpr std::string_view types[] = {"TINYINT",  "SMALLINT",  "INTEGER",  "BIGINT",  "HUGEINT",
                                               "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"};
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

Cast exact_cast(const std::string& source, const std::string& source_type, const std::string& type) {
  if (source_type == type) return {source, ""};
  if (type == "VARCHAR") return {fmt::format("{}::VARCHAR", source), ""};
  const std::string value = fmt::format("try_cast({} as {})", source, type);
  std::string bad = fmt::format("({} is not null and {} is null)", source, value);
  if (is_integer_type(type)) {
    if (source_type == "VARCHAR")
      bad += fmt::format(" or (contains({0}, '.') and try_cast({0} as double) % 1 <> 0)", source);
    else if (!is_integer_type(source_type))
      bad += fmt::format(" or {} <> {}", value, source);
  }
  return {value, bad};
}

std::string engine_reason(std::string_view message) {
  std::string_view line = message.substr(0, message.find('\n'));
  for (const std::string_view prefix : {"Invalid Input Error: ", "Conversion Error: ", "IO Error: ",
                                        "Binder Error: ", "Out of Range Error: "})
    if (line.starts_with(prefix)) line.remove_prefix(prefix.size());
  return trim(line);
}

}  // namespace eddy::ingest
