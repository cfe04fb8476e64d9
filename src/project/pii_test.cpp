#include "project/pii.h"

#include <gtest/gtest.h>

#include "support/scratch.h"

namespace eddy::project {
namespace {

class ProjectPii : public ::testing::Test {
 protected:
  ProjectPii() {
    scratch_.write("eddy.yml", "name: p\n");
    connection("allow");
    scratch_.write("models/clean/people.sql",
                   "/* eddy\ncolumns: {Email: {pii: true}, phone: {pii: true}}\n*/\nselect 1 as email\n");
    // No mark of its own; reads the marked one.
    scratch_.write("models/presentation/leads.sql", "select email from clean.people\n");
    // Has made something else of the column, and what reads it has that.
    scratch_.write("models/presentation/hashes.sql",
                   "/* eddy\ncolumns: {email: {pii: false}}\n*/\nselect eddy_sha256(email) as email from "
                   "clean.people\n");
    scratch_.write("models/presentation/counts.sql", "select email from presentation.hashes\n");
    sync("presentation.leads");
  }

  void connection(const std::string& policy) {
    scratch_.write("connections.yml", "crm: {type: table, pii: " + policy + "}\n");
  }
  void sync(const std::string& model, const std::string& field = "email") {
    scratch_.write("syncs/crm.yml",
                   "model: " + model +
                       "\ndestination: crm\nobject: people\nkey: {id: id}\nfields:\n  mail: " + field + "\n");
  }
  Project load() {
    const config::Shape nothing = config::Shape::object({});
    ConnectionTypes types;
    types.add("table", [nothing] { return ConnectionType{nothing, nothing, false, true}; });
    return load_project(scratch_.path(), "", types);
  }
  std::string expression() { return load().syncs.at(0).fields.at(0).expression; }
  std::vector<Diagnostic> problems() {
    try {
      load();
    } catch (const Error& e) {
      return e.diagnostics();
    }
    return {};
  }

  testing::Scratch scratch_;
};

TEST_F(ProjectPii, AMarkFollowsTheColumnsName) {
  const auto personal = personal_columns(load());
  EXPECT_EQ(personal.at("clean.people"), (std::set<std::string>{"email", "phone"}));
  EXPECT_EQ(personal.at("presentation.leads"), (std::set<std::string>{"email", "phone"}));
  EXPECT_EQ(personal.at("presentation.hashes"), std::set<std::string>{"phone"});
  EXPECT_EQ(personal.at("presentation.counts"), std::set<std::string>{"phone"});
}

TEST_F(ProjectPii, AllowIsTheDefault) {
  EXPECT_EQ(expression(), "email");
  scratch_.write("connections.yml", "crm: {type: table}\n");
  EXPECT_EQ(expression(), "email");
}

TEST_F(ProjectPii, HashChangesWhatIsSent) {
  connection("hash");
  EXPECT_TRUE(expression().starts_with("eddy_sha256("));
  sync("presentation.leads", "upper(name)");
  EXPECT_EQ(expression(), "upper(name)");
  sync("presentation.counts");
  EXPECT_EQ(expression(), "email");
}

TEST_F(ProjectPii, BlockIsAnErrorOfTheProject) {
  connection("block");
  const auto said = problems();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].code, "sync.pii_blocked");
  EXPECT_EQ(said[0].position.file, "syncs/crm.yml");
  EXPECT_EQ(said[0].position.line, 6);
  sync("presentation.counts");
  EXPECT_TRUE(problems().empty());
  sync("presentation.leads", "{value: email, pii: false}");
  EXPECT_TRUE(problems().empty());
}

TEST_F(ProjectPii, AMisspeltPolicyIsNoAllowance) {
  connection("blok");
  const auto said = problems();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].code, "config.not_allowed");
  EXPECT_EQ(said[0].hint, "did you mean `block`?");
}

TEST_F(ProjectPii, RegionsOfPhoneNumbersAreChecked) {
  sync("presentation.leads", "{value: phone, normalize: {e164: UK}}");
  const auto said = problems();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].code, "sync.unknown_region");
}

}  // namespace
}  // namespace eddy::project
