// A full run with four services, a webhook and a database, in good days and bad ones; then every word that
// was printed and every file of the project is searched for the secrets that were used.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "core/files.h"
#include "core/text.h"
#include "loop_fixture.h"

namespace eddy::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string base64(const std::string& bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t j = 0; j < 3; ++j)
      word = word << 8U | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j > bytes.size() ? '=' : digits[word >> (18 - 6 * j) & 63U];
  }
  return out;
}

std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const unsigned char c : text)
    out += std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~'
               ? std::string(1, static_cast<char>(c))
               : fmt::format("%{:02X}", c);
  return out;
}

class Secrets : public ::testing::Test {
 protected:
  // Of the characters that are written differently in a URL, in a form, in JSON and in a connection string.
  static std::string secret(const std::string& name) { return "q7" + name + "/+&=%\\x'Zk9"; }

  // What must not be found, and what it is.
  std::map<std::string, std::string> forms(const std::set<std::string>& names) const {
    std::map<std::string, std::string> out;
    for (const std::string& name : names) {
      const std::string plain = secret(name);
      out[plain] = name;
      out[percent_encoded(plain)] = name + ", percent-encoded";
      const std::string quoted = json(plain).dump();
      out[quoted.substr(1, quoted.size() - 2)] = name + ", in JSON";
      out[base64(plain)] = name + ", in base64";
      out[base64("agent@example.com/token:" + plain)] = name + ", in an Authorization header";
      out["q7" + name] = "the beginning of " + name;
    }
    out["00D5g000000SANDBOX!"] = "an access token of Salesforce";
    if (!marketo_token_.empty()) out[marketo_token_] = "the access token of Marketo";
    return out;
  }

  std::string found_in(const std::string& text) const {
    std::string out;
    for (const auto& [form, what] : forms_)
      if (text.find(form) != std::string::npos) out += what + "; ";
    return out;
  }
  void search(const std::string& text, const std::string& where) {
    ++searched_;
    EXPECT_EQ(found_in(text), "") << "in " << where;
  }

  Finished eddy(const ProjectFolder& project, const std::vector<std::string>& arguments) {
    Finished finished = project.eddy(arguments);
    const std::string command = "the output of eddy " + join(arguments, " ");
    search(finished.out, command);
    search(finished.err, command);
    return finished;
  }

  void search_files(const fs::path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) search(read_file(entry.path()), entry.path().string());
  }

  // Syncs to all of them; the words of the connections come from the environment.
  static void write_project(const ProjectFolder& project) {
    project.write("eddy.yml", "name: secrets\n");
    project.write("connections.yml",
                  "hubspot: {type: hubspot, base_url: '${HUBSPOT_URL}', token: '${KEY_HUBSPOT}'}\n"
                  "salesforce: {type: salesforce, base_url: '${SALESFORCE_URL}', client_id: sandbox-client, "
                  "client_secret: '${KEY_SALESFORCE}'}\n"
                  "marketo: {type: marketo, base_url: '${MARKETO_URL}', client_id: sandbox-client, "
                  "client_secret: '${KEY_MARKETO}'}\n"
                  "zendesk: {type: zendesk, base_url: '${ZENDESK_URL}', email: agent@example.com, api_token: "
                  "'${KEY_ZENDESK}', requests_per_minute: 2500}\n"
                  "hook: {type: webhook, url: 'http://127.0.0.1:9/hook', secret: '${KEY_HOOK}'}\n"
                  "crm: {type: postgres, host: 127.0.0.1, port: 9, database: crm, user: eddy, password: "
                  "'${KEY_CRM}'}\n"
                  "files: {type: files}\n");
    project.write("sources/shop.yml", "connection: files\nstreams:\n  people: {path: people.csv}\n");
    project.write("models/presentation/people.sql",
                  "select id, name, 'p' || id || '@example.com' as email, score from raw.shop_people\n");
    const auto sync = [&](const std::string& name, const std::string& object, const std::string& key,
                          const std::string& fields) {
      project.write("syncs/" + name + ".yml",
                    fmt::format("model: presentation.people\ndestination: {}\nobject: {}\nkey: {}\nguards: "
                                "{{removed: 100%, changed: 100%, rows: 100%}}\nfields: {}\n",
                                name, object, key, fields));
    };
    sync("hubspot", "contacts", "{email: email}", "{jobtitle: name, ltv: score}");
    sync("salesforce", "Contact", "{External_Id__c: id}", "{LastName: name, Lifetime_Value__c: score}");
    sync("marketo", "leads", "{email: email}", "{notes: name, leadScore: score}");
    sync("zendesk", "users", "{external_id: id}", "{name: name, user_fields.lead_score: score}");
    sync("hook", "people", "{id: id}", "{name: name}");
    sync("crm", "people", "{id: id}", "{name: name}");
  }

  static void set_model(const ProjectFolder& project, int day) {
    std::string csv = "id,name,score\n";
    for (int id = 1; id <= 30; ++id)
      csv += fmt::format("k{},name {},{}\n", id, id, id * 10 + (id % 3 == 0 ? day : 0));
    project.write("people.csv", csv);
  }

  Scratch scratch_;
  std::string marketo_token_;
  std::map<std::string, std::string> forms_;
  int searched_ = 0;
};

TEST_F(Secrets, AreInNothingThatIsPrintedOrKept) {
  const std::set<std::string> names = {"hubspot", "salesforce", "marketo", "zendesk", "hook", "crm"};
  SandboxServices sandbox(
      scratch_, {"--hubspot-token", secret("hubspot"), "--salesforce-client-secret", secret("salesforce"),
                 "--marketo-client-secret", secret("marketo"), "--zendesk-api-token", secret("zendesk")});
  auto environment = sandbox.environment();
  const auto use = [&](const std::string& prefix) {
    environment["KEY_HUBSPOT"] = secret(prefix + "hubspot");
    environment["KEY_SALESFORCE"] = secret(prefix + "salesforce");
    environment["KEY_MARKETO"] = secret(prefix + "marketo");
    environment["KEY_ZENDESK"] = secret(prefix + "zendesk");
    environment["KEY_HOOK"] = secret(prefix + "hook");
    environment["KEY_CRM"] = secret(prefix + "crm");
    return ProjectFolder(scratch_ / "project", environment);
  };
  const ProjectFolder project = use("");
  write_project(project);
  set_model(project, 1);
  // Asked early, Marketo gives the token that everybody has.
  http::Client client;
  http::Request ask;
  ask.method = "GET";
  ask.url = environment.at("MARKETO_URL") +
            "/identity/oauth/token?grant_type=client_credentials&client_id=sandbox-client&client_secret=" +
            percent_encoded(secret("marketo"));
  const http::Result granted = client.send(ask);
  ASSERT_TRUE(granted.has_value());
  marketo_token_ = json::parse(granted->body).at("access_token").get<std::string>();
  std::set<std::string> all = names;
  for (const std::string& name : names) all.insert("wrong" + name);
  forms_ = forms(all);

  const Finished checked = eddy(project, {"validate"});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  eddy(project, {"doctor"});
  const std::string reachable = "hubspot salesforce marketo zendesk";
  EXPECT_EQ(eddy(project, {"run", "-s", "+hubspot +salesforce +marketo +zendesk"}).exit_code, 0);
  for (const char* service : {"hubspot", "salesforce", "marketo", "zendesk"})
    EXPECT_EQ(sandbox.stat(service, "rows_written"), 30) << service;

  // The day's changes, by a plan in a file and by runs in the middle of trouble.
  set_model(project, 2);
  eddy(project, {"run", "-s", "presentation.people", "--json"});
  eddy(project, {"plan", "-s", reachable, "--out", "changes.plan"});
  eddy(project, {"plan", "--json"});
  eddy(project, {"plan", "--markdown", "-s", reachable});
  eddy(project, {"apply", "changes.plan"});
  json faults;
  for (const char* service : {"hubspot", "salesforce", "marketo", "zendesk"})
    for (const char* fault :
         {"http_500", "drop_after_apply", "malformed_json", "truncated", "expire_token", "throttle"})
      faults[fmt::format("{}.{}", service, fault)] = {{"rate", 0.5}, {"times", 1}};
  http::Request trouble;
  trouble.url = environment.at("HUBSPOT_URL") + "/_sandbox/faults";
  trouble.body = faults.dump();
  ASSERT_EQ(client.send(trouble)->status, 200);
  set_model(project, 3);
  eddy(project, {"run"});
  eddy(project, {"sync", "resend", "hubspot"});
  eddy(project, {"row", "hubspot", "p3@example.com"});
  eddy(project, {"row", "zendesk", "k3", "--json"});
  eddy(project, {"rejects"});
  eddy(project, {"connectors", "salesforce", "Contact"});
  eddy(project, {"map", "marketo"});
  eddy(project, {"query", "select * from eddy.runs"});
  eddy(project, {"query", "select * from eddy.row_outcomes"});
  const Finished runs = eddy(project, {"runs", "--json", "--limit", "1"});
  ASSERT_FALSE(runs.out.empty());
  eddy(project, {"runs", json::parse(runs.out.substr(0, runs.out.find('\n'))).at("run").get<std::string>()});

  // Credentials that are refused are as secret as those that are good.
  const ProjectFolder wrong = use("wrong");
  const Finished refused = eddy(wrong, {"doctor"});
  EXPECT_NE(refused.exit_code, 0);
  set_model(wrong, 4);
  EXPECT_EQ(eddy(wrong, {"run"}).exit_code, 1);

  search_files(project.path());
  EXPECT_GT(searched_, 60) << "outputs and files";
  EXPECT_NE(sandbox.get("/hubspot/requests").dump().find("batch"), std::string::npos);
  // The search finds what it looks for.
  EXPECT_NE(found_in("token: " + secret("hubspot")), "");
  EXPECT_NE(found_in("Basic " + base64("agent@example.com/token:" + secret("zendesk"))), "");
  EXPECT_NE(found_in("client_secret=" + percent_encoded(secret("wrongmarketo"))), "");
}

}  // namespace
}  // namespace eddy::testing
