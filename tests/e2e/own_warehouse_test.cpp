// A project of connections.yml and syncs/ alone, whose warehouse is PostgreSQL: the program from outside,
// with the least rights that each place of the snapshots needs, and every type of the warehouse on its way to
// a destination.
#include <gtest/gtest.h>

#include "core/text.h"
#include "loop_fixture.h"
#include "support/postgres_server.h"
#include "transport/sqlite/database.h"

namespace eddy::testing {
namespace {

class OwnProject : public ::testing::Test {
 protected:
  void SetUp() override {
    EDDY_NEEDS_POSTGRES();
    server_ = std::make_unique<PostgresServer>();
    folder_ = std::make_unique<ProjectFolder>(scratch_ / "activation", std::map<std::string, std::string>{});
    std::filesystem::create_directories(folder_->path() / "syncs");
    // A hardened database: what everybody may do by default is taken away.
    sql("revoke all on database postgres from public; revoke all on schema public from public;"
        "create schema crm; create table crm.customers(id int primary key, email text, plan text, ltv "
        "numeric(10,2));"
        "insert into crm.customers select i, 'u' || i || '@x.org', 'free', i * 1.5 from generate_series(1, "
        "20) i");
    folder_->write("syncs/people.yml",
                   "model: crm.customers\ndestination: out\nobject: people\nkey: {id: id}\n"
                   "fields: {email: email, plan: upper(plan), ltv: ltv}\nremoved: delete\n"
                   "options: {create_table: true}\nguards: {removed: 100%}\n");
  }

  std::string sql(const std::string& statements) const { return server_->sql(statements); }

  // connections.yml with the warehouse as `role` sees it.
  void connect_as(const std::string& role, const std::string& more = "") const {
    folder_->write("connections.yml",
                   "warehouse: {type: postgres, host: 127.0.0.1, port: " + std::to_string(server_->port()) +
                       ", database: postgres, user: " + role + ", password: fixture-password" + more +
                       "}\nout: {type: sqlite, path: out.db}\n");
  }
  void create_role(const std::string& role, const std::string& rights = "") const {
    sql("create role " + role + " login password 'fixture-password'; " + rights);
  }

  Finished eddy(const std::vector<std::string>& arguments) const { return folder_->eddy(arguments); }
  // Runs all syncs; what was said when it did not work.
  std::string run() const {
    const Finished finished = eddy({"run"});
    return finished.exit_code == 0 ? "" : std::to_string(finished.exit_code) + ": " + finished.err;
  }
  std::string summary() const {  // "+20 ~0 -0" of the run that is made now
    const Finished finished = eddy({"run", "--json"});
    for (const std::string& line : split(finished.out, '\n'))
      if (line.find("\"summary\"") != std::string::npos) {
        const auto event = nlohmann::json::parse(line, nullptr, false);
        if (event.is_object() && event.contains("summary")) return event["summary"];
      }
    return "exit " + std::to_string(finished.exit_code) + ": " + finished.out + finished.err;
  }
  std::vector<std::string> destination(const std::string& select) const {
    sqlite::Database database(folder_->path() / "out.db", sqlite::Access::read_only);
    sqlite::Statement statement(database, select);
    std::vector<std::string> rows;
    while (statement.step()) {
      std::string row;
      for (int i = 0; i < statement.columns(); ++i)
        row += (i > 0 ? "|" : "") + (statement.is_null(i) ? "null" : statement.text(i));
      rows.push_back(row);
    }
    return rows;
  }

  Scratch scratch_;
  std::unique_ptr<PostgresServer> server_;
  std::unique_ptr<ProjectFolder> folder_;
};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string may_read =
    "grant connect on database postgres to reader; grant usage on schema crm to reader; "
    "grant select on crm.customers to reader";

TEST_F(OwnProject, NeedsNoOtherFiles) {
  connect_as("postgres");
  const Finished valid = eddy({"validate"});
  EXPECT_EQ(valid.exit_code, 0) << valid.err;
  EXPECT_TRUE(says(valid.err, "activation is valid")) << valid.err;
  EXPECT_EQ(eddy({"ls"}).out, "sync.people\n");
  EXPECT_EQ(summary(), "+20 ~0 -0");
  EXPECT_EQ(destination("select count(*), sum(ltv), min(plan) from people"),
            (std::vector<std::string>{"20|315.0|FREE"}));
  EXPECT_EQ(summary(), "+0 ~0 -0");
  sql("update crm.customers set plan = 'pro' where id = 7; delete from crm.customers where id > 18");
  const Finished plan = eddy({"plan", "--out", "plan.json"});
  EXPECT_TRUE(says(plan.out, "0 to add, 1 to change, 2 to remove; 17 unchanged of 18 rows"))
      << plan.out << plan.err;
  EXPECT_TRUE(says(plan.out, "plan: \"FREE\" → \"PRO\"")) << plan.out;
  EXPECT_EQ(eddy({"apply", "plan.json"}).exit_code, 0);
  EXPECT_EQ(destination("select count(*), max(plan) from people"), (std::vector<std::string>{"18|PRO"}));
  EXPECT_EQ(eddy({"apply", "plan.json"}).exit_code, 1);  // stale
  const Finished query =
      eddy({"query", "select count(*) filter (where plan = 'pro') as pros from crm.customers"});
  EXPECT_EQ(query.out, "pros\n1\n") << query.err;
  const Finished doctor = eddy({"doctor"});
  EXPECT_TRUE(says(doctor.out, "snapshots inside, in schema eddy")) << doctor.out;
  const Finished map = eddy({"map", "people"});
  EXPECT_TRUE(says(map.err, "18 rows measured")) << map.out << map.err;
  EXPECT_TRUE(says(map.err, "mapped already, and left as they are: email, id, ltv, plan")) << map.err;
  const Finished row = eddy({"row", "people", "7"});
  EXPECT_TRUE(says(row.out, "model      email: \"u7@x.org\", plan: \"PRO\"")) << row.out << row.err;
  EXPECT_TRUE(says(eddy({"show", "people"}).out, "crm.customers → out people"));
  EXPECT_FALSE(std::filesystem::exists(folder_->path() / "warehouse.duckdb"));
}

TEST_F(OwnProject, SaysWhatIsWrongBeforeAnythingIsSent) {
  connect_as("postgres");
  const auto refused = [&](const std::string& from, const std::string& to) {
    const std::string good =
        "model: crm.customers\ndestination: out\nobject: people\nkey: {id: id}\nfields: {email: email}\n"
        "options: {create_table: true}\n";
    folder_->write("syncs/people.yml", replace_all(good, from, to));
    const Finished plan = eddy({"plan"});
    EXPECT_NE(plan.exit_code, 0);
    return plan.err;
  };
  const std::string model = refused("crm.customers", "crm.custmers");
  EXPECT_TRUE(says(model, "sync.unknown_model") && says(model, "did you mean `crm.customers`?")) << model;
  const std::string column = refused("email: email", "email: emial");
  EXPECT_TRUE(says(column, "sync.bad_expression") && says(column, "did you mean `email`?") &&
              says(column, "syncs/people.yml:5:17"))
      << column;
  const std::string query = refused("crm.customers", "{sql: \"select from where\"}");
  EXPECT_TRUE(says(query, "sync.bad_model") && says(query, "syncs/people.yml:1")) << query;
  const std::string phone = refused("email: email", "email: {value: email, normalize: e164}");
  EXPECT_TRUE(says(phone, "sync.normalize_unsupported") && says(phone, "syncs/people.yml:5")) << phone;
  folder_->write("connections.yml", "out: {type: sqlite, path: out.db}\n");
  const std::string none = refused("x", "x");
  EXPECT_TRUE(says(none, "project.unknown_connection") &&
              says(none, "reads its models in the connection `warehouse`"))
      << none;
  folder_->write("connections.yml",
                 "warehouse: {type: sqlite, path: w.db}\nout: {type: sqlite, path: out.db}\n");
  EXPECT_TRUE(says(refused("x", "x"), "which cannot be a warehouse"));
  folder_->write(
      "connections.yml",
      "pg: {type: postgres, host: 127.0.0.1, port: 1, database: postgres, user: x}\nout: {type: sqlite, "
      "path: out.db}\n");
  folder_->write("eddy.yml", "name: shop\nwarehouse: pq\n");
  EXPECT_TRUE(says(refused("x", "x"), "did you mean `pg`?"));
  folder_->write("eddy.yml", "name: shop\nwarehouse: pg\n");
  EXPECT_TRUE(says(refused("x", "x"), "warehouse.unreachable"));
}

TEST_F(OwnProject, InsideNeedsASchemaOfItsOwnAndTemporaryTables) {
  create_role("reader", may_read);
  connect_as("reader");
  const std::string temporary = run();
  EXPECT_TRUE(says(temporary, "GRANT TEMPORARY ON DATABASE \"postgres\" TO \"reader\"")) << temporary;
  sql("GRANT TEMPORARY ON DATABASE \"postgres\" TO \"reader\"");
  const std::string schema = run();
  EXPECT_TRUE(says(schema, "CREATE SCHEMA \"eddy\" AUTHORIZATION \"reader\"") &&
              says(schema, "snapshots: outside"))
      << schema;
  EXPECT_NE(eddy({"doctor"}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_->path() / "out.db"));  // nothing was sent
  sql("CREATE SCHEMA \"eddy\" AUTHORIZATION \"reader\"");
  EXPECT_EQ(eddy({"doctor"}).exit_code, 0);
  EXPECT_EQ(summary(), "+20 ~0 -0");
  sql("update crm.customers set plan = 'pro' where id < 4");
  EXPECT_EQ(summary(), "+0 ~3 -0");
  // Another mapping writes the snapshot anew.
  folder_->write("syncs/people.yml",
                 "model: crm.customers\ndestination: out\nobject: people\nkey: {id: id}\n"
                 "fields: {email: email, ltv: ltv}\noptions: {create_table: true}\n");
  EXPECT_EQ(summary(), "+0 ~0 -0");
  EXPECT_EQ(sql("select count(*) from information_schema.columns where table_name = 'snapshot_people'"),
            "5\n");
}

TEST_F(OwnProject, InsideAlsoWorksWithTheRightToCreateTheSchema) {
  create_role("reader", may_read + "; grant temporary, create on database postgres to reader");
  connect_as("reader");
  EXPECT_EQ(summary(), "+20 ~0 -0");
  EXPECT_EQ(sql("select schema_owner from information_schema.schemata where schema_name = 'eddy'"),
            "reader\n");
}

TEST_F(OwnProject, OutsideNeedsToReadAndNothingElse) {
  create_role("reader", may_read);
  connect_as("reader", ", snapshots: outside");
  EXPECT_EQ(eddy({"doctor"}).exit_code, 0);
  EXPECT_EQ(summary(), "+20 ~0 -0");
  sql("update crm.customers set plan = 'pro' where id < 4; delete from crm.customers where id = 20");
  EXPECT_EQ(summary(), "+0 ~3 -1");
  EXPECT_EQ(summary(), "+0 ~0 -0");
  EXPECT_EQ(sql("select count(*) from information_schema.schemata where schema_name = 'eddy'"), "0\n");
}

TEST_F(OwnProject, AMissingRightToReadIsNamed) {
  create_role("reader");
  connect_as("reader", ", snapshots: outside");
  const std::string database = run();
  EXPECT_TRUE(says(database, "permission denied for database \"postgres\"")) << database;
  sql("grant connect on database postgres to reader");
  const std::string schema = run();
  EXPECT_TRUE(says(schema, "GRANT USAGE ON SCHEMA \"crm\" TO \"reader\"")) << schema;
  sql("GRANT USAGE ON SCHEMA \"crm\" TO \"reader\"");
  const std::string table = run();
  EXPECT_TRUE(says(table, "GRANT SELECT ON \"crm\".\"customers\" TO \"reader\"")) << table;
  sql("GRANT SELECT ON \"crm\".\"customers\" TO \"reader\"");
  EXPECT_EQ(summary(), "+20 ~0 -0");
}

TEST_F(OwnProject, TheSettingSwitchesWithTheRights) {
  create_role("reader",
              may_read +
                  "; grant temporary on database postgres to reader; create schema eddy authorization "
                  "reader");
  connect_as("reader");
  EXPECT_EQ(summary(), "+20 ~0 -0");
  connect_as("reader", ", snapshots: outside");
  EXPECT_EQ(summary(), "+0 ~0 -0");
  sql("drop schema eddy cascade; revoke temporary on database postgres from reader");
  sql("update crm.customers set plan = 'pro' where id < 4");
  EXPECT_EQ(summary(), "+0 ~3 -0");
  connect_as("reader");
  EXPECT_TRUE(says(run(), "GRANT TEMPORARY"));
  sql("grant temporary on database postgres to reader; create schema eddy authorization reader");
  EXPECT_EQ(summary(), "+0 ~0 -0");
  EXPECT_EQ(sql("select count(*) from eddy.snapshot_people"), "20\n");
}

// One column of each kind of type, three rows: usual values, extreme ones, nulls.
const std::string types_table =
    "create type mood as enum ('ok', 'sad'); create domain score as numeric(6,2); create type pair as (a "
    "int, b text);"
    "create table crm.types(id int primary key, i2 int2, i4 int4, i8 int8, n numeric, nn numeric(20,6), f4 "
    "float4, f8 "
    "float8, b bool, t text, vc varchar(10), ch char(6), d date, ts timestamp, tz timestamptz, j json, jb "
    "jsonb, u uuid, "
    "ia int[], ta text[], m mood, ba bytea, dm score, pr pair, iv interval, tm time);"
    "insert into crm.types values (1, 1, 2, 3, 1.50, 2.5, 0.1, 0.2, true, 'text, \"quoted\"', 'vc', 'ch', "
    "'2024-02-29', "
    "'2024-02-29 10:00:00.5', '2024-02-29 10:00:00+02', '{\"a\": 1}', '{\"b\":[1,null]}', "
    "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{1,2,null}', '{a,\"b c\"}', 'sad', '\\x0001ff', 12.30, "
    "'(1,x)', "
    "'1 day 02:00', '10:30'),"
    "(2, -32768, -2147483648, -9223372036854775808, 123456789012345678901234567890.5, -0.000001, "
    "'-Infinity', 'NaN', "
    "false, E'tab\\tline\\n\\\\N é ☃', '', '', '0044-03-15 BC', '0001-01-01', '9999-12-31 "
    "23:59:59.999999+00', '[]', "
    "'null', '00000000-0000-0000-0000-000000000000', '{}', '{}', 'ok', '', 0, null, '-1 mon', '00:00');"
    "insert into crm.types(id) values (3)";

const std::string types_fields =
    "i2: i2, i4: i4, i8: i8, n: n, nn: nn, f4: f4, f8: f8, b: b, t: t, vc: vc, ch: ch, d: d, ts: ts, tz: tz, "
    "j: j, jb: "
    "jb, u: u, ia: ia, ta: ta, m: m, ba: ba, dm: dm, pr: pr, iv: iv, tm: tm";

TEST_F(OwnProject, EveryTypeArrivesAndStaysWhatItIs) {
  sql(types_table);
  sql("update crm.types set f4 = 1e-30, f8 = 1e300 where id = 2");  // SQLite keeps no NaN and refuses it
  folder_->write("syncs/people.yml",
                 "model: crm.types\ndestination: out\nobject: types\nkey: {id: id}\nfields: {" +
                     types_fields + "}\noptions: {create_table: true}\n");
  for (const std::string place : {"inside", "outside", "inside"}) {
    SCOPED_TRACE(place);
    connect_as("postgres", ", snapshots: " + place);
    EXPECT_EQ(summary(), std::filesystem::exists(folder_->path() / "out.db") ? "+0 ~0 -0" : "+3 ~0 -0");
    EXPECT_EQ(summary(), "+0 ~0 -0");
  }
  const auto row = [&](int id) {
    return split(destination("select i2, i4, i8, n, nn, f4, f8, b, t, vc, ch, d, ts, tz, j, jb, u, ia, ta, "
                             "m, case when ba is not null then hex(ba) end, "
                             "dm, pr, iv, tm from types where id = " +
                             std::to_string(id))
                     .at(0),
                 '|');
  };
  EXPECT_EQ(row(1), (std::vector<std::string>{"1",
                                              "2",
                                              "3",
                                              "1.50",
                                              "2.500000",
                                              "0.1",
                                              "0.2",
                                              "1",
                                              "text, \"quoted\"",
                                              "vc",
                                              "ch",
                                              "2024-02-29",
                                              "2024-02-29T10:00:00.500000Z",
                                              "2024-02-29T08:00:00Z",
                                              "{\"a\": 1}",
                                              "{\"b\": [1, null]}",
                                              "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                                              "[1,2,null]",
                                              "[\"a\",\"b c\"]",
                                              "sad",
                                              "0001FF",
                                              "12.30",
                                              "{\"a\":1,\"b\":\"x\"}",
                                              "1 day 02:00:00",
                                              "10:30:00"}));
  EXPECT_EQ(row(3), std::vector<std::string>(25, "null"));
  const auto extreme = row(2);
  EXPECT_EQ(extreme[2], "-9223372036854775808");
  EXPECT_EQ(extreme[8], "tab\tline\n\\N é ☃");
  EXPECT_EQ(extreme[11], "0044-03-15 BC");
}

TEST_F(OwnProject, ToAnotherSchemaOfPostgresEveryTypeIsTheSame) {
  sql(types_table + "; create schema copy; create table copy.types (like crm.types including all)");
  folder_->write("syncs/people.yml",
                 "model: crm.types\ndestination: target\nobject: copy.types\nkey: {id: id}\nfields: {" +
                     types_fields + "}\n");
  connect_as("postgres");
  folder_->write("connections.yml",
                 "warehouse: &pg {type: postgres, host: 127.0.0.1, port: " + std::to_string(server_->port()) +
                     ", database: postgres, user: postgres, password: fixture-password}\ntarget: *pg\n");
  sql("update crm.types set pr = null, ia = null, ta = null");  // as JSON they are no array and no row there
  EXPECT_EQ(summary(), "+3 ~0 -0");
  EXPECT_EQ(sql("select count(*) from crm.types a join copy.types b on row(a.*)::text = row(b.*)::text"),
            "3\n");
  EXPECT_EQ(summary(), "+0 ~0 -0");
  sql("update crm.types set f8 = -0.0, n = 'NaN', t = 'one' where id = 3");
  EXPECT_EQ(summary(), "+0 ~1 -0");
  sql("update crm.types set f8 = 0.0, n = 'NaN' where id = 3; update crm.types set n = 1.5000 where id = 1");
  EXPECT_EQ(summary(), "+0 ~0 -0");  // other spellings of the same values
}

}  // namespace
}  // namespace eddy::testing
