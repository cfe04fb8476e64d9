#include "ingest/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <future>
#include <map>

#include "core/error.h"
#include "core/text.h"
#include "ingest/bytes.h"

namespace eddy::ingest {
namespace fs = std::filesystem;
using engine::quote_identifier;
using engine::quote_literal;

namespace {

constexpr std::size_t sample_bytes = 8 << 20;
constexpr int rounds_max = 20;
constexpr std::string_view rejects = "eddy_csv_rejects", scans = "eddy_csv_scans";

void write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush())
    throw Error("file.unwritable", fmt::format("cannot write {}", path.string()),
                "check free space of the lake folder");
}

std::string one(char c) { return quote_literal(std::string_view(&c, 1)); }

std::string format_options(const CsvDialect& dialect, const CsvOptions& declared) {
  std::string out =
      fmt::format("delim={}, quote={}, escape={}, comment='', strict_mode=true, null_padding=false",
                  one(dialect.delimiter), one(dialect.quote), one(dialect.quote));
  if (declared.null) out += fmt::format(", nullstr=['', {}]", quote_literal(*declared.null));
  // The engine reads ISO 8601 by itself, and several times faster than by the same format spelled out.
  if (!dialect.date_format.empty() && dialect.date_format != "%Y-%m-%d")
    out += fmt::format(", dateformat={}", quote_literal(dialect.date_format));
  if (!dialect.timestamp_format.empty() && dialect.timestamp_format != "%Y-%m-%d %H:%M:%S")
    out += fmt::format(", timestampformat={}", quote_literal(dialect.timestamp_format));
  return out;
}

// One record that cannot be loaded. Offsets are those of the file as received (unpacked).
struct BadRecord {
  Span span;
  std::string code, reason;
};

// A record the engine refused, as its rejects table tells it.
struct Refusal {
  std::size_t position = 0;
  std::string type, message, column;
  std::size_t found = 0;  // columns
};

std::size_t number_after(const std::string& text, std::string_view word) {
  const auto at = text.find(word);
  return at == std::string::npos
             ? 0
             : static_cast<std::size_t>(std::strtoull(text.c_str() + at + word.size(), nullptr, 10));
}

bool wrong_count(std::string_view type) { return type == "MISSING COLUMNS" || type == "TOO MANY COLUMNS"; }

std::vector<Refusal> read_refusals(engine::Connection& connection) {
  std::vector<Refusal> out;
  auto result =
      connection.stream(fmt::format("select line_byte_position::bigint, error_type::varchar, error_message, "
                                    "coalesce(column_name, '') from {} order by 1, column_idx",
                                    rejects));
  while (auto chunk = result.next())
    for (std::size_t row = 0; row < chunk->rows(); ++row) {
      const auto position = static_cast<std::size_t>(chunk->bigint(0, row));
      const std::string message(chunk->varchar(2, row));
      const std::string type(chunk->varchar(1, row));
      Refusal refusal{position, type, message, std::string(chunk->varchar(3, row)),
                      number_after(message, "Found: ")};
      if (out.empty() || out.back().position != position) out.push_back(std::move(refusal));
      // A wrong number of columns says more than the value that went wrong because of it.
      else if (wrong_count(type) && !wrong_count(out.back().type))
        out.back() = std::move(refusal);
      // Too many columns are told one by one: the last says how many there were.
      else if (type == "TOO MANY COLUMNS")
        out.back().found = refusal.found;
    }
  return out;
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

class CsvRenderer {
 public:
  CsvRenderer(const Rendering& job, CsvForm form, const StreamSchema& schema, std::string_view text)
      : job_(job), form_(std::move(form)), schema_(schema), text_(text) {
    std::vector<std::string> parts, selected;
    for (const StreamColumn& column : form_.columns) {
      const std::string& type = schema.find(column.name)->type;
      parts.push_back(fmt::format("{}: {}", quote_literal(column.name), quote_literal(type)));
      integers_.push_back(is_integer_type(type));
    }
    columns_ = "{" + join(parts, ", ") + "}";
    for (const StreamColumn& column : schema.columns()) {
      const bool here = std::any_of(form_.columns.begin(), form_.columns.end(), [&](const StreamColumn& c) {
        return lower(c.name) == lower(column.name);
      });
      selected.push_back(here ? quote_identifier(column.name)
                              : fmt::format("null::{} as {}", column.type, quote_identifier(column.name)));
    }
    select_ = join(selected, ", ");
    // Old Macintosh line ends: the census looks for \n only.
    uncountable_ = text.find('\n') == std::string_view::npos && text.find('\r') != std::string_view::npos;
    leading_ = form_.outline.begin > (text.starts_with("\xef\xbb\xbf") ? 3U : 0U);
    for (const Span& line : form_.outline.preamble)
      bad_.push_back({line, "csv.before_header", "stands before the header"});
  }

  // Reads until nothing hides behind a bad record: a quote that is never closed swallows good lines, and a
  // fraction in an integer column is rounded. Such records are cut out and the rest is read again.
  std::uint64_t run() {
    for (int round = 1;; ++round) {
      const fs::path input = bad_.empty() && !leading_ && !one_line_end_ ? job_.plain : cut_out_bad();
      std::uint64_t rows = 0;
      try {
        rows = read_once(input);
      } catch (const Error& e) {
        // The strict reader gives up on a file with several kinds of line ends.
        if (e.code() != "engine.query_failed" || one_line_end_ ||
            text_.find("\r\n") == std::string_view::npos)
          throw;
        one_line_end_ = true;
        continue;
      }
      const std::size_t known = bad_.size();
      const bool again = collect(round == rounds_max);
      const bool fractions = round < rounds_max && collect_fractions();
      sort_bad();
      if (again || fractions) continue;
      const std::uint64_t header = form_.dialect.header ? 1 : 0;
      const std::uint64_t refused = bad_.size() - known;
      if (!uncountable_ && census_.records != rows + refused + header)
        throw Error("ingest.unaccounted_rows",
                    fmt::format("{}: {} has {} records, but {} were read and {} refused",
                                job_.spec.relation(), job_.origin, with_commas(census_.records - header),
                                with_commas(rows), with_commas(refused)),
                    "nothing of this load was kept; declare how the file is written (`csv: {delimiter, "
                    "quote, header}`)",
                    job_.spec.position);
      return rows;
    }
  }

  void quarantine_all(QuarantineWriter& quarantine) const {
    LineCounter lines(text_);
    for (const BadRecord& record : bad_) {
      QuarantinedRow row;
      row.file = job_.origin;
      row.line = lines.line_of(record.span.offset);
      row.offset = record.span.offset;
      row.length = record.span.length;
      row.code = record.code;
      row.reason = record.reason;
      row.bytes = text_.substr(record.span.offset, std::min<std::size_t>(record.span.length, 128 << 10));
      quarantine.add(row);
    }
  }

  std::size_t refused() const { return bad_.size(); }

 private:
  std::uint64_t read_once(const fs::path& input) {
    job_.connection.execute(fmt::format("drop table if exists {}; drop table if exists {}", rejects, scans));
    std::uint64_t rows = 0;
    // The census reads the same bytes beside the engine, from the page cache.
    auto census = std::async(std::launch::async, [&] {
      const MappedFile file(input);
      return take_census(file.bytes(), form_.dialect.quote, form_.dialect.delimiter, integers_, job_.cancel);
    });
    rows =
        write_parquet(job_, select_,
                      fmt::format("read_csv({}, auto_detect=false, compression='uncompressed', columns={}, "
                                  "header={}, {}, store_rejects=true, rejects_table='{}', rejects_scan='{}')",
                                  quote_literal(input.string()), columns_, form_.dialect.header,
                                  format_options(form_.dialect, job_.spec.csv), rejects, scans));
    census_ = census.get();
    return rows;
  }

  // The file without what is known to be bad; remembers where its pieces come from.
  fs::path cut_out_bad() {
    const fs::path path = job_.work / "cut.csv";
    std::ofstream out(path, std::ios::binary);
    pieces_.clear();
    std::size_t at = leading_ ? form_.outline.begin : 0, written = 0;
    const auto keep = [&](std::size_t until) {
      while (at < until) {
        const std::size_t line_end = one_line_end_ ? text_.find("\r\n", at) : until;
        const std::size_t end = std::min(line_end, until);
        pieces_.emplace_back(written, at);
        out.write(text_.data() + at, static_cast<std::streamsize>(end - at));
        written += end - at;
        at = end < until ? end + 1 : until;
      }
    };
    for (const BadRecord& record : bad_) {
      if (record.span.offset < at) continue;
      keep(record.span.offset);
      at = after_line(text_, record.span.offset + record.span.length);
    }
    keep(text_.size());
    if (!out.flush())
      throw Error("file.unwritable", fmt::format("cannot write {}", path.string()),
                  "check free space of the lake folder");
    return path;
  }

  std::size_t original(std::size_t position) const {
    if (pieces_.empty()) return std::min(position, text_.size());
    auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), position,
                                  [](std::size_t p, const auto& x) { return p < x.first; });
    if (piece != pieces_.begin()) --piece;
    return std::min(piece->second + (position - piece->first), text_.size());
  }

  // The engine counts from after a byte order mark, and sometimes includes the line end before.
  std::size_t line_start(std::size_t offset) const {
    while (offset < text_.size() && (text_[offset] == '\n' || text_[offset] == '\r')) ++offset;
    const std::size_t before = offset == 0 ? std::string_view::npos : text_.find_last_of("\r\n", offset - 1);
    const bool at_start = offset == 0 || before == offset - 1;
    return at_start ? offset : before == std::string_view::npos ? 0 : before + 1;
  }

  // Takes the engine's refusals over. True when good lines may hide behind one of them.
  bool collect(bool last_round) {
    bool again = false;
    for (const Refusal& refusal : read_refusals(job_.connection)) {
      const std::size_t start = line_start(original(refusal.position));
      const Span line = line_at(text_, start);
      Span record = record_at(text_, start, form_.dialect.quote, form_.dialect.delimiter);
      const bool open_quote = refusal.type == "UNQUOTED VALUE" || refusal.type == "LINE SIZE OVER MAXIMUM";
      if (open_quote && !last_round) {
        // The line alone is bad; whatever the quote swallowed is read again.
        again = true;
        record = line;
      }
      uncountable_ = uncountable_ || (open_quote && last_round);
      bad_.push_back(explain(refusal, record));
    }
    return again;
  }

  BadRecord explain(const Refusal& refusal, const Span& record) const {
    const auto expected = form_.columns.size();
    if (refusal.type == "MISSING COLUMNS")
      return {record, "csv.too_few_columns",
              fmt::format("{} instead of {}", plural(refusal.found, "column"), expected)};
    if (refusal.type == "TOO MANY COLUMNS")
      return {record, "csv.too_many_columns",
              fmt::format("{} instead of {}", plural(refusal.found, "column"), expected)};
    if (refusal.type == "UNQUOTED VALUE")
      return {record, "csv.open_quote",
              fmt::format("a quote in column `{}` is not closed, or not at the end of the value",
                          refusal.column)};
    if (refusal.type == "INVALID ENCODING" || refusal.type == "INVALID UNICODE")
      return {record, "csv.bad_encoding", fmt::format("column `{}` is not UTF-8", refusal.column)};
    if (refusal.type == "LINE SIZE OVER MAXIMUM")
      return {record, "csv.line_too_long",
              "the line is longer than 2,000,000 bytes, or a quote in it is not closed"};
    const auto value = refusal.message.find("Could not convert");
    return {record, "csv.bad_value",
            fmt::format("column `{}`: {}", refusal.column,
                        value == std::string::npos
                            ? engine_reason(refusal.message)
                            : engine_reason(std::string_view(refusal.message).substr(value)))};
  }

  bool collect_fractions() {
    const bool cut = !pieces_.empty();
    for (std::size_t i = 0; i < census_.fractions.size(); ++i) {
      const std::size_t position = census_.fractions[i].offset;
      const Span span{cut ? original(position) : position, census_.fractions[i].length};
      const StreamColumn& column = form_.columns[census_.columns[i]];
      bad_.push_back({span, "csv.bad_value",
                      fmt::format("column `{}`: a fraction does not fit {}", column.name,
                                  schema_.find(column.name)->type)});
    }
    return !census_.fractions.empty();
  }

  void sort_bad() {
    std::stable_sort(bad_.begin(), bad_.end(),
                     [](const BadRecord& a, const BadRecord& b) { return a.span.offset < b.span.offset; });
    bad_.erase(
        std::unique(bad_.begin(), bad_.end(),
                    [](const BadRecord& a, const BadRecord& b) { return a.span.offset == b.span.offset; }),
        bad_.end());
  }

  const Rendering& job_;
  CsvForm form_;
  const StreamSchema& schema_;
  std::string_view text_;
  std::string columns_, select_;
  std::vector<bool> integers_;
  std::vector<BadRecord> bad_;                               // ascending
  std::vector<std::pair<std::size_t, std::size_t>> pieces_;  // of the cut file: its offset, the original's
  CsvCensus census_;
  bool leading_ = false;       // there are lines before the first record
  bool one_line_end_ = false;  // the engine gets \n for every \r\n
  bool uncountable_ = false;   // the census cannot know where records end
};

// The sniffer knows no whole numbers beyond 64 bits and takes them for DOUBLE, which loses their last digits.
void keep_long_numbers(engine::Connection& connection, const fs::path& sample, CsvForm& form,
                       const CsvOptions& declared) {
  std::vector<std::string> counts, columns;
  std::vector<StreamColumn*> doubtful;
  for (StreamColumn& column : form.columns) {
    columns.push_back(fmt::format("{}: 'VARCHAR'", quote_literal(column.name)));
    if (column.type != "DOUBLE") continue;
    const std::string quoted = quote_identifier(column.name);
    counts.push_back(
        fmt::format("count(*) filter (where contains({0}, '.') or contains(lower({0}), 'e') or try_cast({0} "
                    "as hugeint) is null and {0} is not null)",
                    quoted));
    doubtful.push_back(&column);
  }
  if (doubtful.empty()) return;
  const Row found =
      connection
          .query(fmt::format("select {} from read_csv({}, auto_detect=false, compression='uncompressed', "
                             "header={}, columns={{{}}}, {})",
                             join(counts, ", "), quote_literal(sample.string()), form.dialect.header,
                             join(columns, ", "), format_options(form.dialect, declared)))
          .rows()
          .at(0);
  for (std::size_t i = 0; i < doubtful.size(); ++i)
    if (found[i].as_integer() == 0) doubtful[i]->type = "DECIMAL(38,0)";
}

}  // namespace

CsvForm read_form(engine::Connection& connection, std::string_view text, const CsvOptions& declared,
                  Format format, const std::optional<CsvDialect>& recorded, const fs::path& work) {
  CsvForm form;
  if (recorded) form.dialect = *recorded;
  if (declared.quote) form.dialect.quote = *declared.quote;
  form.outline = outline(text, declared, format, form.dialect.quote, recorded ? recorded->delimiter : '\0');
  form.dialect.delimiter = form.outline.delimiter;
  if (form.outline.empty) return form;
  const fs::path sample = work / "sample.csv";
  write_file(sample, sample_records(text, form.outline, form.dialect.quote, sample_bytes));
  std::string call = fmt::format("sniff_csv({}, sample_size=-1, skip=0, compression='uncompressed', {}",
                                 quote_literal(sample.string()), format_options(form.dialect, declared));
  const bool header_known = declared.header.has_value() || recorded.has_value();
  if (declared.header) form.dialect.header = *declared.header;
  if (header_known) call += fmt::format(", header={}", form.dialect.header);
  call += ")";
  auto told =
      connection
          .query("select HasHeader, coalesce(DateFormat, ''), coalesce(TimestampFormat, '') from " + call)
          .rows();
  if (!header_known) form.dialect.header = told.at(0)[0].as_boolean();
  if (!recorded) {
    form.dialect.date_format = told[0][1].as_string();
    form.dialect.timestamp_format = told[0][2].as_string();
  }
  for (const Row& row :
       connection.query("select c.name, c.type from (select unnest(Columns) as c from " + call + ")").rows())
    form.columns.push_back({row[0].as_string(), row[1].as_string()});
  keep_long_numbers(connection, sample, form, declared);
  fs::remove(sample);
  return form;
}

Rendered render_csv(const Rendering& job, Format format, StreamSchema& schema,
                    const std::optional<CsvDialect>& recorded, QuarantineWriter& quarantine) {
  Rendered result;
  const MappedFile file(job.plain);
  CsvForm form = read_form(job.connection, file.bytes(), job.spec.csv, format, recorded, job.work);
  if (form.outline.empty) return result;
  const bool provisional_before = schema.provisional || schema.columns().empty();
  result.changes = schema.take_over(form.columns, job.spec, job.origin);
  result.dialect = form.dialect;
  CsvRenderer renderer(job, std::move(form), schema, file.bytes());
  result.rows = renderer.run();
  result.quarantined = renderer.refused();
  result.written = true;
  renderer.quarantine_all(quarantine);
  schema.provisional = provisional_before && result.rows == 0;
  return result;
}

}  // namespace eddy::ingest
