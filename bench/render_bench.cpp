#include <fmt/format.h>

#include <chrono>
#include <cstring>

#include "bench.h"
#include "config/document.h"
#include "connectors/declarative/body_form.h"
#include "connectors/declarative/csv_form.h"
#include "core/error.h"

namespace eddy::bench {
namespace {

using namespace connectors;

const Schema key = {{"External_Id__c", Type::text}};
const Schema fields = {{"Email", Type::text},
                       {"FirstName", Type::text},
                       {"LastName", Type::text},
                       {"Lead_Score__c", Type::integer},
                       {"Lifetime_Value__c", Type::decimal},
                       {"At_Risk__c", Type::boolean},
                       {"Plan__c", Type::text},
                       {"Last_Seen__c", Type::timestamp}};

// What a customer table holds: some accents, some commas, some quotes, some nulls.
std::vector<Change> people(std::size_t rows) {
  std::vector<Change> out;
  out.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    Change change;
    change.number = i;
    change.key = {Value::text(fmt::format("C-{:08}", i))};
    change.fields = {Value::text(fmt::format("customer{}@example.com", i)),
                     Value::text(i % 10 == 0 ? "Zo\xC3\xAB" : "Ann"),
                     Value::text(i % 25 == 0 ? "Miller, \"Jr.\"" : "Miller"),
                     Value::integer(static_cast<std::int64_t>(i % 101)),
                     Value::decimal(fmt::format("{}.{:02}", i % 5000, i % 100)),
                     Value::boolean(i % 3 == 0),
                     i % 8 == 0 ? Value() : Value::text("professional"),
                     Value::timestamp("2026-11-23T10:53:42Z")};
    change.changed.assign(fields.size(), true);
    out.push_back(std::move(change));
  }
  return out;
}

// The least there is to do: every byte of every cell copied once into one buffer.
std::size_t copy_cells(const std::vector<Change>& changes, std::string& out) {
  out.clear();
  for (const Change& change : changes) {
    out += change.key.front().as_string();
    for (const Value& value : change.fields)
      if (value.type() >= Type::decimal) out += value.as_string();
    out += '\n';
  }
  return out.size();
}

Line rate_line(const std::string& what, std::size_t rows, const Pair& pair, double bar_rows) {
  const double rate = static_cast<double>(rows) / pair.ours;
  return {what,
          fmt::format("{:.2f} M/s", rate / 1e6),
          fmt::format("{:.2f} M/s (cells copied)", static_cast<double>(rows) / pair.bare / 1e6),
          pair.bare / pair.ours,
          fmt::format("≥ {:.1f} M/s", bar_rows / 1e6),
          rate >= bar_rows};
}

}  // namespace

std::vector<Line> render(double scale) {
  const auto rows = static_cast<std::size_t>(1'000'000 * scale);
  // In pieces, as they are sent: what is measured is rendering, not the memory of a million rows.
  constexpr std::size_t piece = 50'000;
  const std::vector<Change> changes = people(std::min(rows, piece));
  const std::size_t times = std::max<std::size_t>(1, rows / changes.size());
  std::size_t written = 0;
  std::string buffer;
  const auto bare = [&] {
    for (std::size_t i = 0; i < times; ++i) written += copy_cells(changes, buffer);
  };
  std::vector<Line> out;
  const CsvForm csv(key, fields, {"#N/A", false}, {});
  const Pair files = alternate(
      5,
      [&] {
        for (std::size_t i = 0; i < times; ++i) written += csv.write(changes).text.size();
      },
      bare);
  out.push_back(rate_line(fmt::format("Bulk 2.0 CSV, 8 fields, {} rows, one core", changes.size() * times),
                          changes.size() * times, files, 1e6));

  Diagnostics diagnostics;
  const config::Node body =
      config::parse("{allOrNone: false, records: {each: {attributes: {type: Contact}, '*': '{row.all}'}}}",
                    "body", config::no_variables(), diagnostics);
  diagnostics.throw_if_any();
  const auto form = BodyForm::compile(
      Tree::parse(body), [](std::string_view) { return std::nullopt; }, false, key, fields);
  if (!form) throw Error("bench.form", "the body has no form");
  constexpr std::size_t request_rows = 200;
  const Pair documents = alternate(
      5,
      [&] {
        for (std::size_t i = 0; i < times; ++i)
          for (std::size_t start = 0; start < changes.size(); start += request_rows) {
            RenderedBatch batch;
            const auto part =
                std::span(changes).subspan(start, std::min(request_rows, changes.size() - start));
            written += form->write(part, {}, false, batch).size();
          }
      },
      bare);
  out.push_back(
      rate_line(fmt::format("JSON bodies of 200, 8 fields, {} rows, one core", changes.size() * times),
                changes.size() * times, documents, 0.3e6));
  if (written == 0) throw Error("bench.nothing", "nothing was written");
  return out;
}

}  // namespace eddy::bench
