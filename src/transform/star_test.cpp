#include "transform/star.h"

#include <thread>

#include "transform/build_fixture.h"

namespace eddy::transform {
namespace {

class Star : public BuildTest {
 protected:
  // A dimension warehouse.dim_customer from rows of (customer_id, name).
  BuildResult customers(const std::string& values, const std::string& more_header = "") {
    return build("warehouse.dim_customer", "/* eddy\nmaterialize: dimension\nkey: customer_id\n" +
                                               more_header + "*/\nselect * from (values " + values +
                                               ") t(customer_id, name)");
  }
  BuildResult orders(const std::string& values) { return build("warehouse.fact_order", order_model(values)); }
  static std::string order_model(const std::string& values) {
    return R"(/* eddy
materialize: fact
key: order_id
dimensions:
  customer_key: {dimension: warehouse.dim_customer, key: customer_id}
*/
select * from (values )" +
           values + ") t(order_id, customer_id)";
  }
};

TEST_F(Star, ADimensionNumbersItsMembersInKeyOrderAndHasAnUnknownOne) {
  const BuildResult result = customers("('c', 'Cy'), ('a', 'Al'), ('b', 'Bo')");
  EXPECT_EQ(result.rows, 3u);
  EXPECT_EQ(rows("from warehouse.dim_customer order by 1"), "0,-,-; 1,a,Al; 2,b,Bo; 3,c,Cy");
}

TEST_F(Star, SurrogateKeysAreStable) {
  customers("('b', 'Bo'), ('c', 'Cy')");
  const BuildResult second = customers("('a', 'Al'), ('c', 'Cyra'), ('d', 'Di')");
  EXPECT_EQ(second.kept, 1u);
  EXPECT_EQ(second.summary, "4 rows; 1 kept that the model no longer gives");
  EXPECT_EQ(second.rows, 4u);
  EXPECT_EQ(rows("from warehouse.dim_customer order by 1"), "0,-,-; 1,b,Bo; 2,c,Cyra; 3,a,Al; 4,d,Di");
  customers("('b', 'Bob')");
  reopen();
  EXPECT_EQ(rows("from warehouse.dim_customer order by 1"), "0,-,-; 1,b,Bob; 2,c,Cyra; 3,a,Al; 4,d,Di");
}

TEST_F(Star, TheUnknownMemberHasTheValuesGiven) {
  customers("('a', 'Al')", "unknown: {name: \"'nobody'\"}\n");
  EXPECT_EQ(rows("from warehouse.dim_customer where customer_key = 0"), "0,-,nobody");
  customers("('a', 'Al')", "unknown: {name: \"'someone'\", customer_id: \"'?'\"}\n");
  EXPECT_EQ(rows("from warehouse.dim_customer where customer_key = 0"), "0,?,someone");
}

TEST_F(Star, ADimensionsKeysAreEnforcedByTheTable) {
  customers("('a', 'Al')");
  auto connection = session->connect();
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.dim_customer values (7, 'a', 'twin')"),
               Error);
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.dim_customer values (1, 'x', 'twin')"),
               Error);
}

TEST_F(Star, BadDimensionsAreRefusedWithExamples) {
  customers("('a', 'Al')");
  const auto dimension = [](const std::string& header, const std::string& sql) {
    return "/* eddy\nmaterialize: dimension\n" + header + "*/\n" + sql;
  };
  const Error twice =
      error_of("warehouse.dim_customer",
               dimension("key: customer_id\n",
                         "select * from (values ('a', 'x'), ('a', 'y'), ('b', 'z')) t(customer_id, name)"));
  EXPECT_EQ(twice.code(), "transform.key_duplicate");
  EXPECT_EQ(twice.message(),
            "the key (customer_id) of warehouse.dim_customer is not unique: 1 value occurs more than once: "
            "{\"customer_id\":\"a\",\"rows\":2}");
  EXPECT_EQ(twice.diagnostics().front().position.line, 3);
  const Error null = error_of(
      "warehouse.dim_customer",
      dimension("key: customer_id\n", "select * from (values (null, 'x'), ('b', 'z')) t(customer_id, name)"));
  EXPECT_EQ(null.code(), "transform.key_null");
  EXPECT_NE(null.message().find("{\"customer_id\":null,\"name\":\"x\"}"), std::string::npos);
  const Error column =
      error_of("warehouse.dim_customer", dimension("key: customerid\n", "select 'a' as customer_id"));
  EXPECT_EQ(column.code(), "transform.unknown_column");
  EXPECT_EQ(column.hint(), "did you mean `customer_id`?");
  EXPECT_EQ(
      error_of("warehouse.dim_customer", dimension("key: a\n", "select 1 as a, 2 as customer_key")).code(),
      "transform.column_taken");
  const Error value = error_of("warehouse.dim_customer",
                               dimension("key: a\nunknown: {b: nobody}\n", "select 1 as a, 'x' as b"));
  EXPECT_EQ(value.code(), "transform.unknown_value");
  EXPECT_EQ(value.diagnostics().front().position.line, 4);
  EXPECT_EQ(error_of("warehouse.dim_customer",
                     dimension("key: a\nunknown: {b: \"'x'\"}\n", "select 1 as a, 2 as b"))
                .code(),
            "transform.unknown_value");
  EXPECT_EQ(
      error_of("warehouse.dim_customer", dimension("key: a\nunknown: {a: 1}\n", "select 1 as a, 2 as b"))
          .code(),
      "transform.constraint");
  EXPECT_EQ(rows("from warehouse.dim_customer order by 1"), "0,-,-; 1,a,Al");
}

TEST_F(Star, AFactLooksUpItsDimensions) {
  customers("('a', 'Al'), ('b', 'Bo')");
  const BuildResult result = orders("(10, 'b'), (11, 'zz'), (12, null), (13, 'a')");
  EXPECT_EQ(rows("from warehouse.fact_order order by order_id"), "2,10,b; 0,11,zz; 0,12,-; 1,13,a");
  ASSERT_EQ(result.unknown.size(), 1u);
  EXPECT_EQ(result.unknown[0].column, "customer_key");
  EXPECT_EQ(result.unknown[0].null, 1u);
  EXPECT_EQ(result.unknown[0].not_found, 1u);
  EXPECT_EQ(result.summary, "4 rows; 2 without customer_key");
  auto connection = session->connect();
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.fact_order values (9, 14, 'q')"),
               Error);
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.fact_order values (1, 10, 'q')"),
               Error);
  EXPECT_THROW(connection.execute("delete from warehouse_db.warehouse.dim_customer where customer_key = 1"),
               Error);
}

TEST_F(Star, ADimensionChangesUnderItsFacts) {
  customers("('a', 'Al'), ('b', 'Bo')");
  orders("(10, 'b'), (13, 'a')");
  const BuildResult changed = customers("('a', 'Alba'), ('c', 'Cy')");
  EXPECT_TRUE(changed.rebuilt.empty());
  EXPECT_EQ(changed.kept, 1u);
  EXPECT_EQ(rows("from warehouse.dim_customer order by 1"), "0,-,-; 1,a,Alba; 2,b,Bo; 3,c,Cy");
  EXPECT_EQ(rows("from warehouse.fact_order order by order_id"), "2,10,b; 1,13,a");
  orders("(10, 'c')");
  EXPECT_EQ(rows("from warehouse.fact_order"), "3,10,c");
}

TEST_F(Star, ADimensionChangesItsColumnsUnderItsFacts) {
  customers("('a', '1'), ('b', '2')");
  orders("(10, 'b'), (13, 'a')");
  const std::string header = "/* eddy\nmaterialize: dimension\nkey: customer_id\n*/\n";
  const BuildResult added =
      build("warehouse.dim_customer", header + "select 'a' as customer_id, 7 as name, [1, 2] as list");
  EXPECT_EQ(added.rebuilt, std::vector<std::string>{"fact_order"});
  EXPECT_EQ(rows("from warehouse.dim_customer order by 1"), "0,-,-,-; 1,a,7,[1,2]; 2,b,2,-");
  // A nested column cannot be updated in place.
  const BuildResult nested =
      build("warehouse.dim_customer", header + "select 'a' as customer_id, 7 as name, [3] as list");
  EXPECT_EQ(nested.rebuilt.size(), 1u);
  build("warehouse.dim_customer", header + "select 'b' as customer_id");
  EXPECT_EQ(rows("from warehouse.dim_customer order by 1"), "0,-; 1,a; 2,b");
  EXPECT_EQ(rows("from warehouse.fact_order order by order_id"), "2,10,b; 1,13,a");
  reopen();
  auto connection = session->connect();
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.fact_order values (9, 14, 'q')"),
               Error);
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.fact_order values (1, 10, 'q')"),
               Error);
}

TEST_F(Star, ANaturalKeyMayChangeItsTypeWhenMembersCanFollow) {
  const std::string header = "/* eddy\nmaterialize: dimension\nkey: id\n*/\n";
  build("warehouse.dim_x", header + "select * from (values (5), (7)) t(id)");
  build("warehouse.fact_x",
        "/* eddy\nmaterialize: fact\ndimensions: {x_key: {dimension: warehouse.dim_x, key: id}}\n*/ select 7 "
        "as id");
  build("warehouse.dim_x", header + "select * from (values ('7'), ('9')) t(id)");
  EXPECT_EQ(rows("from warehouse.dim_x order by 1"), "0,-; 1,5; 2,7; 3,9");
  build("warehouse.dim_x", header + "select * from (values ('x')) t(id)");
  const Error lost = error_of("warehouse.dim_x", header + "select 7 as id");
  EXPECT_EQ(lost.code(), "transform.key_changed");
  EXPECT_NE(lost.message().find("\"id\":null"), std::string::npos) << lost.message();
  build("warehouse.dim_y", header + "select * from (values ('1'), ('01')) t(id)");
  const Error merged = error_of("warehouse.dim_y", header + "select 1 as id");
  EXPECT_EQ(merged.code(), "transform.key_changed");
  EXPECT_EQ(rows("from warehouse.dim_y order by 1"), "0,-; 1,01; 2,1");
}

TEST_F(Star, AnotherNaturalKeyIsRefusedWhileFactsReferToIt) {
  const auto text = [](const std::string& key) {
    return "/* eddy\nmaterialize: dimension\nkey: " + key + "\n*/\nselect 1 as a, 2 as b";
  };
  build("warehouse.dim_x", text("a"));
  build("warehouse.dim_x", text("b"));
  build("warehouse.fact_x",
        "/* eddy\nmaterialize: fact\ndimensions: {x_key: {dimension: warehouse.dim_x, key: b}}\n*/ select 2 "
        "as b");
  const Error e = error_of("warehouse.dim_x", text("[a, b]"));
  EXPECT_EQ(e.code(), "transform.key_changed");
  EXPECT_NE(e.message().find("was b and is now a, b"), std::string::npos);
  EXPECT_NE(e.message().find("warehouse.fact_x"), std::string::npos);
}

TEST_F(Star, BadFactsAreRefused) {
  customers("('a', 'Al')");
  orders("(10, 'a')");
  const Error twice = error_of("warehouse.fact_order", order_model("(10, 'a'), (10, 'b'), (11, 'a')"));
  EXPECT_EQ(twice.code(), "transform.key_duplicate");
  EXPECT_NE(twice.message().find("{\"order_id\":10,\"rows\":2}"), std::string::npos) << twice.message();
  EXPECT_EQ(error_of("warehouse.fact_order", order_model("(null, 'a'), (11, 'a')")).code(),
            "transform.key_null");
  const auto lookup = [](const std::string& dimension, const std::string& sql) {
    return "/* eddy\nmaterialize: fact\ndimensions:\n  customer_key: {dimension: warehouse." + dimension +
           ", key: customer_id}\n*/\n" + sql;
  };
  EXPECT_EQ(error_of("warehouse.f", lookup("dim_custmer", "select 1 as customer_id")).code(),
            "transform.unknown_relation");
  const Error type = error_of("warehouse.f", lookup("dim_customer", "select 1 as customer_id"));
  EXPECT_EQ(type.code(), "transform.wrong_key");
  EXPECT_EQ(type.hint(), "cast it in the SELECT: customer_id::VARCHAR");
  EXPECT_EQ(error_of("warehouse.f", lookup("dim_customer", "select 'a' as customerid")).hint(),
            "did you mean `customerid`?");
  EXPECT_EQ(error_of("warehouse.f", lookup("fact_order", "select 1 as customer_id")).code(),
            "transform.not_a_dimension");
  EXPECT_EQ(
      error_of("warehouse.f", lookup("dim_customer", "select 'a' as customer_id, 1 as customer_key")).code(),
      "transform.column_taken");
  build("warehouse.dim_day", "/* eddy\nmaterialize: dimension\nkey: day\n*/ select date '2026-01-01' as day");
  const Error odd = error_of("warehouse.f",
                             "/* eddy\nmaterialize: fact\ndimensions: {day_key: {dimension: "
                             "warehouse.dim_day, key: day}}\n*/ select 5 as day");
  EXPECT_EQ(odd.code(), "transform.sql");
  EXPECT_EQ(rows("from warehouse.fact_order"), "1,10,a");
}

TEST_F(Star, CompositeNaturalKeys) {
  build("warehouse.dim_price",
        "/* eddy\nmaterialize: dimension\nkey: [product, country]\n*/ select * from (values ('p', 'de', 1), "
        "('p', 'at', 2)) t(product, country, price)");
  build("warehouse.fact_sale",
        "/* eddy\nmaterialize: fact\ndimensions: {price_key: {dimension: warehouse.dim_price, key: [p, "
        "c]}}\n*/ "
        "select * from (values ('p', 'de'), ('p', null)) t(p, c)");
  EXPECT_EQ(rows("from warehouse.fact_sale"), "2,p,de; 0,p,-");
}

using Tables = BuildTest;

TEST_F(Tables, KeysAndReferencesAreEnforcedByTheTable) {
  build("warehouse.shops", "/* eddy\nkey: shop_id\n*/ select i as shop_id, 'x' as name from range(3) t(i)");
  build("warehouse.staff",
        "/* eddy\nkey: staff_id\nreferences: {shop_id: warehouse.shops}\n*/ select 1 as staff_id, 2::bigint "
        "as shop_id");
  auto connection = session->connect();
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.staff values (1, 2)"), Error);
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.staff values (2, 9)"), Error);
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.staff values (null, 2)"), Error);
  EXPECT_EQ(rows("from warehouse.staff"), "1,2");
}

TEST_F(Tables, AViolatedForeignKeyIsNamedWithRows) {
  build("warehouse.shops", "/* eddy\nkey: shop_id\n*/ select 1 as shop_id");
  const std::string header = "/* eddy\nreferences: {shop_id: warehouse.shops}\n*/ ";
  build("warehouse.staff", header + "select 'ann' as name, 1 as shop_id");
  const Error e = error_of(
      "warehouse.staff",
      header + "select * from (values ('bob', 8), ('cid', 1), ('dan', null), ('eve', 9)) t(name, shop_id)");
  EXPECT_EQ(e.code(), "transform.foreign_key");
  EXPECT_EQ(e.message(),
            "FOREIGN KEY (shop_id) of warehouse.staff to warehouse.shops (shop_id) is violated by 2 rows: "
            "{\"name\":\"bob\",\"shop_id\":8}, {\"name\":\"eve\",\"shop_id\":9}");
  EXPECT_EQ(e.diagnostics().front().position.line, 2);
  EXPECT_EQ(rows("from warehouse.staff"), "ann,1");
}

TEST_F(Tables, AReferenceMeansTheKeyOfThatName) {
  build("warehouse.dim_shop",
        "/* eddy\nmaterialize: dimension\nkey: shop_id\n*/ select 's' as shop_id, 'x' as name");
  build("warehouse.by_natural",
        "/* eddy\nreferences: {shop_id: warehouse.dim_shop}\n*/ select 's' as shop_id");
  build("warehouse.by_surrogate",
        "/* eddy\nreferences: {shop_key: warehouse.dim_shop}\n*/ select shop_key from warehouse.dim_shop");
  build("warehouse.by_name",
        "/* eddy\nreferences: {home: warehouse.dim_shop.shop_id}\n*/ select 's' as home");
  const Error type = error_of("warehouse.by_default",
                              "/* eddy\nreferences: {home: warehouse.dim_shop}\n*/ select 's' as home");
  EXPECT_EQ(type.code(), "transform.wrong_key");
  const Error none =
      error_of("warehouse.b", "/* eddy\nreferences: {home: warehouse.dim_shop.name}\n*/ select 's' as home");
  EXPECT_EQ(none.code(), "transform.no_such_key");
  EXPECT_EQ(none.hint(), "its keys are: shop_key; shop_id");
  EXPECT_EQ(rows("select count(*) from duckdb_constraints() where constraint_type = 'FOREIGN KEY' and "
                 "referenced_table = 'dim_shop'"),
            "3");
}

TEST_F(Tables, RowsThatOthersReferToStayUntilTheyLetGo) {
  const std::string shops = "/* eddy\nkey: shop_id\n*/ ",
                    staff = "/* eddy\nreferences: {shop_id: warehouse.shops}\n*/ ";
  build("warehouse.shops", shops + "select i as shop_id, 'old' as name from range(4) t(i)");
  build("warehouse.staff", staff + "select 2::bigint as shop_id");
  const BuildResult kept =
      build("warehouse.shops", shops + "select i as shop_id, 'new' as name from range(1) t(i)");
  EXPECT_EQ(kept.kept, 1u);
  EXPECT_EQ(rows("from warehouse.shops order by 1"), "0,new; 2,old");
  build("warehouse.staff", staff + "select 0::bigint as shop_id");
  EXPECT_EQ(build("warehouse.shops", shops + "select i as shop_id, 'new' as name from range(1) t(i)").kept,
            0u);
  EXPECT_EQ(rows("from warehouse.shops"), "0,new");
}

TEST_F(Tables, AChainOfTablesIsPutBackAroundAChangedOne) {
  const std::string a = "/* eddy\nkey: a\n*/ ", b = "/* eddy\nkey: b\nreferences: {a: warehouse.a}\n*/ ",
                    c = "/* eddy\nreferences: {a: warehouse.a, b: warehouse.b}\n*/ ";
  build("warehouse.a", a + "select 1 as a");
  build("warehouse.b", b + "select 1 as a, 2 as b");
  build("warehouse.c", c + "select 1 as a, 2 as b");
  const BuildResult result = build("warehouse.a", a + "select 1::bigint as a, 'new' as more");
  EXPECT_EQ(result.rebuilt, (std::vector<std::string>{"c", "b"}));
  EXPECT_EQ(rows("select column_name, data_type from duckdb_columns() where database_name = 'warehouse_db' "
                 "and column_name = 'a' order by table_name"),
            "a,BIGINT; a,BIGINT; a,BIGINT");
  EXPECT_EQ(
      rows("select c.b, a.more from warehouse.c join warehouse.b using (b) join warehouse.a on a.a = b.a"),
      "2,new");
  const Error gone = error_of("warehouse.a", "select 1::bigint as a");
  EXPECT_EQ(gone.code(), "transform.foreign_key");
  EXPECT_EQ(rows("from warehouse.a"), "1,new");
  reopen();
  auto connection = session->connect();
  EXPECT_THROW(connection.execute("insert into warehouse_db.warehouse.c values (1, 5)"), Error);
}

TEST_F(Tables, ATableMayLoseItsKeyAndColumnsWhenNobodyRefersToIt) {
  build("warehouse.a", "/* eddy\nkey: a\n*/ select 1 as a, 2 as b");
  build("warehouse.a", "select 'x' as b from range(2)");
  EXPECT_EQ(rows("from warehouse.a"), "x; x");
  EXPECT_EQ(rows("select count(*) from duckdb_constraints() where table_name = 'a'"), "0");
}

TEST_F(Tables, AReferredTableCannotBecomeAView) {
  build("warehouse.a", "/* eddy\nkey: a\n*/ select 1 as a");
  build("warehouse.b", "/* eddy\nreferences: {a: warehouse.a}\n*/ select 1 as a");
  EXPECT_EQ(error_of("warehouse.a", "/* eddy\nmaterialize: view\n*/ select 1 as a").code(),
            "transform.foreign_key");
  EXPECT_EQ(rows("from warehouse.a"), "1");
}

TEST_F(Tables, ReadersSeeTheOldRowsUntilTheCommit) {
  build("warehouse.a", "/* eddy\nkey: a\n*/ select 1 as a");
  build("warehouse.b", "/* eddy\nreferences: {a: warehouse.a}\n*/ select 1 as a");
  auto reader = session->connect();
  reader.execute("begin");
  EXPECT_EQ(reader.query("select count(*) from warehouse.b").scalar().as_integer(), 1);
  build("warehouse.a", "/* eddy\nkey: a\n*/ select i::int as a, 'x' as more from range(3) t(i)");
  EXPECT_EQ(reader.query("select count(*) from warehouse_db.warehouse.a").scalar().as_integer(), 1);
  reader.execute("commit");
  EXPECT_EQ(reader.query("select count(*) from warehouse_db.warehouse.a").scalar().as_integer(), 3);
}

// What a machine that stopped right now would leave behind: the file and the log beside it, not yet folded
// into it.
TEST_F(Tables, ARebuiltChainIsWholeAfterACrash) {
  const std::string a = "/* eddy\nkey: a\n*/ ";
  build("warehouse.a", a + "select 1 as a");
  build("warehouse.b", "/* eddy\nkey: b\nreferences: {a: warehouse.a}\n*/ select 1 as a, 2 as b");
  build("warehouse.c", "/* eddy\nreferences: {b: warehouse.b}\n*/ select 2 as b");
  build("warehouse.a", a + "select 1 as a, 'new' as more");
  build("warehouse.dim_x", "/* eddy\nmaterialize: dimension\nkey: k\n*/ select 'k' as k, 1 as v");
  build("warehouse.fact_x",
        "/* eddy\nmaterialize: fact\ndimensions: {x_key: {dimension: warehouse.dim_x, key: k}}\n*/ select "
        "'k' as k");
  build("warehouse.dim_x", "/* eddy\nmaterialize: dimension\nkey: k\n*/ select 'k' as k, 2 as v");
  ASSERT_TRUE(std::filesystem::exists(scratch / "warehouse.duckdb.wal"));
  std::filesystem::create_directories(scratch / "after");
  for (const char* file : {"warehouse.duckdb", "warehouse.duckdb.wal"})
    std::filesystem::copy_file(scratch / file, scratch / "after" / file);
  auto copy = engine::Database::in_memory({.memory_limit = "200MB", .spill_folder = {}, .threads = 1});
  auto connection = copy.connect();
  connection.execute("attach '" + (scratch / "after/warehouse.duckdb").string() + "' as w; use w.warehouse");
  EXPECT_EQ(connection.query("select more from c join b using (b) join a using (a)").scalar().as_string(),
            "new");
  EXPECT_EQ(connection.query("select v from fact_x join dim_x using (x_key)").scalar().as_integer(), 2);
  EXPECT_THROW(connection.execute("insert into c values (9)"), Error);
  EXPECT_THROW(connection.execute("delete from a"), Error);
  EXPECT_THROW(connection.execute("insert into fact_x values (9, 'z')"), Error);
}

TEST_F(Tables, TwoDimensionsOfOneFactAreRebuiltAtTheSameTime) {
  const auto dimension = [](const std::string& sql) {
    return "/* eddy\nmaterialize: dimension\nkey: id\n*/ " + sql;
  };
  build("warehouse.dim_a", dimension("select 1 as id"));
  build("warehouse.dim_b", dimension("select 1 as id"));
  build("warehouse.fact_f",
        "/* eddy\nmaterialize: fact\ndimensions:\n  a_key: {dimension: warehouse.dim_a, key: id}\n  b_key: "
        "{dimension: warehouse.dim_b, key: id}\n"
        "*/ select 1 as id from range(1000)");
  for (int round = 0; round < 5; ++round) {
    const std::string more = dimension("select 1 as id, 2 as more_" + std::to_string(round));
    std::thread a([&] { EXPECT_EQ(build("warehouse.dim_a", more).rebuilt.size(), 1u); });
    std::thread b([&] { EXPECT_EQ(build("warehouse.dim_b", more).rebuilt.size(), 1u); });
    a.join();
    b.join();
  }
  EXPECT_EQ(rows("select count(*), min(a_key), max(b_key) from warehouse.fact_f"), "1000,1,1");
}

}  // namespace
}  // namespace eddy::transform
