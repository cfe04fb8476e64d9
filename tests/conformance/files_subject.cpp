#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "conformance/subject.h"
#include "connectors/files/destination.h"
#include "core/files.h"
#include "engine/database.h"
#include "support/scratch.h"

namespace eddy::conformance {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

// A file holds what a run has delivered when the run ends: here every batch is a run of its own.
class RunPerBatch final : public sync::Writer {
 public:
  explicit RunPerBatch(std::unique_ptr<sync::Writer> inner) : inner_(std::move(inner)) {}
  sync::Limits limits() const override { return inner_->limits(); }
  sync::Answer deliver(std::span<const Change> changes) override {
    sync::Answer answer = inner_->deliver(changes);
    inner_->finish();
    return answer;
  }
  std::vector<std::string> preview(std::span<const Change> changes) override {
    return inner_->preview(changes);
  }
  bool inserts_are_repeatable() const override { return inner_->inserts_are_repeatable(); }
  void finish() override { inner_->finish(); }

 private:
  std::unique_ptr<sync::Writer> inner_;
};

class OfRunsPerBatch final : public sync::Destination {
 public:
  explicit OfRunsPerBatch(std::unique_ptr<sync::Destination> inner) : inner_(std::move(inner)) {}
  std::string check() override { return inner_->check(); }
  std::vector<std::string> objects() override { return inner_->objects(); }
  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    return inner_->describe(object);
  }
  bool checked_by_open(const config::Node& options) const override {
    return inner_->checked_by_open(options);
  }
  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    return std::make_unique<RunPerBatch>(inner_->open(delivery));
  }
  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override {
    return inner_->reader(reading);
  }

 private:
  std::unique_ptr<sync::Destination> inner_;
};

// RFC 4180, written for this test: nullopt is nothing between two commas, "" is the empty text.
std::vector<std::vector<std::optional<std::string>>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::vector<std::optional<std::string>> row;
  std::optional<std::string> cell;
  const auto end_cell = [&] {
    row.push_back(std::move(cell));
    cell.reset();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      cell.emplace();
      for (++i; i < text.size(); ++i) {
        if (text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"')
          *cell += text[i++];
        else if (text[i] == '"')
          break;
        else
          *cell += text[i];
      }
    } else if (text[i] == ',') {
      end_cell();
    } else if (text[i] == '\n') {
      end_cell();
      rows.push_back(std::move(row));
      row.clear();
    } else {
      if (!cell) cell.emplace();
      *cell += text[i];
    }
  }
  return rows;
}

class FilesSubject : public Subject {
 public:
  explicit FilesSubject(std::string ending) : ending_(std::move(ending)) { fs::create_directories(folder()); }

  std::unique_ptr<sync::Destination> destination() override {
    return std::make_unique<OfRunsPerBatch>(
        make_destination(connectors::files_destination(), "{path: out}", scratch_.path()));
  }

  Target make_object(std::size_t key_columns) override {
    Target target{.object = fmt::format("exports/target {}{}", ++objects_, ending_),
                  .key = {{"k1", Type::text}},
                  .fields = {{"words", Type::text},
                             {"number", Type::integer},
                             {"amount", Type::decimal},
                             {"share", Type::real},
                             {"flag", Type::boolean},
                             {"day", Type::date},
                             {"at", Type::timestamp},
                             {"doc", Type::json},
                             {"bytes", Type::blob},
                             {"note", Type::text}}};
    if (key_columns > 1) target.key.push_back({"k2", Type::integer});
    fs::create_directories(folder() / "exports");
    write_empty(folder() / target.object, target);
    return target;
  }

  void spoil(const Target&, Change& change) const override {
    change.fields.back() = Value::text("cut off \xE2\x82");
  }
  void take_down() override { fs::rename(folder(), scratch_ / "gone"); }
  bool supports(sync::Removal removal) const override {
    return removal == sync::Removal::erase || removal == sync::Removal::ignore;
  }

 protected:
  virtual void write_empty(const fs::path& file, const Target& target) = 0;
  fs::path folder() const { return scratch_ / "out"; }

 private:
  testing::Scratch scratch_;
  std::string ending_;
  int objects_ = 0;
};

class CsvSubject final : public FilesSubject {
 public:
  CsvSubject() : FilesSubject(".csv") {}

  json rows(const Target& target) override {
    const auto table = parse_csv(read_file(folder() / target.object));
    json rows = json::array();
    for (std::size_t r = 1; r < table.size(); ++r) {
      if (table[r].size() != table[0].size()) throw std::runtime_error("a row with another number of cells");
      json row;
      for (std::size_t c = 0; c < table[r].size(); ++c)
        row[*table[0][c]] = table[r][c] ? json(*table[r][c]) : json();
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  void write_empty(const fs::path& file, const Target& target) override {
    std::string header;
    for (const Schema* columns : {&target.key, &target.fields})
      for (const Column& column : *columns) header += (header.empty() ? "" : ",") + column.name;
    std::ofstream(file) << header << "\n";
  }
};

class JsonLinesSubject final : public FilesSubject {
 public:
  JsonLinesSubject() : FilesSubject(".jsonl") {}

  json rows(const Target& target) override {
    std::map<std::string, Type> types;
    for (const Schema* columns : {&target.key, &target.fields})
      for (const Column& column : *columns) types[column.name] = column.type;
    json rows = json::array();
    std::ifstream in(folder() / target.object);
    for (std::string line; std::getline(in, line);) {
      json row;
      const json object = json::parse(line);
      for (const auto& [name, value] : object.items()) {
        // In JSON the JSON null and no value at all are the same word.
        if (types.at(name) == Type::json)
          row[name] = value.dump();
        else if (value.is_null())
          row[name] = nullptr;
        else
          row[name] = value.is_string() ? value.get<std::string>() : value.dump();
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  void write_empty(const fs::path& file, const Target&) override { std::ofstream{file}; }
};

class ParquetSubject final : public FilesSubject {
 public:
  ParquetSubject() : FilesSubject(".parquet") {}

  json rows(const Target& target) override {
    auto result = connection_.query(fmt::format("select * from read_parquet({}) order by k1",
                                                engine::quote_literal((folder() / target.object).string())));
    json rows = json::array();
    for (const Row& cells : result.rows()) {
      json row;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string& type = result.columns()[i].engine_type;
        json& cell = row[result.columns()[i].name];
        if (cells[i].is_null()) continue;
        cell = canonical(cells[i]);
        std::string text = cell;
        // All decimals of a column have as many digits after the point as the longest of them.
        if (type.starts_with("DECIMAL") && text.find('.') != std::string::npos) {
          text.erase(text.find_last_not_of('0') + 1);
          if (text.ends_with('.')) text.pop_back();
        }
        if (type == "DATE" && text.ends_with(" BC")) text.replace(text.size() - 2, 2, "(BC)");
        cell = text;
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  void write_empty(const fs::path& file, const Target& target) override {
    const std::map<Type, std::string> types = {
        {Type::text, "varchar"}, {Type::integer, "bigint"},        {Type::decimal, "decimal(18,2)"},
        {Type::real, "double"},  {Type::boolean, "boolean"},       {Type::date, "date"},
        {Type::json, "json"},    {Type::timestamp, "timestamptz"}, {Type::blob, "blob"}};
    std::string select;
    for (const Schema* columns : {&target.key, &target.fields})
      for (const Column& column : *columns)
        select +=
            fmt::format("{}null::{} as {}", select.empty() ? "" : ", ", types.at(column.type), column.name);
    connection_.execute(fmt::format("copy (select {} where false) to {} (format parquet)", select,
                                    engine::quote_literal(file.string())));
  }

  engine::Database database_ = engine::Database::in_memory({});
  engine::Connection connection_ = database_.connect();
};

template <typename Kind>
NamedSubject subject(const std::string& name, std::map<std::string, std::string> more = {}) {
  const std::string wireless = "a local file has no wire on which an answer could be lost";
  more.insert({{"ALostAnswerIsRepeatedAndDoublesNothing", wireless},
               {"AnInsertWhoseAnswerIsLostIsInDoubt", wireless},
               {"OpenRefusesUnknownObjectsFieldsAndKeys",
                "a file is made by the sync that writes it and takes any column; what is refused is in "
                "FilesDestination.RefusesWhatCannotWork"}});
  return {.name = name,
          .available = [] { return true; },
          .missing = "",
          .make = [] { return std::make_unique<Kind>(); },
          .waivers = std::move(more)};
}

}  // namespace

std::vector<NamedSubject> files_subjects() {
  const std::string untyped =
      "the columns of a CSV file have no types, and those of JSON lines are in no list";
  const std::string no_key = "a file has no constraints by which it could be told which column is a key";
  return {subject<CsvSubject>("CsvFile", {{"ListsAndDescribesItsObjects", untyped}}),
          subject<JsonLinesSubject>("JsonLinesFile", {{"ListsAndDescribesItsObjects", untyped}}),
          subject<ParquetSubject>("ParquetFile", {{"ListsAndDescribesItsObjects", no_key}})};
}

}  // namespace eddy::conformance
