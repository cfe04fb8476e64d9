// For the tests of this folder: a project with a data folder, a lake, a session, and a source over the
// folder.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "core/text.h"
#include "ingest/bytes.h"
#include "ingest/loader.h"
#include "ingest/quarantine.h"
#include "support/scratch.h"

namespace eddy::ingest::testing {

using eddy::testing::Scratch;

// As connectors/files does it, in little: ingest itself may not know connectors.
class FolderSource final : public Source {
 public:
  explicit FolderSource(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::string check() override { return "a folder"; }
  std::vector<Piece> list(const StreamSpec& stream) override {
    std::vector<Piece> pieces;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      const std::string origin = entry.path().lexically_relative(folder_).string();
      names.push_back(origin);
      if (!entry.is_regular_file() || !glob_match(stream.path, origin)) continue;
      const FileStamp stamp = stamp_of(entry.path());
      pieces.push_back({origin, entry.path(), stamp.bytes, stamp.modified_ns,
                        stream.format.value_or(format_of_path(origin).value_or(Format::csv)),
                        Compression::none});
    }
    if (pieces.empty() && stream.path.find('*') == std::string::npos)
      throw Error("ingest.no_files",
                  fmt::format("{}: there is no file {}", stream.relation(), (folder_ / stream.path).string()),
                  did_you_mean_hint(stream.path, names));
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return a.origin < b.origin; });
    return pieces;
  }

 private:
  std::filesystem::path folder_;
};

class Project {
 public:
  Project() {
    std::filesystem::create_directories(data());
    store_ = state::Store::open(scratch_.path() / ".eddy" / "state.db");
    session_ = std::make_unique<warehouse::Session>(
        warehouse::Places{scratch_.path(), scratch_.path() / ".eddy", lake(), scratch_.path() / "w.duckdb"},
        *store_,
        engine::Options{.memory_limit = "1GB", .spill_folder = scratch_.path() / "spill", .threads = 2},
        warehouse::Access::read);
  }
  std::filesystem::path data() const { return scratch_.path() / "data"; }
  std::filesystem::path lake() const { return scratch_.path() / "lake"; }
  void write(const std::string& name, std::string_view bytes) { scratch_.write("data/" + name, bytes); }
  state::Store& store() { return *store_; }
  engine::Connection connect() { return session_->connect(); }

  LoadResult load(StreamSpec spec) {
    spec.source = "shop";
    spec.name = "s";
    FolderSource source(data());
    return load_stream(*session_, spec, source, "run", system_clock(), silent_progress(), cancel);
  }

  // "code: message"; the hint is in `hint`.
  std::string error_of(const StreamSpec& spec) {
    try {
      load(spec);
    } catch (const Error& e) {
      hint = e.hint();
      return e.what();
    }
    return "no error";
  }

  // Rows as "a|b\n".
  std::string sql(const std::string& text) {
    std::string out;
    auto c = session_->connect();
    for (const Row& row : c.query(text).rows()) {
      for (std::size_t i = 0; i < row.size(); ++i) out += (i > 0 ? "|" : "") + row[i].to_text();
      out += "\n";
    }
    return out;
  }

  // "file:line code reason <bytes>\n" of the newest load that has any.
  std::string quarantine(bool without_reason = false) {
    std::string out, load;
    for (const QuarantinedRow& row : quarantined_rows(lake(), *store_, "shop", "s")) {
      if (load.empty()) load = row.load_id;
      if (row.load_id != load) break;
      out += fmt::format("{}:{} {}{} <{}>\n", row.file, row.line, row.code,
                         without_reason ? "" : " " + row.reason, row.bytes.substr(0, 200));
    }
    return out;
  }

  Cancel cancel;
  std::string hint;

 private:
  Scratch scratch_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<warehouse::Session> session_;
};

}  // namespace eddy::ingest::testing
