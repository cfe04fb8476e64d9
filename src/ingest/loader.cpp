#include "ingest/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "engine/watch.h"
#include "ingest/bytes.h"
#include "ingest/csv.h"
#include "ingest/json.h"
#include "ingest/parquet.h"
#include "ingest/quarantine.h"
#include "ingest/seen.h"
#include "lake/layout.h"
#include "lake/publish.h"

namespace eddy::ingest {
namespace fs = std::filesystem;
using engine::quote_identifier;
using engine::quote_literal;
using nlohmann::json;

namespace {

// How many lines a text file has, judged by its first 64 KiB; for progress only.
std::uint64_t about_lines(const fs::path& file, std::uint64_t bytes) {
  std::string head(64 << 10, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  const auto read = static_cast<std::uint64_t>(in.gcount());
  const auto lines = static_cast<std::uint64_t>(std::count(head.begin(), head.begin() + in.gcount(), '\n'));
  return read == 0 ? 0 : lines * bytes / read;
}

// The engine's own spelling of the declared types; a word it does not know is the user's mistake.
StreamSpec with_canonical_types(engine::Connection& connection, StreamSpec stream) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ (),[]\"";
  for (auto& [name, type] : stream.columns) {
    const auto unknown = [&, &column = name, &word = type] {
      const std::vector<std::string> common = {"BIGINT",      "INTEGER", "DOUBLE", "DECIMAL(18,2)",
                                               "VARCHAR",     "BOOLEAN", "DATE",   "TIMESTAMP",
                                               "TIMESTAMPTZ", "TIME",    "UUID",   "JSON"};
      const std::string hint = did_you_mean_hint(word, common);
      return Error("ingest.unknown_type",
                   fmt::format("{}: column `{}`: `{}` is no type", stream.relation(), column, word),
                   hint.empty() ? "types are " + join(common, ", ") : hint, stream.position);
    };
    if (type.find_first_not_of(allowed) != std::string::npos) throw unknown();
    try {
      const std::string canonical =
          connection.query(fmt::format("select typeof(null::{})", type)).scalar().as_string();
      // Parquet has no whole numbers beyond 64 bits: the engine would write them as DOUBLE.
      type = canonical == "HUGEINT" || canonical == "UHUGEINT" ? "DECIMAL(38,0)" : canonical;
    } catch (const Error&) {
      throw unknown();
    }
  }
  return stream;
}

class Load {
 public:
  Load(warehouse::Session& session, const StreamSpec& stream, Clock& clock, Progress& progress,
       const Cancel& cancel)
      : session_(session),
        lake_(session.places().lake),
        connection_(session.connect()),
        stream_(with_canonical_types(connection_, stream)),
        cancel_(cancel),
        watch_(connection_, stream.relation(), progress, cancel),
        loads_(session.store().loads(stream.source, stream.name)),
        seen_(loads_, stream_),
        schema_(seen_.schema()),
        dialect_(recorded_dialect(lake_, loads_)) {
    record_.id = new_id();
    record_.source = stream.source;
    record_.stream = stream.name;
    record_.loaded_at = format_utc(clock.now());
  }

  LoadResult run(Source& source, const std::string& run_id) {
    record_.run_id = run_id;
    lake::remove_abandoned(lake_);
    lake::remove_uncommitted_loads(lake_, session_.store(), stream_.source, stream_.name);
    const std::vector<Piece> pieces = source.list(stream_);
    if (pieces.empty() && loads_.empty())
      throw Error(
          "ingest.no_files", fmt::format("{}: no file matches `{}`", stream_.relation(), stream_.path),
          "correct `path` of the stream; it is relative to the connection's folder", stream_.position);
    std::vector<Piece> fresh;
    for (const Piece& piece : pieces)
      if (!seen_.unchanged(piece)) fresh.push_back(piece);
    result_.files_seen = pieces.size() - fresh.size();
    if (!fresh.empty()) take_in(fresh);
    remember_mode();
    session_.refresh_stream(connection_, stream_.source, stream_.name);
    return std::move(result_);
  }

 private:
  void take_in(const std::vector<Piece>& pieces) {
    lake::Staged staged = lake::Staged::folder(lake_);
    const lake::Staged work = lake::Staged::folder(lake_);
    QuarantineWriter quarantine(staged.path() / "quarantine.jsonl");
    for (const Piece& piece : pieces) {
      stop_if(cancel_);
      take_in(piece, staged.path(), work.path(), quarantine);
    }
    quarantine.close();
    if (record_.files.empty()) return;
    if (const auto& bad = quarantine.first_bad_value(); bad && stream_.bad_types == StreamSpec::Types::freeze)
      throw Error("ingest.contract_types",
                  fmt::format("{}: {}, line {}: {}, and the contract freezes the types", stream_.relation(),
                              bad->file, bad->line, bad->reason),
                  "have the file corrected, or set `contract: {types: quarantine}`", stream_.position);
    check_columns();
    record_.schema = schema_.to_json();
    write_file_atomically(staged.path() / "load.json", sidecar(staged.path()).dump(2) + "\n");
    stop_if(cancel_);
    staged.publish(lake::load_folder(stream_.source, stream_.name, record_.id));
    session_.store().commit_load(record_);
    result_.load_id = record_.id;
  }

  void take_in(const Piece& piece, const fs::path& staged, const fs::path& work,
               QuarantineWriter& quarantine) {
    const std::string raw_name = unique_name(fs::path(piece.origin).filename().string());
    const fs::path raw = staged / raw_name;
    const FileStamp stamp = copy_unchanged(piece.file, raw, cancel_);
    state::LoadedFile file;
    const bool perhaps_known = seen_.knows_size(stamp.bytes) && !seen_.outdated(piece);
    if (perhaps_known) file.sha256 = sha256_of_file(raw, cancel_);
    if (perhaps_known && seen_.knows_content(file.sha256)) {
      fs::remove(raw);
      names_.erase(lower(raw_name));
      ++result_.files_seen;
      return;
    }
    // Beside the engine: one thread takes the checksum of the copy and makes it durable.
    std::future<std::string> digest = std::async(std::launch::async, [&, known = file.sha256] {
      const std::string sha256 = known.empty() ? sha256_of_file(raw, cancel_) : known;
      sync_path(raw);
      return sha256;
    });
    const std::string rows_name = fmt::format("{}.parquet", record_.files.size() + 1);
    Rendering job{connection_,  stream_, cancel_, record_.id,        record_.loaded_at,
                  piece.origin, raw,     work,    staged / rows_name};
    const Compression compression = compression_of(raw);
    if (compression == Compression::none && piece.format != Format::parquet)
      watch_.expect_rows(about_lines(raw, stamp.bytes));
    Rendered rendered;
    try {
      if (compression != Compression::none) {
        job.plain = work / "unpacked";
        unpack(raw, job.plain, compression, cancel_);
      }
      rendered = render(job, piece.format, quarantine);
    } catch (const Error& e) {
      if (e.code() != "ingest.damaged_compression") throw;
      rendered = set_aside(job, raw, stamp, e.message(), quarantine);
    }
    if (job.plain != raw) fs::remove(job.plain);
    check_rows(job.out, rendered, piece.origin);
    file.sha256 = digest.get();
    seen_.remember(stamp.bytes, file.sha256);
    file.path = piece.origin;
    file.bytes = stamp.bytes;
    file.modified_ns = stamp.modified_ns;
    const fs::path folder = lake::load_folder(stream_.source, stream_.name, record_.id);
    file.raw_path = (folder / raw_name).string();
    if (rendered.written) file.rows_path = (folder / rows_name).string();
    file.rows = rendered.rows;
    file.quarantined = rendered.quarantined;
    describe(piece, compression, rendered);
    add_to_result(file, rendered);
    record_.files.push_back(std::move(file));
  }

  Rendered render(const Rendering& job, Format format, QuarantineWriter& quarantine) {
    if (format == Format::parquet) return render_parquet(job, schema_, quarantine);
    if (format == Format::json || format == Format::jsonl)
      return render_json(job, format, schema_, quarantine);
    Rendered rendered = render_csv(job, format, schema_, dialect_, quarantine);
    if (rendered.dialect && rendered.rows > 0) dialect_ = rendered.dialect;
    if (!rendered.written && !schema_.columns().empty()) {
      write_empty_parquet(job, schema_);
      rendered.written = true;
    }
    return rendered;
  }

  Rendered set_aside(const Rendering& job, const fs::path& raw, const FileStamp& stamp,
                     const std::string& reason, QuarantineWriter& quarantine) {
    QuarantinedRow row;
    row.file = job.origin;
    row.length = stamp.bytes;
    row.code = "file.damaged_compression";
    row.reason = "the whole file: " + reason;
    const MappedFile bytes(raw);
    row.bytes = bytes.bytes().substr(0, 256);
    row.truncated = row.bytes.size() < row.length;
    row.whole_file = true;
    quarantine.add(row);
    Rendered rendered;
    rendered.quarantined = 1;
    rendered.written = !schema_.columns().empty();
    if (rendered.written) write_empty_parquet(job, schema_);
    return rendered;
  }

  // "orders.csv", then "orders-2.csv"; never one of the load's own names.
  std::string unique_name(const std::string& wanted) {
    const fs::path name(wanted);
    std::string candidate = wanted;
    const auto ours = [](const std::string& n) {
      return n == "load.json" || n == "quarantine.jsonl" ||
             (n.ends_with(".parquet") && n.find_first_not_of("0123456789") == n.size() - 8);
    };
    for (int i = 2; ours(lower(candidate)) || !names_.insert(lower(candidate)).second; ++i) {
      const auto dot = wanted.find('.', 1);
      candidate = dot == std::string::npos
                      ? fmt::format("{}-{}", wanted, i)
                      : fmt::format("{}-{}{}", wanted.substr(0, dot), i, wanted.substr(dot));
    }
    return candidate;
  }

  void check_rows(const fs::path& parquet, const Rendered& rendered, const std::string& origin) {
    if (!rendered.written) return;
    const Value there = connection_
                            .query(fmt::format("select num_rows::bigint from parquet_file_metadata({})",
                                               quote_literal(parquet.string())))
                            .scalar();
    if (there.is_null() || static_cast<std::uint64_t>(there.as_integer()) != rendered.rows)
      throw Error("ingest.unaccounted_rows",
                  fmt::format("{}: {}: {} rows were read, but {} are in the lake", stream_.relation(), origin,
                              rendered.rows, there.to_text()),
                  "nothing of this load was kept; check the disk of the lake folder", stream_.position);
  }

  void check_columns() const {
    if (schema_.columns().empty()) return;
    std::vector<std::string> names, wanted = stream_.key;
    for (const StreamColumn& column : schema_.columns()) names.push_back(column.name);
    if (!stream_.cursor.empty()) wanted.push_back(stream_.cursor);
    for (const auto& column : stream_.columns) wanted.push_back(column.first);
    for (const std::string& name : wanted)
      if (schema_.find(name) == nullptr) {
        const std::string hint = did_you_mean_hint(name, names);
        throw Error("ingest.no_such_column",
                    fmt::format("{}: there is no column `{}`", stream_.relation(), name),
                    hint.empty() ? "its columns are " + join(names, ", ") : hint, stream_.position);
      }
  }

  void describe(const Piece& piece, Compression compression, const Rendered& rendered) {
    json about = {{"format", name_of(piece.format)}, {"compression", name_of(compression)}};
    if (rendered.dialect) about["csv"] = rendered.dialect->to_json();
    about_.push_back(std::move(about));
  }

  void add_to_result(const state::LoadedFile& file, const Rendered& rendered) {
    ++result_.files_new;
    result_.rows += file.rows;
    result_.quarantined += file.quarantined;
    result_.bytes += file.bytes;
    result_.schema_changes.insert(result_.schema_changes.end(), rendered.changes.begin(),
                                  rendered.changes.end());
    watch_.add_rows(file.rows);
  }

  json sidecar(const fs::path& staged) {
    json files = json::array();
    std::vector<std::string> parquets;
    for (std::size_t i = 0; i < record_.files.size(); ++i) {
      const state::LoadedFile& file = record_.files[i];
      json entry = {
          {"origin", file.path},
          {"raw", fs::path(file.raw_path).filename().string()},
          {"sha256", file.sha256},
          {"bytes", file.bytes},
          {"modified_at", format_utc(Clock::WallTime(std::chrono::microseconds(file.modified_ns / 1000)))},
          {"rows", file.rows},
          {"quarantined", file.quarantined}};
      if (!file.rows_path.empty()) {
        entry["rendering"] = fs::path(file.rows_path).filename().string();
        parquets.push_back(quote_literal((staged / fs::path(file.rows_path).filename()).string()));
      }
      entry.update(about_[i]);
      files.push_back(std::move(entry));
    }
    json out = {{"load_id", record_.id},
                {"source", record_.source},
                {"stream", record_.stream},
                {"run_id", record_.run_id},
                {"loaded_at", record_.loaded_at},
                {"rows", result_.rows},
                {"quarantined", result_.quarantined},
                {"bytes", result_.bytes},
                {"schema", json::parse(schema_.to_json())},
                {"files", std::move(files)}};
    if (!stream_.cursor.empty() && !parquets.empty()) {
      const std::string cursor = quote_identifier(stream_.cursor);
      const Row range =
          connection_
              .query(fmt::format(
                  "select min({0})::varchar, max({0})::varchar from read_parquet([{1}], union_by_name=true)",
                  cursor, join(parquets, ", ")))
              .rows()
              .at(0);
      out["cursor"] = {{"column", stream_.cursor}, {"min", range[0].to_json()}, {"max", range[1].to_json()}};
    }
    return out;
  }

  void remember_mode() {
    const std::string fact = fmt::format("stream_mode.{}.{}", stream_.source, stream_.name);
    const std::string mode = stream_.mode == StreamSpec::Mode::append ? "append" : "replace";
    if (session_.store().fact(fact).value_or("replace") != mode) session_.store().put_fact(fact, mode);
  }

  warehouse::Session& session_;
  fs::path lake_;
  engine::Connection connection_;
  StreamSpec stream_;
  const Cancel& cancel_;
  engine::Watch watch_;
  std::vector<state::Load> loads_;
  Seen seen_;
  StreamSchema schema_;
  std::optional<CsvDialect> dialect_;
  state::Load record_;
  std::vector<json> about_;      // per file of record_
  std::set<std::string> names_;  // taken in the load's folder, lower case
  LoadResult result_;
};

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", with_commas(count), noun, count == 1 ? "" : "s");
}

}  // namespace

std::string_view name_of(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return "gzip";
    case Compression::zstd:
      return "zstd";
    default:
      return "none";
  }
}

std::string LoadResult::summary() const {
  if (files_new == 0) return fmt::format("nothing new ({} seen before)", counted(files_seen, "file"));
  std::string out = fmt::format("{} from {}", counted(rows, "row"), counted(files_new, "file"));
  if (quarantined > 0) out += fmt::format(", {} quarantined", with_commas(quarantined));
  if (files_seen > 0) out += fmt::format(", {} seen before", counted(files_seen, "file"));
  return out;
}

std::string LoadResult::details() const {
  return json{{"load_id", load_id},
              {"files_new", files_new},
              {"files_seen", files_seen},
              {"rows_read", rows + quarantined},
              {"rows", rows},
              {"quarantined", quarantined},
              {"bytes", bytes},
              {"schema_changes", schema_changes}}
      .dump();
}

LoadResult load_stream(warehouse::Session& session, const StreamSpec& stream, Source& source,
                       const std::string& run_id, Clock& clock, Progress& progress, const Cancel& cancel) {
  try {
    return Load(session, stream, clock, progress, cancel).run(source, run_id);
  } catch (const Error& e) {
    if (e.code() == "engine.interrupted") stop_if(cancel);
    throw;
  }
}

}  // namespace eddy::ingest
