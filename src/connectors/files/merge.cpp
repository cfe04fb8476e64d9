#include "connectors/files/merge.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.h"

namespace eddy::connectors {
namespace fs = std::filesystem;
using engine::quote_identifier;
using engine::quote_literal;

namespace {

std::string segments_relation(const std::vector<fs::path>& segments) {
  std::vector<std::string> files;
  for (const fs::path& segment : segments) files.push_back(path_literal(segment));
  return fmt::format("read_parquet([{}])", join(files, ", "));
}

std::vector<std::string> numbered(const char* prefix, std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(fmt::format("{}{}", prefix, i));
  return out;
}

// One row per key. A run tells each key once, so that mostly there is nothing to do; when a key was told more
// than once, the last word about each field counts.
std::string told(engine::Connection& connection, const JournalRun& run,
                 const std::vector<fs::path>& segments) {
  const std::string all = segments_relation(segments);
  const std::string keys = join(numbered("k", run.key.size()), ", ");
  const bool repeated = connection
                            .query(fmt::format("select count(*) > count(distinct ({})) from {}",
                                               run.key.size() == 1 ? keys : "row(" + keys + ")", all))
                            .scalar()
                            .as_boolean();
  if (!repeated) return fmt::format("(select * from {})", all);
  std::vector<std::string> fields, kept;
  for (std::size_t i = 0; i < run.fields.size(); ++i) {
    const std::string written = fmt::format("(_kept is null or substr(_kept, {}, 1) = '0')", i + 1);
    fields.push_back(fmt::format(", arg_max({{'v': f{0}}}, _at) filter ({1})['v'] as f{0}", i, written));
    kept.push_back(fmt::format("case when bool_or({}) then '0' else '1' end", written));
  }
  // What was said before a removal is void.
  return fmt::format(
      "(select max(_seq) as _seq, 0 as _row, arg_max(_op, _at) as _op, {} as _kept, {}{} from (select *, "
      "(_seq, _row) as "
      "_at from {} qualify _at >= coalesce(max(_at) filter (_op = 'remove') over (partition by {}), (0, 0))) "
      "group by "
      "{})",
      kept.empty() ? "null::varchar" : join(kept, " || "), keys, join(fields, ""), all, keys, keys);
}

// Key column i as the journal has it under the name `relation`, in the type of the file's column.
std::string told_key(const JournalRun& run, const FileTypes& types, std::size_t i,
                     std::string_view relation) {
  const std::string text = fmt::format("{}.k{}", relation, i);
  return run.target.format == FileFormat::jsonl ? fmt::format("json_extract_string({}, '$')", text)
                                                : typed(text, types.key[i]);
}

std::string shortest(const std::string& decimal) {
  return fmt::format("rtrim(regexp_replace(({})::varchar, '(\\.[0-9]*?)0+$', '\\1'), '.')", decimal);
}

struct Parts {
  std::string join_on, order;
};

Parts match_and_order(const StoredFile& stored, const JournalRun& run, const FileTypes& types) {
  std::vector<std::string> on, order;
  for (std::size_t i = 0; i < run.key.size(); ++i) {
    const std::string in_file = stored.key(run.key[i].name), in_journal = told_key(run, types, i, "j");
    on.push_back(fmt::format("{} = {}", in_file, in_journal));
    const std::string either = fmt::format("coalesce({}, {})", in_file, in_journal);
    if (types.key[i] == "VARCHAR" && (run.key[i].type == Type::integer || run.key[i].type == Type::decimal))
      order.push_back(fmt::format("try_cast({} as double)", either));
    order.push_back(either);
  }
  return {join(on, " and "), join(order, ", ")};
}

// True where the journal decides about field i.
std::string decides(std::size_t i) {
  return fmt::format("j._seq is not null and (j._kept is null or substr(j._kept, {}, 1) = '0')", i + 1);
}

// Key and mapped fields, then whatever else the line had. A line nobody spoke of stays as it is, to the
// letter.
std::string line_of(const StoredFile& stored, const JournalRun& run) {
  std::vector<std::string> members, ours;
  for (std::size_t i = 0; i < run.key.size(); ++i) {
    members.push_back(fmt::format(
        "{} || j.k{}", quote_literal(fmt::format("{}:", nlohmann::json(run.key[i].name).dump())), i));
    ours.push_back(quote_literal(run.key[i].name));
  }
  for (std::size_t i = 0; i < run.fields.size(); ++i) {
    members.push_back(
        fmt::format("{} || coalesce(case when {} then j.f{} else {} end, 'null')",
                    quote_literal(fmt::format("{}:", nlohmann::json(run.fields[i].name).dump())), decides(i),
                    i, stored.cell(run.fields[i].name)));
    ours.push_back(quote_literal(run.fields[i].name));
  }
  const std::string others = fmt::format(
      "coalesce(array_to_string(list_transform(list_filter(json_keys(o.line), lambda n: not "
      "list_contains([{}], n)), "
      "lambda n: ',' || to_json(n)::varchar || ':' || json_extract(o.line, '/' || replace(replace(n, '~', "
      "'~0'), '/', "
      "'~1'))::varchar), ''), '')",
      join(ours, ", "));
  return fmt::format("case when j._seq is null then o.line else '{{' || {} || {} || '}}' end as line",
                     join(members, " || ',' || "), others);
}

std::string columns_of(const StoredFile& stored, const JournalRun& run, const FileTypes& types) {
  std::vector<std::string> out;
  const auto key_column = [&](std::size_t i) {
    return fmt::format("coalesce({}, {}) as {}", stored.cell(run.key[i].name),
                       typed(fmt::format("j.k{}", i), types.key[i]), quote_identifier(run.key[i].name));
  };
  const auto field_column = [&](std::size_t i) {
    const std::string type = types.fields[i];
    return fmt::format("case when {} then {} else cast({} as {}) end as {}", decides(i),
                       typed(fmt::format("j.f{}", i), type), stored.cell(run.fields[i].name), type,
                       quote_identifier(run.fields[i].name));
  };
  const auto place = [](const Schema& columns, const std::string& name) {
    return static_cast<std::size_t>(
        std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; }) -
        columns.begin());
  };
  for (const StoredColumn& column : stored.columns()) {
    const std::size_t key = place(run.key, column.name), field = place(run.fields, column.name);
    if (key < run.key.size())
      out.push_back(key_column(key));
    else if (field < run.fields.size())
      out.push_back(field_column(field));
    else
      out.push_back(fmt::format("{} as {}", stored.cell(column.name), quote_identifier(column.name)));
  }
  for (std::size_t i = 0; i < run.key.size(); ++i)
    if (stored.find(run.key[i].name) == nullptr) out.push_back(key_column(i));
  for (std::size_t i = 0; i < run.fields.size(); ++i)
    if (stored.find(run.fields[i].name) == nullptr) out.push_back(field_column(i));
  return join(out, ", ");
}

}  // namespace

std::vector<DecimalRoom> decimal_rooms(engine::Connection& connection, const StoredFile& stored,
                                       const JournalRun& run, const std::vector<fs::path>& segments) {
  std::vector<DecimalRoom> rooms(run.key.size() + run.fields.size());
  if (run.target.format != FileFormat::parquet) return rooms;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    const bool is_key = i < run.key.size();
    const Column& column = is_key ? run.key[i] : run.fields[i - run.key.size()];
    if (column.type != Type::decimal) continue;
    DecimalDigits used;
    if (const StoredColumn* there = stored.find(column.name); there != nullptr) {
      // "DECIMAL(18,2)": the digits after the point are the type's, those before it what the numbers need.
      used.fraction = std::stoi(there->engine_type.substr(there->engine_type.find(',') + 1));
      const Value widest =
          connection
              .query(fmt::format("select max(length(trunc(abs({}))::decimal(38,0)::varchar)) from {} o",
                                 stored.cell(column.name), stored.relation()))
              .scalar();
      used.whole = widest.is_null() ? 0 : static_cast<int>(widest.as_integer());
    }
    rooms[i] = DecimalRoom(used);
    if (segments.empty()) continue;
    const std::string text =
        fmt::format("ltrim({}{}, '-+')", is_key ? "k" : "f", is_key ? i : i - run.key.size());
    const auto row =
        connection
            .query(fmt::format("select coalesce(max(length(ltrim(split_part({0}, '.', 1), '0'))), 0), "
                               "coalesce(max(length(split_part({0}, '.', 2))), 0) from {1}",
                               text, segments_relation(segments)))
            .rows()
            .front();
    rooms[i].take({static_cast<int>(row[0].as_integer()), static_cast<int>(row[1].as_integer())});
  }
  return rooms;
}

FileTypes file_types(const StoredFile& stored, const JournalRun& run, const std::vector<DecimalRoom>& rooms) {
  FileTypes out;
  const auto type_of = [&](const Column& column, std::size_t i) -> std::string {
    if (run.target.format != FileFormat::parquet) return "VARCHAR";
    if (column.type == Type::decimal) return rooms[i].engine_type();
    const StoredColumn* there = stored.find(column.name);
    return there != nullptr ? there->engine_type : parquet_type(column.type);
  };
  for (std::size_t i = 0; i < run.key.size(); ++i) out.key.push_back(type_of(run.key[i], i));
  for (std::size_t i = 0; i < run.fields.size(); ++i)
    out.fields.push_back(type_of(run.fields[i], run.key.size() + i));
  return out;
}

std::string key_in_file(const StoredFile& stored, const JournalRun& run, const FileTypes& types,
                        std::size_t i) {
  const std::string key = stored.key(run.key[i].name);
  return types.key[i].starts_with("DECIMAL") ? shortest(key) : key;
}

std::string key_in_table(const JournalRun& run, const FileTypes& types, std::size_t i,
                         std::string_view table) {
  const std::string text = fmt::format("{}.k{}", table, i);
  return types.key[i].starts_with("DECIMAL") ? shortest(text) : told_key(run, types, i, table);
}

std::string whole_sql(engine::Connection& connection, const StoredFile& stored, const JournalRun& run,
                      const std::vector<fs::path>& segments) {
  const FileTypes types = file_types(stored, run, decimal_rooms(connection, stored, run, segments));
  const Parts parts = match_and_order(stored, run, types);
  const std::string journal =
      segments.empty()
          ? fmt::format("(select null::bigint as _seq, null as _op, null as _kept{}{} where false)",
                        join(numbered(", null::varchar as k", run.key.size()), ""),
                        join(numbered(", null::varchar as f", run.fields.size()), ""))
          : told(connection, run, segments);
  const std::string both =
      stored.has_rows()
          ? fmt::format("{} o full outer join {} j on {}", stored.relation(), journal, parts.join_on)
          : fmt::format("{} j left join {} o on true", journal, stored.relation());
  return fmt::format(
      "select {} from {} where j._op is distinct from 'remove' order by {}",
      run.target.format == FileFormat::jsonl ? line_of(stored, run) : columns_of(stored, run, types), both,
      parts.order);
}

std::string changes_sql(engine::Connection& connection, const JournalRun& run,
                        const std::vector<fs::path>& segments) {
  FileTarget nothing = run.target;
  nothing.file = run.folder() / "none";
  const StoredFile stored(connection, nothing);
  const FileTypes types = file_types(stored, run, decimal_rooms(connection, stored, run, segments));
  const std::string from = fmt::format("from {} j order by _seq, _row", segments_relation(segments));
  if (run.target.format == FileFormat::jsonl) {
    std::string line = fmt::format(
        "'{{\"_operation\":\"' || _op || '\",\"_run\":\"{}\",\"_changed\":' || _changed", run.run);
    const auto add = [&](const Schema& columns, const char* prefix) {
      for (std::size_t i = 0; i < columns.size(); ++i)
        line += fmt::format(" || {} || coalesce({}{}, 'null')",
                            quote_literal(fmt::format(",{}:", nlohmann::json(columns[i].name).dump())),
                            prefix, i);
    };
    add(run.key, "k");
    add(run.fields, "f");
    return fmt::format("select {} || '}}' as line {}", line, from);
  }
  std::string columns =
      fmt::format("_op as _operation, {} as _run, {} as _changed", quote_literal(run.run),
                  run.target.format == FileFormat::parquet ? "_changed::json::varchar[]" : "_changed");
  for (std::size_t i = 0; i < run.key.size(); ++i)
    columns += fmt::format(", {} as {}", typed(fmt::format("k{}", i), types.key[i]),
                           quote_identifier(run.key[i].name));
  for (std::size_t i = 0; i < run.fields.size(); ++i)
    columns += fmt::format(", {} as {}", typed(fmt::format("f{}", i), types.fields[i]),
                           quote_identifier(run.fields[i].name));
  return fmt::format("select {} {}", columns, from);
}

std::string copy_sql(const std::string& select, const FileTarget& target, const fs::path& to) {
  const std::string where = quote_literal(to.string());
  const std::string packing =
      fmt::format("compression {}, use_tmp_file false",
                  target.format == FileFormat::parquet && target.compression == FileCompression::none
                      ? "uncompressed"
                      : name_of(target.compression));
  switch (target.format) {
    case FileFormat::csv:
      return fmt::format(
          "copy ({}) to {} (format csv, header true, delimiter ',', quote '\"', escape '\"', nullstr '', {})",
          select, where, packing);
    case FileFormat::jsonl:
      // The lines are JSON already; U+0001 never stands in JSON, so nothing is quoted or cut.
      return fmt::format(
          "copy ({}) to {} (format csv, header false, delimiter e'\\x01', quote '', escape '', {})", select,
          where, packing);
    case FileFormat::parquet:
      return fmt::format("copy ({}) to {} (format parquet, {})", select, where, packing);
  }
  return {};
}

}  // namespace eddy::connectors
