#include "ingest/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "core/text.h"
#include "ingest/bytes.h"

namespace eddy::ingest {
namespace fs = std::filesystem;
using engine::quote_identifier;
using engine::quote_literal;

namespace {

constexpr std::size_t record_bytes_max = 32 << 20;  // the engine holds a few of them in memory at a time

std::string read_json(const fs::path& lines, const std::string& columns) {
  return fmt::format(
      "read_json({}, format='newline_delimited', compression='uncompressed', records=true, "
      "maximum_object_size={}{})",
      quote_literal(lines.string()), record_bytes_max + 1024, columns);
}

bool is_query_failure(const Error& e) { return e.code() == "engine.query_failed"; }

class JsonRenderer {
 public:
  JsonRenderer(const Rendering& job, JsonLayout layout, std::string_view text, QuarantineWriter& quarantine)
      : job_(job), layout_(layout), text_(text), lines_(job.plain), quarantine_(quarantine), counter_(text) {
    for_each_record(text_, layout_, [&](const Span& record) {
      ++records_;
      longest_ = std::max(longest_, record.length);
      return true;
    });
  }

  std::uint64_t records() const { return records_; }

  // Columns of the good records. Afterwards lines_ is a file of JSON lines the engine can read.
  std::vector<StreamColumn> find_columns() {
    if (layout_ == JsonLayout::lines && longest_ <= record_bytes_max) {
      try {
        return json_columns(job_.connection, lines_);
      } catch (const Error& e) {
        if (!is_query_failure(e)) throw;
      }
    }
    keep_good_records();
    return good_ == 0 ? std::vector<StreamColumn>() : json_columns(job_.connection, lines_);
  }

  std::uint64_t write(const StreamSchema& schema, const std::vector<StreamColumn>& found) {
    plan(schema, found);
    if (good_ == 0 && checked_) {
      if (!schema.columns().empty()) write_empty_parquet(job_, schema);
      return finish(0);
    }
    std::uint64_t rows = 0;
    try {
      rows = copy();
    } catch (const Error& e) {
      // The sample that found the columns read it all, yet the engine stumbles: look at every record.
      if (!is_query_failure(e) || checked_) throw;
      keep_good_records();
      rows = copy();
    }
    const std::uint64_t expected = checked_ ? good_ : records_;
    if (rows < expected) find_bad_values();
    return finish(rows);
  }

  std::uint64_t refused() const { return bad_.size(); }
  std::uint64_t bad_values() const { return bad_values_; }

 private:
  struct Bad {
    std::uint64_t number = 0;  // of the record, from 0
    std::string code, reason;
  };

  void keep_good_records() {
    checked_ = true;
    const fs::path path = job_.work / "good.jsonl";
    std::ofstream out(path, std::ios::binary);
    std::string line;
    std::uint64_t number = 0;
    for_each_record(text_, layout_, [&](const Span& span) {
      const std::string_view record = text_.substr(span.offset, span.length);
      if (number % 1024 == 0) stop_if(job_.cancel);
      JsonProblem problem;
      if (record.size() > record_bytes_max)
        problem = {"json.too_long", fmt::format("is longer than {}", human_bytes(record_bytes_max)), 0};
      else
        problem = check_record(record);
      if (problem) {
        bad_.push_back({number, problem.code,
                        problem.code == "json.syntax"
                            ? fmt::format("{} (byte {})", problem.reason, problem.offset + 1)
                            : problem.reason});
      } else {
        line.assign(record);
        // Only between values: a string cannot hold a bare line end.
        std::replace_if(
            line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
        line += '\n';
        out.write(line.data(), static_cast<std::streamsize>(line.size()));
        ++good_;
      }
      ++number;
      return true;
    });
    if (!out.flush())
      throw Error("file.unwritable", fmt::format("cannot write {}", path.string()),
                  "check free space of the lake folder");
    lines_ = path;
  }

  // Every value is read as text (nested ones as JSON) and cast exactly: the engine's own reader would
  // round 1.5 into an integer column.
  void plan(const StreamSchema& schema, const std::vector<StreamColumn>& found) {
    std::vector<std::string> read, selected, refusals;
    std::string which = "case ";
    for (const StreamColumn& column : schema.columns()) {
      const std::string quoted = quote_identifier(column.name);
      const auto here = std::find_if(found.begin(), found.end(), [&](const StreamColumn& c) {
        return lower(c.name) == lower(column.name);
      });
      if (here == found.end()) {
        selected.push_back(fmt::format("null::{} as {}", column.type, quoted));
        continue;
      }
      const std::string type = column.type == "JSON" ? "JSON" : "VARCHAR";
      read.push_back(fmt::format("{}: '{}'", quote_literal(here->name), type));
      const Cast cast = exact_cast(quoted, type, column.type);
      selected.push_back(fmt::format("{} as {}", cast.value, quoted));
      if (cast.bad.empty()) continue;
      refusals.push_back(cast.bad);
      which += fmt::format("when {} then {} || left({}, 100) || {} ", cast.bad,
                           quote_literal(fmt::format("column `{}`: `", column.name)), quoted,
                           quote_literal(fmt::format("` is no {}", column.type)));
    }
    columns_ = fmt::format(", columns={{{}}}", join(read, ", "));
    select_ = join(selected, ", ");
    refused_ = join(refusals, " or ");
    which_ = which + "end";
  }

  std::uint64_t copy() {
    const std::string where = refused_.empty() ? "" : fmt::format(" where not coalesce({}, false)", refused_);
    return write_parquet(job_, select_, read_json(lines_, columns_) + where);
  }

  void find_bad_values() {
    auto result = job_.connection.stream(
        fmt::format("select number::bigint, {} from (select row_number() over () as number, * from {}) where "
                    "coalesce({}, false) order by 1",
                    which_, read_json(lines_, columns_), refused_.empty() ? "false" : refused_));
    std::vector<std::pair<std::uint64_t, std::string>> found;
    while (auto chunk = result.next())
      for (std::size_t row = 0; row < chunk->rows(); ++row)
        found.emplace_back(static_cast<std::uint64_t>(chunk->bigint(0, row)) - 1, chunk->varchar(1, row));
    // Numbers among the good records become numbers among all of them.
    std::vector<Bad> all;
    std::uint64_t good = 0;
    auto known = bad_.begin();
    auto next = found.begin();
    for (std::uint64_t number = 0; number < records_ && next != found.end(); ++number) {
      if (known != bad_.end() && known->number == number) {
        ++known;
        continue;
      }
      if (next->first == good) {
        all.push_back({number, "json.bad_value", std::move(next->second)});
        ++next;
      }
      ++good;
    }
    bad_values_ = all.size();
    bad_.insert(bad_.end(), std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()));
    std::sort(bad_.begin(), bad_.end(), [](const Bad& a, const Bad& b) { return a.number < b.number; });
  }

  std::uint64_t finish(std::uint64_t rows) {
    if (rows + bad_.size() != records_)
      throw Error(
          "ingest.unaccounted_rows",
          fmt::format("{}: {} has {} records, but {} were read and {} refused", job_.spec.relation(),
                      job_.origin, with_commas(records_), with_commas(rows), with_commas(bad_.size())),
          "nothing of this load was kept; please report it with the file", job_.spec.position);
    auto next = bad_.begin();
    std::uint64_t number = 0;
    for_each_record(text_, layout_, [&](const Span& span) {
      if (next == bad_.end()) return false;
      if (next->number == number++) {
        QuarantinedRow row;
        row.file = job_.origin;
        row.line = counter_.line_of(span.offset);
        row.offset = span.offset;
        row.length = span.length;
        row.code = next->code;
        row.reason =
            layout_ == JsonLayout::array ? fmt::format("element {}: {}", number, next->reason) : next->reason;
        row.bytes = text_.substr(span.offset, std::min<std::size_t>(span.length, 128 << 10));
        quarantine_.add(row);
        ++next;
      }
      return true;
    });
    return rows;
  }

  const Rendering& job_;
  JsonLayout layout_;
  std::string_view text_;
  fs::path lines_;
  QuarantineWriter& quarantine_;
  LineCounter counter_;
  std::uint64_t records_ = 0, good_ = 0, bad_values_ = 0;
  std::size_t longest_ = 0;
  bool checked_ = false;
  std::vector<Bad> bad_;  // ascending
  std::string columns_, select_, refused_, which_;
};

std::string kind_of(char c) {
  if (c == '[') return "arrays";
  if (c == '"') return "strings";
  return c == 't' || c == 'f' ? "booleans" : c == 'n' ? "nulls" : "numbers";
}

// "an array of numbers, not of objects", or "" when there is an object among the first records.
std::string not_tabular(std::string_view text, JsonLayout layout) {
  int seen = 0;
  std::string kind;
  bool object = false;
  for_each_record(text, layout, [&](const Span& span) {
    if (text[span.offset] == '{')
      object = true;
    else if (kind.empty())
      kind = kind_of(text[span.offset]);
    return !object && ++seen < 100;
  });
  return object || kind.empty() ? "" : fmt::format("it holds {}, not objects", kind);
}

}  // namespace

std::vector<StreamColumn> json_columns(engine::Connection& connection, const fs::path& lines) {
  const std::string all = read_json(
      lines, ", sample_size=-1, map_inference_threshold=-1, field_appearance_threshold=0, maximum_depth=2");
  std::vector<StreamColumn> columns;
  std::vector<std::string> read, checks;
  std::vector<std::pair<std::size_t, std::string>>
      otherwise;  // column, and the type it gets when its check finds something
  for (const Row& row : connection.query("describe select * from " + all).rows()) {
    StreamColumn column{row[0].as_string(), row[1].as_string()};
    const std::string quoted = quote_identifier(column.name);
    const auto check = [&](const std::string& condition, const std::string& type) {
      checks.push_back(fmt::format("count(*) filter (where {})", condition));
      otherwise.emplace_back(columns.size(), type);
    };
    std::string type = "VARCHAR";
    if (column.type == "JSON") {
      // Scalars of several kinds, or nothing but nulls: text, unless something nested is among them.
      column.type = "VARCHAR";
      type = "JSON";
      check(fmt::format("json_type({}) in ('OBJECT', 'ARRAY')", quoted), "JSON");
    } else if (column.type == "HUGEINT" || column.type == "UBIGINT") {
      // The sniffer widens wherever signs differ; and Parquet has no whole numbers beyond 64 bits, but exact
      // decimals.
      check(exact_cast(quoted, "VARCHAR", "BIGINT").bad, "DECIMAL(38,0)");
      column.type = "BIGINT";
    } else if (column.type == "DATE" || column.type.starts_with("TIME")) {
      // It also takes dates that are not ISO 8601; as a column they remain text, for a model to read.
      check(exact_cast(quoted, "VARCHAR", column.type).bad, "VARCHAR");
    } else if (column.type.find_first_of("([") != std::string::npos && !column.type.starts_with("DECIMAL")) {
      column.type = "JSON";
    }
    read.push_back(fmt::format("{}: '{}'", quote_literal(column.name), type));
    columns.push_back(std::move(column));
  }
  if (checks.empty()) return columns;
  const Row counts =
      connection
          .query(fmt::format("select {} from {}", join(checks, ", "),
                             read_json(lines, fmt::format(", columns={{{}}}", join(read, ", ")))))
          .rows()
          .at(0);
  for (std::size_t i = 0; i < checks.size(); ++i)
    if (counts[i].as_integer() > 0) columns[otherwise[i].first].type = otherwise[i].second;
  return columns;
}

Rendered render_json(const Rendering& job, Format format, StreamSchema& schema,
                     QuarantineWriter& quarantine) {
  Rendered result;
  const MappedFile file(job.plain);
  const std::string_view text = file.bytes();
  const JsonLayout layout = json_layout(text, format == Format::jsonl);
  JsonProblem problem = layout == JsonLayout::lines ? JsonProblem{} : check_structure(text, layout);
  if (!problem && layout != JsonLayout::lines)
    if (std::string why = not_tabular(text, layout); !why.empty()) problem = {"json.not_an_object", why, 0};
  if (problem) {
    LineCounter lines(text);
    QuarantinedRow row;
    row.file = job.origin;
    row.line = lines.line_of(problem.offset);
    row.length = text.size();
    row.code = problem.code;
    row.reason = fmt::format("the whole file: {} (line {}, byte {} of the file)", problem.reason, row.line,
                             problem.offset + 1);
    row.bytes = text.substr(0, 128 << 10);
    row.whole_file = true;
    quarantine.add(row);
    result.quarantined = 1;
  }
  JsonRenderer renderer(job, layout, problem ? std::string_view() : text, quarantine);
  const std::vector<StreamColumn> found =
      renderer.records() == 0 ? std::vector<StreamColumn>() : renderer.find_columns();
  if (!found.empty())
    result.changes = schema.take_over(found, job.spec, job.origin);
  else if (schema.columns().empty()) {
    // Nothing good at all: the records are in the quarantine, and the stream has no columns yet.
    result.quarantined += renderer.records();
    if (renderer.records() > 0) renderer.write(schema, found);
    return result;
  }
  if (problem || renderer.records() == 0)
    write_empty_parquet(job, schema);
  else
    result.rows = renderer.write(schema, found);
  result.quarantined += renderer.refused();
  result.written = true;
  return result;
}

}  // namespace eddy::ingest
