#include "ingest/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "ingest/bytes.h"
#include "ingest/csv.h"
#include "ingest/json.h"

namespace eddy::ingest {
namespace fs = std::filesystem;
using engine::quote_identifier;
using engine::quote_literal;

namespace {

constexpr std::uint64_t rows_looked_at_max = 200'000;
constexpr std::uint64_t category_values_max = 30;
constexpr std::size_t files_max = 20'000;
constexpr int depth_max = 8;

// A reason to pass a file over.
struct Skip {
  std::string reason;
};

std::string article(const std::string& extension) {
  static const std::map<std::string, std::string> known = {
      {".png", "an image"},           {".jpg", "an image"},          {".jpeg", "an image"},
      {".gif", "an image"},           {".svg", "an image"},          {".webp", "an image"},
      {".arrow", "an Arrow file"},    {".feather", "an Arrow file"}, {".xlsx", "a spreadsheet"},
      {".xls", "a spreadsheet"},      {".ods", "a spreadsheet"},     {".md", "a text document"},
      {".txt", "a text document"},    {".pdf", "a document"},        {".html", "a document"},
      {".yml", "a settings file"},    {".yaml", "a settings file"},  {".zip", "an archive"},
      {".tar", "an archive"},         {".db", "a database file"},    {".sqlite", "a database file"},
      {".duckdb", "a database file"}, {".sql", "a program"},         {".py", "a program"},
      {".js", "a program"},           {".ts", "a program"},          {".avro", "an Avro file"},
      {".orc", "an ORC file"},        {".xml", "an XML document"}};
  const auto found = known.find(extension);
  return found == known.end()
             ? fmt::format("a file of unknown format ({})", extension.empty() ? "no extension" : extension)
             : found->second;
}

class Inspector {
 public:
  Inspector(engine::Connection& connection, fs::path folder, fs::path work, const Cancel& cancel)
      : connection_(connection), folder_(std::move(folder)), work_(std::move(work)), cancel_(cancel) {}

  FolderContents run() {
    if (!fs::is_directory(folder_))
      throw Error("ingest.no_folder", fmt::format("{} is no folder", folder_.string()),
                  "name a folder with data files");
    fs::create_directories(work_);
    for (const std::string& path : files()) {
      stop_if(cancel_);
      try {
        streams_.push_back(look_at(path));
      } catch (const Skip& skip) {
        contents_.skipped.push_back({path, skip.reason});
      } catch (const Error& e) {
        if (cancel_.requested() || e.code() == "engine.interrupted") throw;
        contents_.skipped.push_back({path, engine_reason(e.message())});
      }
    }
    join_siblings();
    name_all();
    std::sort(contents_.streams.begin(), contents_.streams.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return std::move(contents_);
  }

 private:
  std::vector<std::string> files() {
    std::vector<std::string> found;
    for (auto it = fs::recursive_directory_iterator(folder_, fs::directory_options::skip_permission_denied);
         it != fs::recursive_directory_iterator(); ++it) {
      if (it->path().filename().string().starts_with('.') || it.depth() > depth_max) {
        it.disable_recursion_pending();
        continue;
      }
      if (it->is_regular_file()) found.push_back(it->path().lexically_relative(folder_).string());
      if (found.size() > files_max)
        throw Error("ingest.too_many_files",
                    fmt::format("{} holds more than {} files", folder_.string(), with_commas(files_max)),
                    "name a smaller folder");
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  FoundStream look_at(const std::string& path) {
    FoundStream stream;
    stream.path = path;
    stream.files = {path};
    const auto format = format_of_path(path);
    if (!format) throw Skip{article(lower(fs::path(path).extension().string()))};
    stream.format = *format;
    fs::path plain = folder_ / path;
    stream.bytes = fs::file_size(plain);
    if (stream.bytes == 0) throw Skip{"it is empty"};
    if (const Compression compression = compression_of(plain); compression != Compression::none) {
      unpack(plain, work_ / "inspected", compression, cancel_);
      plain = work_ / "inspected";
    }
    std::string from;
    if (stream.format == Format::parquet)
      from = look_at_parquet(plain, stream);
    else if (stream.format == Format::json || stream.format == Format::jsonl)
      from = look_at_json(plain, stream);
    else
      from = look_at_csv(plain, stream);
    if (stream.columns.empty() || stream.rows == 0) throw Skip{"it has no rows"};
    profile(stream, from);
    return stream;
  }

  std::string look_at_csv(const fs::path& plain, FoundStream& stream) {
    const MappedFile file(plain);
    const CsvForm form = read_form(connection_, file.bytes(), {}, stream.format, std::nullopt, work_);
    if (form.outline.empty) throw Skip{"it is empty"};
    if (file.bytes().substr(0, 1 << 16).find('\0') != std::string_view::npos)
      throw Skip{"it is binary, not text"};
    std::vector<std::string> columns;
    for (const StreamColumn& column : form.columns) {
      stream.columns.push_back({column.name, column.type});
      columns.push_back(fmt::format("{}: {}", quote_literal(column.name), quote_literal(column.type)));
    }
    const std::uint64_t records =
        take_census(file.bytes(), form.dialect.quote, form.dialect.delimiter, {}, cancel_).records;
    stream.rows = records - std::min<std::uint64_t>(records, form.dialect.header ? 1 : 0);
    std::string options =
        fmt::format("delim={0}, quote={1}, escape={1}", quote_literal(std::string(1, form.dialect.delimiter)),
                    quote_literal(std::string(1, form.dialect.quote)));
    if (!form.dialect.date_format.empty())
      options += ", dateformat=" + quote_literal(form.dialect.date_format);
    if (!form.dialect.timestamp_format.empty())
      options += ", timestampformat=" + quote_literal(form.dialect.timestamp_format);
    return fmt::format(
        "read_csv({}, auto_detect=false, compression='uncompressed', header={}, columns={{{}}}, {}, "
        "comment='', ignore_errors=true)",
        quote_literal(plain.string()), form.dialect.header, join(columns, ", "), options);
  }

  std::string look_at_json(const fs::path& plain, FoundStream& stream) {
    const MappedFile file(plain);
    const std::string_view text = file.bytes();
    const JsonLayout layout = json_layout(text, stream.format == Format::jsonl);
    if (layout != JsonLayout::lines) {
      if (const JsonProblem problem = check_structure(text, layout))
        throw Skip{fmt::format("it is no JSON: {} (byte {})", problem.reason, problem.offset + 1)};
      if (layout == JsonLayout::values) refuse_single_object(text);
    }
    std::ofstream out(work_ / "inspected.jsonl", std::ios::binary);
    std::uint64_t good = 0, bad = 0;
    std::string line;
    for_each_record(text, layout, [&](const Span& span) {
      if ((good + bad) % 4096 == 0) stop_if(cancel_);
      ++stream.rows;
      const std::string_view record = text.substr(span.offset, span.length);
      if (good >= rows_looked_at_max) return true;
      if (check_record(record)) return ++bad < 1000 || good > 0;
      line.assign(record);
      std::replace_if(
          line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
      out << line << '\n';
      ++good;
      return true;
    });
    out.close();
    if (good == 0) throw Skip{stream.rows == 0 ? "it has no rows" : "it is a list, but not of objects"};
    stream.rows -= bad;
    std::vector<std::string> read, selected;
    for (const StreamColumn& column : json_columns(connection_, work_ / "inspected.jsonl")) {
      stream.columns.push_back({column.name, column.type});
      const bool nested = column.type == "JSON";
      read.push_back(fmt::format("{}: '{}'", quote_literal(column.name), nested ? "JSON" : "VARCHAR"));
      selected.push_back(
          fmt::format("{} as {}",
                      nested ? quote_identifier(column.name)
                             : exact_cast(quote_identifier(column.name), "VARCHAR", column.type).value,
                      quote_identifier(column.name)));
    }
    return fmt::format(
        "(select {} from read_json({}, format='newline_delimited', records=true, "
        "maximum_object_size=33554432, columns={{{}}}))",
        join(selected, ", "), quote_literal((work_ / "inspected.jsonl").string()), join(read, ", "));
  }

  // One object is one row only when it is flat.
  static void refuse_single_object(std::string_view text) {
    Span first;
    int values = 0;
    for_each_record(text, JsonLayout::values, [&](const Span& span) {
      if (values == 0) first = span;
      return ++values < 2;
    });
    if (values != 1 || first.length > (64 << 20)) return;
    const auto object = nlohmann::json::parse(text.substr(first.offset, first.length), nullptr, false);
    if (!object.is_object()) return;
    const auto type = object.find("type");
    if (type != object.end() && *type == "Topology") throw Skip{"TopoJSON: geometry, not rows"};
    if (type != object.end() && *type == "FeatureCollection") throw Skip{"GeoJSON: geometry, not rows"};
    std::vector<std::string> nested;
    for (const auto& [key, value] : object.items())
      if (value.is_structured() && nested.size() < 4) nested.push_back(key);
    if (!nested.empty())
      throw Skip{fmt::format("a single object with nested {}, not a list of rows", join(nested, ", "))};
  }

  std::string look_at_parquet(const fs::path& plain, FoundStream& stream) {
    const std::string from = fmt::format("read_parquet({})", quote_literal(plain.string()));
    for (const Row& row : connection_.query("describe select * from " + from).rows())
      stream.columns.push_back({row[0].as_string(), row[1].as_string()});
    stream.rows =
        static_cast<std::uint64_t>(connection_.query("select count(*) from " + from).scalar().as_integer());
    return from;
  }

  void profile(FoundStream& stream, const std::string& from) {
    connection_.execute(
        fmt::format("create or replace temp table eddy_inspected as select * from {} limit {}", from,
                    rows_looked_at_max));
    std::vector<std::string> counts = {"count(*)"};
    for (const FoundColumn& column : stream.columns) {
      const std::string quoted = quote_identifier(column.name);
      counts.push_back(fmt::format("count(distinct {})", quoted));
      counts.push_back(fmt::format("count(*) - count({})", quoted));
    }
    const Row row =
        connection_.query(fmt::format("select {} from eddy_inspected", join(counts, ", "))).rows().at(0);
    connection_.execute("drop table eddy_inspected");
    const auto number = [&](std::size_t i) { return static_cast<std::uint64_t>(row[i].as_integer()); };
    stream.rows_looked_at = number(0);
    for (std::size_t i = 0; i < stream.columns.size(); ++i) {
      FoundColumn& column = stream.columns[i];
      column.distinct = number(1 + 2 * i);
      column.nulls = number(2 + 2 * i);
      classify(column, stream);
    }
    // What is called an id is more likely a key than what merely does not repeat.
    std::stable_sort(stream.key_candidates.begin(), stream.key_candidates.end(),
                     [](const std::string& a, const std::string& b) { return likeness(a) > likeness(b); });
  }

  static int likeness(const std::string& name) {
    const std::string low = lower(name);
    if (low == "id" || low == "_id") return 3;
    if (low.ends_with("_id") || low.ends_with("id") || low.ends_with("uuid")) return 2;
    return low.ends_with("code") || low.ends_with("key") || low == "name" ? 1 : 0;
  }

  static void classify(const FoundColumn& column, FoundStream& stream) {
    const bool whole = is_integer_type(column.type);
    const bool text = column.type == "VARCHAR";
    const bool unique = column.nulls == 0 && column.distinct == stream.rows_looked_at &&
                        (stream.rows_looked_at > 1 || likeness(column.name) > 0);
    const bool key = unique && (whole || text || column.type == "UUID");
    if (key) stream.key_candidates.push_back(column.name);
    if (column.type == "DATE" || column.type.starts_with("TIMESTAMP")) stream.dates.push_back(column.name);
    if ((whole && !(key && likeness(column.name) > 0)) || column.type == "DOUBLE" || column.type == "FLOAT" ||
        column.type.starts_with("DECIMAL"))
      stream.numbers.push_back(column.name);
    if ((text || column.type == "BOOLEAN") && column.distinct > 0 && column.distinct <= category_values_max &&
        (column.distinct * 2 <= stream.rows_looked_at))
      stream.categories.push_back(column.name);
  }

  // Files of one folder whose names differ only in numbers that stand alone ("orders-2024-01.csv",
  // "part2.json", not "us-10m.json") and which have the same columns are one stream.
  void join_siblings() {
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < streams_.size(); ++i) groups[pattern_of(streams_[i].path, "*")].push_back(i);
    for (const auto& [pattern, members] : groups) {
      const FoundStream& first = streams_[members.front()];
      const bool alike = std::all_of(members.begin(), members.end(),
                                     [&](std::size_t i) { return same_columns(first, streams_[i]); });
      const std::string glob = members.size() > 1 && alike ? exact_glob(members) : "";
      if (glob.empty()) {
        for (const std::size_t i : members) contents_.streams.push_back(std::move(streams_[i]));
        continue;
      }
      FoundStream joined = first;
      joined.path = glob;
      joined.files.clear();
      joined.bytes = joined.rows = 0;
      for (const std::size_t i : members) {
        joined.files.push_back(streams_[i].path);
        joined.bytes += streams_[i].bytes;
        joined.rows += streams_[i].rows;
      }
      // Unique in one file is not unique in all of them.
      joined.key_candidates.clear();
      for (const std::string& key : first.key_candidates)
        if (likeness(key) > 0 && std::all_of(members.begin(), members.end(), [&](std::size_t i) {
              return std::find(streams_[i].key_candidates.begin(), streams_[i].key_candidates.end(), key) !=
                     streams_[i].key_candidates.end();
            }))
          joined.key_candidates.push_back(key);
      contents_.streams.push_back(std::move(joined));
    }
  }

  // The glob that matches these files and no other of the folder; "" when there is none.
  std::string exact_glob(const std::vector<std::size_t>& members) const {
    for (const std::string_view wildcard : {"*", "[0-9]*"}) {
      const std::string glob = pattern_of(streams_[members.front()].path, wildcard);
      std::size_t matched = 0;
      for (const FoundStream& stream : streams_) matched += glob_match(glob, stream.path) ? 1 : 0;
      for (const SkippedFile& skipped : contents_.skipped) matched += glob_match(glob, skipped.path) ? 1 : 0;
      if (matched == members.size()) return glob;
    }
    return "";
  }

  static std::string pattern_of(const std::string& path, std::string_view wildcard) {
    const std::string folder =
        fs::path(path).has_parent_path() ? fs::path(path).parent_path().string() + "/" : "";
    const std::string name = fs::path(path).filename().string();
    const std::size_t stem_end = name.find('.', 1);
    std::string out = folder;
    for (std::size_t i = 0; i < name.size();) {
      if (i >= stem_end || name[i] < '0' || name[i] > '9') {
        out += name[i++];
        continue;
      }
      std::size_t end = i;
      while (end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
      const bool alone = end >= stem_end || name[end] == '-' || name[end] == '_' || name[end] == 'T';
      out += alone ? std::string(wildcard) : name.substr(i, end - i);
      i = end;
    }
    return out;
  }

  static bool same_columns(const FoundStream& a, const FoundStream& b) {
    return a.format == b.format &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                      [](const FoundColumn& x, const FoundColumn& y) { return x.name == y.name; });
  }

  void name_all() {
    std::map<std::string, int> wanted;
    const auto stem = [](const FoundStream& stream) {
      const std::string name = fs::path(stream.path).filename().string();
      const std::string plain =
          replace_all(replace_all(name.substr(0, name.find('.', 1)), "[0-9]*", ""), "*", "");
      // Nothing but numbers in the name: the folder says more.
      const fs::path parent = fs::path(stream.path).parent_path().filename();
      const bool nameless = plain.find_first_not_of("-_T") == std::string::npos;
      return nameless && !parent.empty() ? parent.string() : plain;
    };
    for (const FoundStream& stream : contents_.streams) ++wanted[identifier_of(stem(stream))];
    std::set<std::string> taken;
    for (FoundStream& stream : contents_.streams) {
      std::string name = identifier_of(stem(stream));
      if (wanted[name] > 1) name += "_" + std::string(name_of(stream.format));
      std::string unique = name;
      for (int i = 2; !taken.insert(unique).second; ++i) unique = fmt::format("{}_{}", name, i);
      stream.name = unique;
    }
  }

  engine::Connection& connection_;
  fs::path folder_, work_;
  const Cancel& cancel_;
  std::vector<FoundStream> streams_;
  FolderContents contents_;
};

}  // namespace

std::string identifier_of(std::string_view stem) {
  std::string out;
  for (std::size_t i = 0; i < stem.size(); ++i) {
    const char c = stem[i];
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper && i > 0 && stem[i - 1] >= 'a' && stem[i - 1] <= 'z') out += '_';
    if (word)
      out += upper ? static_cast<char>(c + ('a' - 'A')) : c;
    else if (!out.empty() && out.back() != '_')
      out += '_';
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (out.empty()) return "data";
  return out[0] >= '0' && out[0] <= '9' ? "t_" + out : out;
}

FolderContents inspect_folder(engine::Connection& connection, const fs::path& folder, const fs::path& work,
                              const Cancel& cancel) {
  return Inspector(connection, folder, work, cancel).run();
}

}  // namespace eddy::ingest
