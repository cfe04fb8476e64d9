#include "transform/build.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "engine/watch.h"
#include "lake/layout.h"
#include "transform/model_sql.h"

namespace eddy::transform {

using engine::quote_identifier;
using engine::quote_literal;
using warehouse::Session;

namespace {

// For statements of our own making: what the engine points at is no line of the file.
constexpr int no_place = 1 << 30;

class Build {
 public:
  Build(Session& session, const ModelSpec& spec, const std::string& run_id, Clock& clock, Progress& progress,
        const Cancel& cancel, const lake::Retention& retention)
      : session_(session),
        spec_(spec),
        run_id_(run_id),
        clock_(clock),
        progress_(progress),
        cancel_(cancel),
        retention_(retention),
        connection_(session.connect()) {}

  BuildResult run() {
    engine::throw_if_cancelled(cancel_);
    inputs_ = dependencies(connection_, spec_);
    check_inputs();
    check_columns();
    result_.relation = spec_.relation();
    result_.version = new_id();
    if (spec_.materialize == Materialize::view)
      build_view();
    else if (spec_.in_warehouse())
      build_warehouse_table();
    else
      build_lake_table();
    return std::move(result_);
  }

 private:
  void check_inputs() {
    std::vector<std::string> known = session_.relations(connection_);
    for (std::string& relation : known) relation = lower(relation);
    for (const Dependency& input : inputs_)
      if (std::find(known.begin(), known.end(), input.relation) == known.end())
        throw Error(unknown_relation(spec_.source, input, known));
  }

  // Of the SQL and of the versions it read.
  std::string fingerprint() {
    std::string text = std::string(name_of(spec_.materialize)) + "\n" + spec_.sql();
    for (const Dependency& input : inputs_)
      if (const auto version = session_.store().current_model(input.relation))
        text += "\n" + input.relation + " " + version->version;
    for (const auto& [source, stream] : session_.store().loaded_streams()) {
      const std::string relation = lower("raw." + source + "_" + stream);
      if (std::none_of(inputs_.begin(), inputs_.end(),
                       [&](const Dependency& d) { return d.relation == relation; }))
        continue;
      if (const auto loads = session_.store().loads(source, stream); !loads.empty())
        text += "\n" + relation + " " + loads.back().id;
    }
    return sha256_hex(text);
  }

  void commit(const std::string& path) {
    session_.store().commit_model({spec_.relation(), result_.version, path, result_.rows,
                                   format_utc(clock_.now()), fingerprint(), run_id_});
    auto fresh = session_.connect();
    session_.refresh_model(fresh, spec_.relation());
  }

  template <class Work>
  auto with_place(int lines_before, Work work) {
    try {
      return work();
    } catch (const Error& e) {
      throw sql_error(spec_.source, e, lines_before);
    }
  }

  // A mark on a column that is not there protects nothing.
  void check_columns() {
    if (spec_.columns.empty()) return;
    std::vector<std::string> known;
    for (const auto& column : with_place(0, [&] { return connection_.columns_of(spec_.sql()); }))
      known.push_back(column.name);
    if (spec_.in_warehouse() && spec_.materialize == Materialize::dimension)
      known.push_back(surrogate_column(spec_.name));
    for (const DimensionLookup& lookup : spec_.dimensions) known.push_back(lookup.column.text);
    for (const ColumnSpec& column : spec_.columns)
      if (std::none_of(known.begin(), known.end(),
                       [&](const std::string& k) { return lower(k) == lower(column.name.text); }))
        throw unknown_column(column.name, known);
  }

  Error unknown_column(const Word& word, const std::vector<std::string>& known) {
    std::string hint = did_you_mean_hint(word.text, known);
    if (hint.empty()) hint = "it gives: " + join(known, ", ");
    return spec_.error("transform.unknown_column",
                       fmt::format("the SELECT of {} gives no column `{}`", spec_.relation(), word.text),
                       hint, word.at);
  }

  void build_view() {
    with_place(0, [&] { return connection_.columns_of(spec_.sql()); });
    if (spec_.layer == "warehouse") drop_former_table();
    commit(std::string(Session::view_mark) + spec_.sql());
    result_.summary = "view";
  }

  void drop_former_table() {
    const std::lock_guard writer(session_.warehouse_writer());
    if (!read_table(connection_, spec_.name)) return;
    if (const auto referring = tables_referring_to(connection_, spec_.name); !referring.empty())
      throw spec_.error("transform.foreign_key",
                        fmt::format("warehouse.{} refers to {}, which cannot become a view",
                                    join(referring, ", warehouse."), spec_.relation()),
                        "a foreign key needs a table", {});
    connection_.execute("drop table " + warehouse_name(spec_.name));
  }

  void build_lake_table() {
    auto staged = lake::Staged::file(session_.places().lake, ".parquet");
    {
      const engine::Watch watch(connection_, spec_.relation(), progress_, cancel_);
      result_.rows = with_place(1, [&] {
        return connection_
            .query(fmt::format("copy (\n{}\n) to {} (format parquet, compression zstd)", spec_.sql(),
                               quote_literal(staged.path().string())))
            .rows_changed();
      });
      check_lake_key(staged.path());
    }
    engine::throw_if_cancelled(cancel_);
    const auto path = lake::model_version(spec_.relation(), result_.version);
    staged.publish(path);
    result_.summary = fmt::format("{} row{}", with_commas(result_.rows), result_.rows == 1 ? "" : "s");
    commit(path.string());
    lake::collect_model_versions(session_.places().lake, session_.store(), spec_.relation(), retention_,
                                 clock_.now());
  }

  void check_lake_key(const std::filesystem::path& file) {
    if (spec_.key.empty()) return;
    const std::string rows = fmt::format("read_parquet({})", quote_literal(file.string()));
    std::vector<std::string> columns, known;
    for (const auto& column : connection_.columns_of("select * from " + rows)) known.push_back(column.name);
    for (const Word& word : spec_.key) {
      const auto column = std::find_if(known.begin(), known.end(),
                                       [&](const std::string& k) { return lower(k) == lower(word.text); });
      if (column == known.end()) throw unknown_column(word, known);
      columns.push_back(*column);
    }
    check_key(connection_, spec_, rows, columns, spec_.key.front().at);
  }

  void build_warehouse_table() {
    Content content;
    {
      const engine::Watch watch(connection_, spec_.relation(), progress_, cancel_);
      with_place(1, [&] {
        connection_.execute(fmt::format("create temp table {} as\n{}", staged_table, spec_.sql()));
      });
    }
    engine::throw_if_cancelled(cancel_);
    {
      // From reading the keys of other tables to the commit nobody else may move them.
      const std::lock_guard writer(session_.warehouse_writer());
      content = publish();
    }
    result_.rows = content.rows;
    result_.kept = content.kept;
    result_.unknown = content.unknown;
    result_.summary = summary();
    commit(std::string(Session::table_mark) + spec_.name);
    auto fresh = session_.connect();
    for (const std::string& table : result_.rebuilt) session_.refresh_warehouse_table(fresh, table);
  }

  Content publish() {
    Content content;
    {
      const engine::Watch watch(connection_, spec_.relation(), progress_, cancel_);
      content = with_place(no_place, [&] { return make_content(connection_, spec_); });
    }
    engine::throw_if_cancelled(cancel_);
    use_warehouse(connection_);
    try {
      engine::Transaction transaction(connection_);
      {
        const engine::Watch watch(connection_, spec_.relation(), progress_, cancel_);
        const Preference preference =
            spec_.materialize == Materialize::dimension ? Preference::merge : Preference::rebuild;
        result_.rebuilt =
            replace_table(connection_, content.table, std::string(content_table), preference).rebuilt;
      }
      engine::throw_if_cancelled(cancel_);
      transaction.commit();
    } catch (const Error& e) {
      throw explain_violation(connection_, spec_, content.table, e);
    }
    return content;
  }

  std::string summary() const {
    std::string out = fmt::format("{} row{}", with_commas(result_.rows), result_.rows == 1 ? "" : "s");
    for (const UnknownCount& unknown : result_.unknown)
      if (unknown.null + unknown.not_found > 0)
        out += fmt::format("; {} without {}", with_commas(unknown.null + unknown.not_found), unknown.column);
    if (result_.kept > 0)
      out += fmt::format("; {} kept that the model no longer gives", with_commas(result_.kept));
    return out;
  }

  Session& session_;
  const ModelSpec& spec_;
  const std::string& run_id_;
  Clock& clock_;
  Progress& progress_;
  const Cancel& cancel_;
  const lake::Retention& retention_;
  engine::Connection connection_;
  std::vector<Dependency> inputs_;
  BuildResult result_;
};

}  // namespace

BuildResult build_model(Session& session, const ModelSpec& spec, const std::string& run_id, Clock& clock,
                        Progress& progress, const Cancel& cancel, const lake::Retention& retention) {
  return Build(session, spec, run_id, clock, progress, cancel, retention).run();
}

}  // namespace eddy::transform
