#include "connectors/files/destination.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "connectors/files/files.h"
#include "connectors/files/writer.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "support/delivery.h"
#include "support/process.h"
#include "support/scratch.h"

namespace eddy::connectors {
namespace {
namespace fs = std::filesystem;

using testing::count;
using testing::deliver;
using testing::Scratch;

config::Node yaml(const std::string& text, const config::Shape& shape) {
  Diagnostics diagnostics;
  const config::Node node = config::parse(text, "syncs/test.yml", config::no_variables(), diagnostics);
  shape.check(node, diagnostics);
  diagnostics.throw_if_any();
  return node;
}

// One folder, and a sync of people: id, name, score, joined.
struct Bed {
  explicit Bed(fs::path where) : root(std::move(where)) {
    fs::create_directories(root / "out");
    destination = files_destination().make(yaml("path: out", files_settings()),
                                           {.clock = system_clock(), .cancel = cancel, .project = root});
  }
  static sync::Delivery people(const std::string& object, const std::string& options = "{}",
                               sync::Mode mode = sync::Mode::upsert) {
    return {.object = object,
            .mode = mode,
            .removed = sync::Removal::erase,
            .key = {{"id", Type::integer}},
            .fields = {{"name", Type::text}, {"score", Type::decimal}},
            .options = yaml(options, files_destination().options),
            .sync = "people"};
  }
  static Change person(int id, const Value& name, const std::string& score,
                       Operation operation = Operation::add) {
    return {.number = static_cast<std::uint64_t>(id),
            .operation = operation,
            .key = {Value::integer(id)},
            .fields = {name, score.empty() ? Value() : Value::decimal(score)},
            .changed = {true, true}};
  }
  static Change gone(int id) {
    return {.number = 0,
            .operation = Operation::remove,
            .key = {Value::integer(id)},
            .fields = {},
            .changed = {}};
  }
  // One whole run.
  std::vector<Verdict> run(const sync::Delivery& delivery, const std::vector<Change>& changes) {
    const auto writer = destination->open(delivery);
    auto verdicts = deliver(*writer, changes).verdicts;
    writer->finish();
    return verdicts;
  }
  std::string text(const std::string& file) const { return read_file(root / "out" / file); }
  // Rows as the engine reads them, by its own sniffing.
  std::string read(const std::string& sql) {
    auto database = engine::Database::in_memory({});
    auto connection = database.connect();
    std::string out;
    auto result = connection.query(replace_all(sql, "$", (root / "out/").string()));
    for (const auto& column : result.columns())
      out += (out.empty() ? "" : ",") + column.name + " " + column.engine_type;
    for (const Row& row : result.rows()) {
      out += "\n";
      for (std::size_t i = 0; i < row.size(); ++i)
        out += (i == 0 ? "" : "|") + (row[i].is_null() ? std::string("∅") : row[i].to_text());
    }
    return out;
  }
  std::vector<std::string> files(const std::string& folder) const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(root / "out" / folder))
      out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }
  fs::path root;
  Cancel cancel;
  std::unique_ptr<sync::Destination> destination;
};

std::string code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_NE(error.message(), "");
    EXPECT_NE(error.hint(), "") << error.message();
    return error.code();
  }
  return "";
}

TEST(FilesDestination, CsvHoldsEveryRowAndTellsNullFromEmptyText) {
  const Scratch scratch;
  Bed bed(scratch.path());
  bed.run(Bed::people("sub/people.csv"),
          {Bed::person(10, Value::text("says \"hi\", twice"), "1.50"), Bed::person(9, Value::text(""), ""),
           Bed::person(2, Value(), "-3"), Bed::person(3, Value::text("two\nlines"), "0")});
  EXPECT_EQ(bed.text("sub/people.csv"),
            "id,name,score\n2,,-3\n3,\"two\nlines\",0\n9,\"\",\n10,\"says \"\"hi\"\", twice\",1.50\n");
  bed.run(Bed::people("sub/people.csv"), {Bed::gone(3), Bed::gone(77)});
  bed.run(Bed::people("sub/people.csv"), {Bed::person(9, Value::text("x"), "7", Operation::change),
                                          Bed::person(1, Value::text("first"), "1")});
  EXPECT_EQ(bed.text("sub/people.csv"),
            "id,name,score\n1,first,1\n2,,-3\n9,x,7\n10,\"says \"\"hi\"\", twice\",1.50\n");
  EXPECT_EQ(bed.files("sub"), std::vector<std::string>{"people.csv"}) << "nothing is left beside it";
  EXPECT_EQ(bed.read("select id, name from read_csv('$sub/people.csv') where id = 10"),
            "id BIGINT,name VARCHAR\n10|says \"hi\", twice");
}

TEST(FilesDestination, EveryFormatAndPackingIsReadBackByTheEngine) {
  const Scratch scratch;
  Bed bed(scratch.path());
  for (const auto& [object, options, from] : std::vector<std::array<std::string, 3>>{
           {"a.csv", "{}", "read_csv('$a.csv')"},
           {"a.csv.gz", "{}", "read_csv('$a.csv.gz')"},
           {"a.csv.zst", "{}", "read_csv('$a.csv.zst')"},
           {"b.jsonl", "{}", "read_json('$b.jsonl')"},
           {"b.ndjson.gz", "{}", "read_json('$b.ndjson.gz')"},
           {"b.txt", "{format: jsonl, compression: zstd}", "read_json('$b.txt', compression='zstd')"},
           {"c.parquet", "{}", "read_parquet('$c.parquet')"},
           {"d.parquet", "{compression: none}", "read_parquet('$d.parquet')"}}) {
    for (int round = 0; round < 2; ++round) {
      std::vector<Change> changes;
      for (int id = round * 2; id < 1000 + round * 500; ++id)
        changes.push_back(
            Bed::person(id, Value::text("n" + std::to_string(id + round)), std::to_string(id) + ".25"));
      EXPECT_EQ(count(bed.run(Bed::people(object, options), changes), Outcome::applied), changes.size())
          << object;
    }
    EXPECT_EQ(bed.read("select count(*) n, count(distinct id) d, sum(score)::decimal(18,2) s, "
                       "count(*) filter (name = 'n' || (id + 1)) c from " +
                       from),
              "n BIGINT,d BIGINT,s DECIMAL(18,2),c BIGINT\n1500|1500|1124625.00|1498")
        << object;
  }
  EXPECT_EQ(
      bed.read("select typeof(id), typeof(name), typeof(score) from read_parquet('$c.parquet') limit 1"),
      "typeof(id) VARCHAR,typeof(\"name\") VARCHAR,typeof(score) VARCHAR\nBIGINT|VARCHAR|DECIMAL(18,2)");
  EXPECT_EQ(bed.read("select distinct compression from parquet_metadata('$c.parquet')"),
            "compression VARCHAR\nZSTD");
  EXPECT_EQ(bed.read("select distinct compression from parquet_metadata('$d.parquet')"),
            "compression VARCHAR\nUNCOMPRESSED");
}

TEST(FilesDestination, ColumnsOfOthersStayAndNewOnesCome) {
  const Scratch scratch;
  Bed bed(scratch.path());
  scratch.write("out/people.csv", "note,id,name\nkeep me,1,old\n,2,\"\"\nno key,,x\n");
  bed.run(Bed::people("people.csv"),
          {Bed::person(2, Value::text("two"), "2"), Bed::person(3, Value::text("c"), "3")});
  EXPECT_EQ(bed.text("people.csv"), "note,id,name,score\nkeep me,1,old,\n,2,two,2\n,3,c,3\nno key,,x,\n");
  scratch.write(
      "out/people.jsonl",
      "{\"note\": [1, 2.50] , \"id\":1,\"name\":\"old\"}\n{\"id\":2,\"a/b\":{\"~\":null},\"name\":\"x\"}\n");
  bed.run(Bed::people("people.jsonl"),
          {Bed::person(2, Value::text("two"), "2"), Bed::person(3, Value(), "3")});
  EXPECT_EQ(bed.text("people.jsonl"),
            "{\"note\": [1, 2.50] , \"id\":1,\"name\":\"old\"}\n"  // to the letter
            "{\"id\":2,\"name\":\"two\",\"score\":2,\"a/b\":{\"~\":null}}\n"
            "{\"id\":3,\"name\":null,\"score\":3}\n");
  bed.read("copy (select 1::integer as id, 'old' as name, date '2026-01-02' as day) to '$people.parquet'");
  bed.run(Bed::people("people.parquet"),
          {Bed::person(1, Value::text("new"), "1"), Bed::person(2, Value(), "2.5")});
  EXPECT_EQ(bed.read("from '$people.parquet'"),
            "id INTEGER,name VARCHAR,day DATE,score DECIMAL(18,1)\n1|new|2026-01-02|1.0\n2|∅|∅|2.5");
}

TEST(FilesDestination, KeptFieldsStayAlsoWhenARowIsToldTwice) {
  const Scratch scratch;
  for (const char* object : {"p.csv", "p.jsonl", "p.parquet"}) {
    Bed bed(scratch.path());
    bed.run(Bed::people(object),
            {Bed::person(1, Value::text("a"), "1"), Bed::person(2, Value::text("b"), "2"),
             Bed::person(3, Value::text("c"), "3")});
    const auto writer = bed.destination->open(Bed::people(object));
    Change name = Bed::person(1, Value::text("new"), "9", Operation::change);
    name.kept = {false, true};
    Change score = Bed::person(1, Value::text("lost"), "10", Operation::change);
    score.kept = {true, false};
    writer->deliver(std::vector{name, Bed::person(2, Value(), "", Operation::change)});
    writer->deliver(std::vector{score});
    writer->deliver(std::vector{Bed::gone(3)});
    writer->deliver(std::vector{Bed::person(3, Value::text("back"), "33")});
    writer->finish();
    const auto records =
        bed.destination
            ->reader({.object = object,
                      .key = {{"id", Type::integer}},
                      .fields = {{"name", Type::text}, {"score", Type::decimal}},
                      .options = {}})
            ->read(std::vector<Row>{{Value::integer(1)}, {Value::integer(2)}, {Value::integer(3)}});
    EXPECT_EQ(records[0].fields, (Row{Value::text("new"), Value::decimal("10")})) << object;
    EXPECT_EQ(records[1].fields, (Row{Value(), Value()})) << object;
    EXPECT_EQ(records[2].fields, (Row{Value::text("back"), Value::decimal("33")})) << object;
  }
}

TEST(FilesDestination, ParquetDecimalsGrowAsFarAsTheyCanBeExact) {
  const Scratch scratch;
  Bed bed(scratch.path());
  const auto people = Bed::people("p.parquet");
  bed.run(people, {Bed::person(1, Value(), "12.5")});
  bed.run(people, {Bed::person(2, Value(), "0.123456789012345678")});
  EXPECT_EQ(bed.read("select score from '$p.parquet'"),
            "score DECIMAL(38,18)\n12.500000000000000000\n0.123456789012345678");
  const auto verdicts =
      bed.run(people, {Bed::person(3, Value(), "123456789012345678901"), Bed::person(4, Value(), "7"),
                       Bed::person(5, Value(), "12345678901234567890")});
  EXPECT_EQ(verdicts[0].code, "value_not_kept") << "21 digits before and 18 after the point";
  EXPECT_EQ(verdicts[1].outcome, Outcome::applied);
  EXPECT_EQ(verdicts[2].outcome, Outcome::applied);
  EXPECT_EQ(bed.read("select max(score), count(*) from '$p.parquet'"),
            "max(score) DECIMAL(38,18),count_star() BIGINT\n12345678901234567890.000000000000000000|4");
}

TEST(FilesDestination, UpdateAndInsertKnowWhatIsThere) {
  const Scratch scratch;
  // Keys whose text is not one: decimals that get wider, times.
  const std::vector<std::pair<Column, std::vector<Value>>> kinds = {
      {{"id", Type::decimal}, {Value::decimal("1.5"), Value::decimal("20"), Value::decimal("3.125")}},
      {{"id", Type::timestamp},
       {Value::timestamp("2026-01-02T03:04:05Z"), Value::timestamp("2026-01-02T03:04:05.5Z"),
        Value::timestamp("1999-01-01T00:00:00Z")}},
      {{"id", Type::text}, {Value::text("a\"b"), Value::text(""), Value::text("ü")}},
      {{"id", Type::boolean}, {Value::boolean(true), Value::boolean(false), Value::boolean(true)}},
      {{"id", Type::date},
       {Value::date("2026-01-02"), Value::date("2026-01-03"), Value::date("0001-01-01")}}};
  for (const char* ending : {".csv", ".jsonl", ".parquet"})
    for (const auto& [column, keys] : kinds) {
      // Only Parquet has types in which keys could be something else than their text.
      if (std::string_view(ending) != ".parquet" && column.type != Type::text && column.type != Type::decimal)
        continue;
      Bed bed(scratch.path());
      const std::string object = "by " + std::string(name_of(column.type)) + ending;
      sync::Delivery insert = Bed::people(object, "{}", sync::Mode::insert);
      insert.key = {column};
      const auto with = [](const Value& key, const char* name) {
        Change change = Bed::person(0, Value::text(name), "1");
        change.key = {key};
        return change;
      };
      {
        const auto writer = bed.destination->open(insert);
        EXPECT_EQ(writer->deliver(std::vector{with(keys[0], "a")}).verdicts[0].outcome, Outcome::applied)
            << object;
        EXPECT_EQ(writer->deliver(std::vector{with(keys[0], "b")}).verdicts[0].code, "already_exists")
            << object;
      }
      EXPECT_EQ(bed.run(insert, {with(keys[0], "c"), with(keys[1], "d")})[0].code, "already_exists")
          << object;
      sync::Delivery update = insert;
      update.mode = sync::Mode::update;
      const auto verdicts = bed.run(update, {with(keys[0], "e"), with(keys[2], "f")});
      EXPECT_EQ(verdicts[0].outcome, Outcome::applied) << object;
      EXPECT_EQ(verdicts[1].outcome, keys[2] == keys[0] ? Outcome::applied : Outcome::rejected) << object;
      const auto records =
          bed.destination
              ->reader({.object = object, .key = {column}, .fields = {{"name", Type::text}}, .options = {}})
              ->read(std::vector<Row>{{keys[0]}, {keys[1]}});
      EXPECT_EQ(records[0].fields.at(0), Value::text(keys[2] == keys[0] ? "f" : "e")) << object;
      EXPECT_EQ(records[1].fields.at(0), Value::text("d")) << object;
    }
}

TEST(FilesDestination, EachRunAddsOneFileOfItsChanges) {
  const Scratch scratch;
  Bed bed(scratch.path());
  const auto changes = Bed::people("exports/people.csv", "{content: changes}");
  bed.run(changes, {Bed::person(2, Value::text("b"), "2"), Bed::person(1, Value(), "1")});
  Change kept = Bed::person(2, Value::text("x"), "5", Operation::change);
  kept.changed = {false, true};
  kept.kept = {true, false};
  bed.run(changes, {Bed::gone(1)});
  bed.run(changes, {kept});
  const auto files = bed.files("exports/people");
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(bed.files("exports"), std::vector<std::string>{"people"});
  const std::string run = fs::path(files[0]).stem();
  EXPECT_EQ(bed.text("exports/people/" + files[0]), "_operation,_run,_changed,id,name,score\nadd," + run +
                                                        ",\"[\"\"name\"\",\"\"score\"\"]\",2,b,2\nadd," +
                                                        run + ",\"[\"\"name\"\",\"\"score\"\"]\",1,,1\n")
      << "in the order of the plan";
  EXPECT_NE(bed.text("exports/people/" + files[1]).find("\nremove,"), std::string::npos);
  EXPECT_NE(bed.text("exports/people/" + files[2]).find(",\"[\"\"score\"\"]\",2,,5\n"), std::string::npos);
  bed.run(Bed::people("p.parquet", "{content: changes}"), {Bed::person(1, Value::text("a"), "1.5")});
  EXPECT_EQ(bed.read("select _operation, _changed, id, name, score from '$p/*.parquet'"),
            "_operation VARCHAR,_changed VARCHAR[],id BIGINT,name VARCHAR,score DECIMAL(18,1)\n"
            "add|[\"name\",\"score\"]|1|a|1.5");
  bed.run(Bed::people("p.jsonl.gz", "{content: changes}"), {Bed::person(1, Value::text("a"), "1.5")});
  EXPECT_EQ(bed.read("select _operation, _changed, id, name, score from read_json('$p/*.jsonl.gz')"),
            "_operation VARCHAR,_changed VARCHAR[],id BIGINT,name VARCHAR,score "
            "DOUBLE\nadd|[\"name\",\"score\"]|1|a|1.5");
  EXPECT_EQ(count(bed.run(Bed::people("none.csv", "{content: changes}"),
                          {Bed::person(1, Value::text("\xFF"), "1")}),
                  Outcome::rejected),
            1U);
  EXPECT_FALSE(fs::exists(bed.root / "out/none")) << "a run that changed nothing leaves no file";
}

TEST(FilesDestination, NamesThatWouldBeSearchesAreNames) {
  const Scratch scratch;
  Bed bed(scratch.path());
  for (const char* object : {"[a]*?/x{1}'s [1].csv", "[a]*?/y*.parquet", "[a]*?/z?.jsonl"})
    for (int round = 0; round < 2; ++round) {
      bed.run(Bed::people(object), {Bed::person(round, Value::text("n"), "1")});
      EXPECT_EQ(bed.destination
                    ->reader({.object = object, .key = {{"id", Type::integer}}, .fields = {}, .options = {}})
                    ->read(std::vector<Row>{{Value::integer(0)}})[0]
                    .matches,
                1U)
          << object;
    }
}

TEST(FilesDestination, ObjectsStayWithinTheFolder) {
  const Scratch scratch;
  Bed bed(scratch.path());
  fs::create_directories(scratch / "elsewhere");
  fs::create_directory_symlink(scratch / "elsewhere", scratch / "out/link");
  fs::create_symlink(scratch / "elsewhere/x.csv", scratch / "out/x.csv");
  for (const char* object : {"../x.csv", "a/../../x.csv", "/tmp/x.csv", "", "a/", "link/x.csv", "x.csv",
                             ".x.csv", ".a/x.csv", "x", "x.txt", ".csv", "a\nb.csv", "x.parquet.gz"})
    EXPECT_EQ(code_of([&] { bed.destination->open(Bed::people(object)); }), "destination.no_such_object")
        << object;
  EXPECT_TRUE(fs::is_empty(scratch / "elsewhere"));
  EXPECT_EQ(code_of([&] { bed.destination->open(Bed::people("x.jsonl", "{format: csv}")); }),
            "destination.options");
  EXPECT_EQ(code_of([&] { bed.destination->open(Bed::people("x.csv.gz", "{compression: zstd}")); }),
            "destination.options");
}

TEST(FilesDestination, RefusesWhatCannotWork) {
  const Scratch scratch;
  Bed bed(scratch.path());
  const auto opening = [&](const sync::Delivery& delivery) {
    return code_of([&] { bed.destination->open(delivery); });
  };
  scratch.write("out/twice.csv", "id,name\n1,a\n1,b\n");
  EXPECT_EQ(opening(Bed::people("twice.csv")), "destination.key_not_unique");
  scratch.write("out/twice.jsonl", "{\"id\":1}\n{\"id\":1}\n");
  EXPECT_EQ(opening(Bed::people("twice.jsonl")), "destination.key_not_unique");
  scratch.write("out/keyless.csv", "identity,name\n1,a\n");
  EXPECT_EQ(opening(Bed::people("keyless.csv")), "destination.unknown_field");
  scratch.write("out/torn.csv", "id,name\n1,a,b\n");
  EXPECT_EQ(opening(Bed::people("torn.csv")), "destination.unreadable");
  scratch.write("out/no.parquet", "this is no Parquet file");
  EXPECT_EQ(opening(Bed::people("no.parquet")), "destination.unreadable");
  scratch.write("out/no.jsonl", "{\"id\":1}\n{\"id\":");
  EXPECT_EQ(opening(Bed::people("no.jsonl")), "destination.unreadable");
  bed.read("copy (select 'x' as id) to '$text.parquet'");
  EXPECT_EQ(opening(Bed::people("text.parquet")), "destination.wrong_type");
  sync::Delivery delivery = Bed::people("x.csv");
  delivery.removed = sync::Removal::archive;
  EXPECT_EQ(opening(delivery), "destination.unsupported");
  delivery = Bed::people("x.csv");
  delivery.fields[0].name = "ID";
  EXPECT_EQ(opening(delivery), "destination.unsupported");
  delivery = Bed::people("x.csv");
  delivery.key[0].type = Type::real;
  EXPECT_EQ(opening(delivery), "destination.unsupported");
  EXPECT_EQ(opening(Bed::people("x.csv", "{content: changes}", sync::Mode::update)),
            "destination.unsupported");
  fs::rename(scratch / "out", scratch / "moved");
  EXPECT_EQ(opening(Bed::people("x.csv")), "files.no_folder");
  EXPECT_TRUE(fs::exists(scratch / "moved/no.parquet")) << "nothing was overwritten";
}

TEST(FilesDestination, TellsWhatIsThere) {
  const Scratch scratch;
  Bed bed(scratch.path());
  scratch.write("out/a.csv", "id,\"na\"\"me\"\n");
  scratch.write("out/sub/b.jsonl", "{}\n");
  scratch.write("out/.hidden/c.csv", "id\n");
  scratch.write("out/readme.txt", "");
  EXPECT_EQ(bed.destination->objects(), (std::vector<std::string>{"a.csv", "sub/b.jsonl"}));
  const auto schema = bed.destination->describe("a.csv");
  ASSERT_TRUE(schema);
  EXPECT_TRUE(schema->open);
  ASSERT_EQ(schema->fields.size(), 2U);
  EXPECT_EQ(schema->fields[1].name, "na\"me");
  EXPECT_FALSE(bed.destination->describe("new.csv"));
  EXPECT_TRUE(bed.destination->checked_by_open({}));
  EXPECT_EQ(bed.destination->check(),
            "folder " + (scratch / "out").string() + ", 2 files that can be written");
}

TEST(FilesDestination, TwoWritersOfOneProcessShareTheFile) {
  const Scratch scratch;
  Bed bed(scratch.path());
  bed.run(Bed::people("p.csv"),
          {Bed::person(1, Value::text("a"), "1"), Bed::person(2, Value::text("b"), "2")});
  // As `removed: set` does it: one writer for rows, one that updates other fields of rows that have gone.
  sync::Delivery leaving = Bed::people("p.csv", "{}", sync::Mode::update);
  leaving.fields = {{"left", Type::boolean}};
  const auto rows = bed.destination->open(Bed::people("p.csv"));
  const auto marks = bed.destination->open(leaving);
  rows->deliver(std::vector{Bed::person(3, Value::text("c"), "3")});
  Change left{.number = 0,
              .operation = Operation::change,
              .key = {Value::integer(1)},
              .fields = {Value::boolean(true)},
              .changed = {true}};
  EXPECT_EQ(marks->deliver(std::vector{left}).verdicts[0].outcome, Outcome::applied);
  rows->finish();
  marks->finish();
  EXPECT_EQ(bed.text("p.csv"), "id,name,score,left\n1,a,1,true\n2,b,2,\n3,c,3,\n");
}

TEST(FilesDestination, RightsOfTheFileStay) {
  const Scratch scratch;
  Bed bed(scratch.path());
  const fs::path file = scratch.write("out/p.csv", "id,name,score\n");
  ::chmod(file.c_str(), 0640);
  bed.run(Bed::people("p.csv"), {Bed::person(1, Value(), "1")});
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640U);
}

TEST(FilesDestination, SourcesDoNotSeeAJournal) {
  const Scratch scratch;
  Bed bed(scratch.path());
  const auto writer = bed.destination->open(Bed::people("p.parquet"));
  writer->deliver(std::vector{Bed::person(1, Value(), "1")});
  const auto source =
      files_source().make(yaml("path: out", files_settings()), {system_clock(), bed.cancel, bed.root});
  EXPECT_TRUE(source->list({.source = "s", .name = "t", .path = "**/*"}).empty());
}

}  // namespace
}  // namespace eddy::connectors
