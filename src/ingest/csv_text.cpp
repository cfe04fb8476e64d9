#include "ingest/csv_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <optional>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/text.h"
#include "ingest/bytes.h"

namespace eddy::ingest {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::size_t outline_bytes = 1 << 20;
constexpr std::size_t outline_lines = 2000;
constexpr std::size_t preamble_lines_max = 20;

bool blank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }

struct Tally {
  std::size_t fields = 1;  // the most frequent number
  std::size_t lines = 0;   // lines that have it
  std::size_t total = 0;   // lines whose quotes pair up
};

Tally tally(const std::vector<std::string_view>& lines, char quote, char delimiter) {
  std::map<std::size_t, std::size_t> counts;
  Tally result;
  for (const std::string_view line : lines) {
    const std::size_t fields = count_fields(line, quote, delimiter);
    if (fields == 0) continue;
    ++result.total;
    const std::size_t seen = ++counts[fields];
    if (seen > result.lines || (seen == result.lines && fields > result.fields)) {
      result.lines = seen;
      result.fields = fields;
    }
  }
  return result;
}

std::vector<std::string_view> first_lines(std::string_view text, std::size_t at) {
  std::vector<std::string_view> lines;
  const std::size_t until = std::min(text.size(), at + outline_bytes);
  while (at < until && lines.size() < outline_lines) {
    const Span line = line_at(text, at);
    const std::string_view content = text.substr(line.offset, line.length);
    if (!blank(content)) lines.push_back(content);
    at = after_line(text, at);
  }
  return lines;
}

}  // namespace

Span line_at(std::string_view text, std::size_t offset) {
  const std::size_t end = std::min(text.find_first_of("\r\n", offset), text.size());
  return {offset, end - offset};
}

std::size_t after_line(std::string_view text, std::size_t offset) {
  std::size_t end = std::min(text.find_first_of("\r\n", offset), text.size());
  if (end < text.size() && text[end] == '\r') ++end;
  if (end < text.size() && text[end] == '\n') ++end;
  return end;
}

Span record_at(std::string_view text, std::size_t offset, char quote, char delimiter) {
  bool quoted = false;
  bool at_field = true;
  std::size_t i = offset;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == quote) quoted = false;  // a doubled quote opens again at once
      continue;
    }
    if (c == '\n' || c == '\r') break;
    if (c == quote && (at_field || text[i - 1] == quote)) quoted = true;
    at_field = c == delimiter;
  }
  return {offset, i - offset};
}

std::size_t count_fields(std::string_view record, char quote, char delimiter) {
  std::size_t fields = 1;
  for (std::size_t i = 0; i < record.size();) {
    if (record[i] == quote) {
      for (++i;; ++i) {
        i = record.find(quote, i);
        if (i == std::string_view::npos) return 0;
        if (i + 1 >= record.size() || record[i + 1] != quote) break;
        ++i;
      }
      ++i;
      if (i == record.size()) return fields;
      if (record[i] != delimiter) return 0;
    } else {
      i = record.find(delimiter, i);
      if (i == std::string_view::npos) return fields;
    }
    ++fields;
    ++i;
  }
  return fields;
}

CsvOutline outline(std::string_view text, const CsvOptions& declared, Format format, char quote,
                   char recorded_delimiter) {
  CsvOutline result;
  if (text.starts_with(byte_order_mark)) result.begin = byte_order_mark.size();
  while (result.begin < text.size() && blank(text.substr(result.begin, line_at(text, result.begin).length)))
    result.begin = after_line(text, result.begin);
  if (result.begin >= text.size()) {
    result.empty = true;
    return result;
  }
  const std::vector<std::string_view> lines = first_lines(text, result.begin);
  Tally best;
  double best_share = 0;
  std::string candidates = ",;\t|";
  if (declared.delimiter)
    candidates = std::string(1, *declared.delimiter);
  else if (format == Format::tsv)
    candidates = "\t";
  result.delimiter = candidates.front();
  for (const char candidate : candidates) {
    const Tally found = tally(lines, quote, candidate);
    if (found.fields < 2 || found.total == 0) continue;
    const double share = static_cast<double>(found.lines) / static_cast<double>(lines.size());
    // The stream's own delimiter stays, unless hardly any line has it.
    const bool familiar = candidate == recorded_delimiter && share >= 0.5;
    if (!familiar && (share < best_share || (share == best_share && found.fields <= best.fields))) continue;
    best = found;
    best_share = familiar ? 2 : share;
    result.delimiter = candidate;
  }
  result.fields = std::max<std::size_t>(best.fields, 1);
  std::size_t at = result.begin;
  std::vector<Span> preamble;
  while (result.fields > 1 && at < text.size() && preamble.size() <= preamble_lines_max) {
    const Span line = line_at(text, at);
    const std::string_view content = text.substr(line.offset, line.length);
    if (!blank(content)) {
      const std::size_t fields = count_fields(content, quote, result.delimiter);
      if (fields != 1 && !content.starts_with('#')) {
        result.preamble = std::move(preamble);
        result.begin = at;
        break;
      }
      preamble.push_back(line);
    }
    at = after_line(text, at);
  }
  return result;
}

namespace {

// Appends well-formed records from `at` on until `until`.
void append_records(std::string& out, std::string_view text, std::size_t at, std::size_t until,
                    const CsvOutline& form, char quote) {
  while (at < until) {
    const Span record = record_at(text, at, quote, form.delimiter);
    const std::string_view content = text.substr(record.offset, record.length);
    const bool good = content.size() < (64 << 10) &&
                      count_fields(content, quote, form.delimiter) == form.fields && is_utf8(content);
    if (good) {
      out += content;
      out += '\n';
    }
    at = good ? after_line(text, record.offset + record.length) : after_line(text, at);
  }
}

}  // namespace

std::string sample_records(std::string_view text, const CsvOutline& form, char quote, std::size_t bytes_max) {
  std::string out;
  if (form.empty) return out;
  if (text.size() <= bytes_max) {
    append_records(out, text, form.begin, text.size(), form, quote);
    return out;
  }
  // The beginning, and as much from places all over the rest: types often change later in a file.
  constexpr std::size_t places = 8;
  append_records(out, text, form.begin, bytes_max / 2, form, quote);
  for (std::size_t i = 1; i <= places; ++i) {
    const std::size_t part = bytes_max / 2 / places;
    const std::size_t start = bytes_max / 2 + (text.size() - bytes_max / 2 - part) / places * i;
    append_records(out, text, after_line(text, start), std::min(text.size(), start + part), form, quote);
  }
  return out;
}

namespace {

// Positions of four characters in 64 bytes, as bits.
class Finder {
 public:
  Finder(char delimiter, char quote, bool fractions)
      : wanted_{'\n', delimiter, quote, fractions ? '.' : '\n'} {}

  std::uint64_t bits(const char* at) const {
    std::uint64_t found = 0;
#if defined(__SSE2__)
    for (int part = 0; part < 4; ++part) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * part));
      __m128i hit = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted_[0]));
      for (int k = 1; k < 4; ++k) hit = _mm_or_si128(hit, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted_[k])));
      found |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(hit)) & 0xFFFFU)
               << (16 * part);
    }
#else
    for (int i = 0; i < 64; ++i)
      if (at[i] == wanted_[0] || at[i] == wanted_[1] || at[i] == wanted_[2] || at[i] == wanted_[3])
        found |= std::uint64_t{1} << i;
#endif
    return found;
  }

 private:
  std::array<char, 4> wanted_;
};

class Census {
 public:
  Census(std::string_view text, char quote, char delimiter, const std::vector<bool>& integers)
      : text_(text), quote_(quote), delimiter_(delimiter), integers_(integers) {}

  void event(std::size_t at) {
    const char c = text_[at];
    if (c == quote_) {
      if (quoted_) {
        if (at + 1 < text_.size() && text_[at + 1] == quote_ && !skip_)
          skip_ = true;  // the first of a doubled quote
        else if (skip_)
          skip_ = false;
        else
          quoted_ = false;
      } else if (at == field_) {
        quoted_ = true;
      }
      return;
    }
    if (c == '.') {
      if (column_ < integers_.size() && integers_[column_] && !fraction_) fraction_ = has_fraction(at);
      if (fraction_ && fraction_column_ == none) fraction_column_ = column_;
      return;
    }
    if (quoted_) return;
    if (c == delimiter_) {
      ++column_;
      field_ = at + 1;
      return;
    }
    end_record(at);
  }

  void end_record(std::size_t at) {
    std::size_t end = at;
    if (end > record_ && text_[end - 1] == '\r') --end;
    if (end > record_) {
      ++result.records;
      if (fraction_) {
        result.fractions.push_back({record_, end - record_});
        result.columns.push_back(fraction_column_);
      }
    }
    record_ = field_ = at + 1;
    column_ = 0;
    fraction_ = quoted_ = skip_ = false;
    fraction_column_ = none;
  }

  std::size_t record() const { return record_; }
  CsvCensus result;

 private:
  // "1.0" is a whole number; "1.5" is not. What is no number at all is for the engine to refuse.
  bool has_fraction(std::size_t dot) const {
    bool nonzero = false;
    for (std::size_t i = dot + 1; i < text_.size() && text_[i] != delimiter_ && text_[i] != quote_ &&
                                  text_[i] != '\n' && text_[i] != '\r';
         ++i) {
      if (text_[i] < '0' || text_[i] > '9') return text_[i] == ' ' && nonzero;
      nonzero = nonzero || text_[i] != '0';
    }
    return nonzero;
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::string_view text_;
  char quote_, delimiter_;
  const std::vector<bool>& integers_;
  std::size_t record_ = 0, field_ = 0, column_ = 0, fraction_column_ = none;
  bool quoted_ = false, skip_ = false, fraction_ = false;
};

}  // namespace

CsvCensus take_census(std::string_view text, char quote, char delimiter,
                      const std::vector<bool>& integer_columns, const Cancel& cancel) {
  const bool fractions =
      std::find(integer_columns.begin(), integer_columns.end(), true) != integer_columns.end();
  const Finder finder(delimiter, quote, fractions);
  Census census(text, quote, delimiter, integer_columns);
  std::size_t at = 0;
  for (; at + 64 <= text.size(); at += 64) {
    if ((at & ((16U << 20) - 1)) == 0) stop_if(cancel);
    for (std::uint64_t bits = finder.bits(text.data() + at); bits != 0; bits &= bits - 1)
      census.event(at + static_cast<std::size_t>(std::countr_zero(bits)));
  }
  for (; at < text.size(); ++at)
    if (const char c = text[at]; c == '\n' || c == delimiter || c == quote || (fractions && c == '.'))
      census.event(at);
  if (census.record() < text.size()) census.end_record(text.size());
  return std::move(census.result);
}

std::uint64_t LineCounter::line_of(std::size_t offset) {
  while (at_ < offset) {
    const void* found = std::memchr(text_.data() + at_, '\n', offset - at_);
    if (found == nullptr) break;
    at_ = static_cast<std::size_t>(static_cast<const char*>(found) - text_.data()) + 1;
    ++line_;
  }
  at_ = std::max(at_, offset);
  return line_;
}

}  // namespace eddy::ingest
