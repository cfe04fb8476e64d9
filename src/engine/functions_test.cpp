#include "engine/functions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "engine/database.h"

namespace eddy::engine {
namespace {

class Functions : public ::testing::Test {
 protected:
  Database database = Database::in_memory({.memory_limit = "400MB", .spill_folder = {}, .threads = 2});
  Connection connection = database.connect();

  std::string value(const std::string& expression) {
    const Value cell = connection.query("select " + expression).scalar();
    return cell.is_null() ? "null" : cell.to_text();
  }
  std::string message(const std::string& sql) {
    try {
      connection.execute(sql);
    } catch (const Error& e) {
      return e.message();
    }
    return "no error";
  }
};

TEST_F(Functions, OneForm) {
  EXPECT_EQ(value("eddy_email(' Ada@Example.COM ')"), "ada@example.com");
  EXPECT_EQ(value("eddy_email('nobody')"), "null");
  EXPECT_EQ(value("eddy_phone('+1 650 555 1212')"), "+16505551212");
  EXPECT_EQ(value("eddy_phone('(650) 555-1212')"), "null");
  EXPECT_EQ(value("eddy_phone('(650) 555-1212', 'US')"), "+16505551212");
}

// The digests that the advertising platforms print in their own documentation and test their own libraries
// with.
TEST_F(Functions, DigestsThatMetaPublishes) {
  EXPECT_EQ(value("eddy_email_sha256(' John_Smith@gmail.com')"),
            "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f");
  EXPECT_EQ(value("eddy_phone_sha256_meta('(650)555-1212', 'US')"),
            "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176");
  EXPECT_EQ(value("eddy_name_sha256_meta('Mary')"),
            "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec");
  EXPECT_EQ(value("eddy_name_sha256_meta('정')"),
            "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14");
  EXPECT_EQ(value("eddy_name_sha256_meta('VALÉRY.')"),
            "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c");
}

TEST_F(Functions, DigestsThatGooglePublishes) {
  for (const std::string email : {"alexz@example.com", "  ALEXZ@example.com   ", "alexz@EXAMPLE.com"})
    for (const std::string function : {"eddy_email_sha256", "eddy_email_sha256_google"})
      EXPECT_EQ(value(function + "('" + email + "')"),
                "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a");
  EXPECT_EQ(value("eddy_phone_sha256('  +1-800-555-0100')"),
            "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30");
  EXPECT_EQ(value("eddy_phone_sha256('1-800-555-0100   ', 'US')"),
            "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30");
  EXPECT_EQ(value("eddy_name_sha256('  GivenName  ')"),
            "128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814");
  EXPECT_EQ(value("eddy_email_sha256_google('Cloudy.SanFrancisco+shopping@gmail.com')"),
            value("eddy_sha256('cloudysanfrancisco@gmail.com')"));
  EXPECT_NE(value("eddy_email_sha256('Cloudy.SanFrancisco+shopping@gmail.com')"),
            value("eddy_sha256('cloudysanfrancisco@gmail.com')"));
}

TEST_F(Functions, PlainDigestsAreThoseOfTheEngine) {
  EXPECT_EQ(value("eddy_sha256(' Ä ') = sha256(' Ä ')"), "true");
  EXPECT_EQ(value("eddy_sha256('')"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(value("eddy_hmac_sha256('what do ya want for nothing?', 'Jefe')"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_F(Functions, NullGivesNull) {
  for (const std::string call :
       {"eddy_email(null)", "eddy_phone(null)", "eddy_phone(null, 'DE')", "eddy_sha256(null)",
        "eddy_hmac_sha256(null, 'k')", "eddy_hmac_sha256('x', null)", "eddy_email_sha256(null)",
        "eddy_email_sha256_google(null)", "eddy_phone_sha256(null)", "eddy_phone_sha256_meta(null, 'DE')",
        "eddy_name_sha256(null)", "eddy_name_sha256_meta('...')", "eddy_name_sha256('  ')",
        "eddy_email_sha256('nobody')", "eddy_phone_sha256('12', 'DE')"})
    EXPECT_EQ(value(call), "null") << call;
}

TEST_F(Functions, ARegionOfARowMayBeAnything) {
  EXPECT_EQ(value("eddy_phone('+1 650 555 1212', null)"), "+16505551212");
  EXPECT_EQ(value("eddy_phone('650 555 1212', null)"), "null");
  EXPECT_EQ(value("list(eddy_phone(p, r)) from (values ('030 901820', 'DE'), ('+49 30 901820', 'nowhere'), "
                  "('030 901820', 'nowhere'), ('030 901820', null), ('+49 30 901820', null), (null, 'DE'), "
                  "('650 555 1212', 'us')) t(p, r)"),
            R"(["+4930901820","+4930901820",null,null,"+4930901820",null,"+16505551212"])");
}

TEST_F(Functions, AWrittenRegionMustBeRight) {
  EXPECT_NE(message("select eddy_phone('1', 'UK')").find("`UK` is no region of phone numbers"),
            std::string::npos)
      << message("select eddy_phone('1', 'UK')");
  EXPECT_NE(message("select eddy_phone(p, 'Germany') from (values ('1')) t(p)").find("`Germany`"),
            std::string::npos);
}

TEST_F(Functions, OnlyTextIsTaken) {
  EXPECT_NE(message("select eddy_email(12)").find("eddy_email(VARCHAR)"), std::string::npos)
      << message("select eddy_email(12)");
  EXPECT_NE(message("select eddy_hmac_sha256('x')").find("eddy_hmac_sha256"), std::string::npos);
}

// Chunks, null bits, dictionaries and constants beside columns.
TEST_F(Functions, ManyRows) {
  connection.execute(
      "create table people as select i, case when i % 7 = 0 then null when i % 11 = 0 then 'broken' else "
      "' USER' || i || '@Example.com' end as email, case when i % 2 = 0 then 'k' else 'l' end as key "
      "from range(20000) t(i)");
  const Row counts =
      connection
          .query(
              "select count(*) filter (eddy_email(email) is null), count(distinct eddy_email_sha256(email)), "
              "count(*) filter (eddy_email_sha256(email) <> sha256('user' || i || '@example.com')), "
              "count(*) filter (eddy_hmac_sha256(i::varchar, key) <> eddy_hmac_sha256(i::varchar, case key "
              "when 'k' then 'k' else 'l' end)), count(distinct eddy_hmac_sha256('x', key)), "
              "count(distinct eddy_hmac_sha256(i::varchar, 'k')) from people")
          .rows()
          .at(0);
  const std::int64_t nulls = 2858, broken = 1818 - 259;  // i % 7; i % 11 without i % 77
  EXPECT_EQ(counts[0].as_integer(), nulls + broken);
  EXPECT_EQ(counts[1].as_integer(), 20000 - nulls - broken);
  EXPECT_EQ(counts[2].as_integer(), 0);
  EXPECT_EQ(counts[3].as_integer(), 0);
  EXPECT_EQ(counts[4].as_integer(), 2);
  EXPECT_EQ(counts[5].as_integer(), 20000);
  EXPECT_EQ(value("count(*) from people where eddy_email(email) = eddy_email('user5@EXAMPLE.com')"), "1");
  EXPECT_EQ(value("count(distinct eddy_phone('+16505551212')) from people"), "1");
}

TEST_F(Functions, EveryConnectionAndEveryDatabaseHasThem) {
  std::vector<std::thread> threads;
  std::vector<std::int64_t> counts(3, 0);
  for (std::int64_t& count : counts)
    threads.emplace_back([&] {
      Connection c = database.connect();
      count = c.query("select count(distinct eddy_email_sha256('a' || i || '@b.de')) from range(5000) t(i)")
                  .scalar()
                  .as_integer();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counts, std::vector<std::int64_t>(3, 5000));
  connection.execute("attach ':memory:' as other; use other");
  EXPECT_EQ(value("eddy_email('A@b.de')"), "a@b.de");
}

}  // namespace
}  // namespace eddy::engine
