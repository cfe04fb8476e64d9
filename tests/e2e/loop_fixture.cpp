#include "loop_fixture.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <stdexcept>

#include "core/text.h"

namespace eddy::testing {
namespace {

using nlohmann::json;

constexpr const char* services[] = {"salesforce", "hubspot", "marketo", "zendesk"};

const json& member(const json& row, const std::string& path) {
  static const json null;
  const json* at = &row;
  for (const std::string& name : split(path, '.')) {
    if (!at->is_object() || !at->contains(name)) return null;
    at = &(*at)[name];
  }
  return *at;
}

std::string one_spelling(double number) { return fmt::format("{:.12g}", number == 0 ? 0.0 : number); }

}  // namespace

SandboxServices::SandboxServices(const Scratch& scratch, const std::vector<std::string>& flags) {
  Command command{.argv = {program("eddy-sandbox").string(), "--port-base", "0"},
                  .directory = scratch.path()};
  command.argv.insert(command.argv.end(), flags.begin(), flags.end());
  program_ = std::make_unique<Background>(command, scratch / "sandbox.log");
  program_->wait_for("ready");
  for (const std::string& line : split(program_->log(), '\n')) {
    const std::size_t space = line.find(" http://");
    if (space == std::string::npos) continue;
    std::string name = line.substr(0, space) + "_URL";
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    environment_[name] = any_url_ = line.substr(space + 1);
  }
}

json SandboxServices::get(const std::string& page) {
  http::Request request;
  request.url = any_url_ + "/_sandbox" + page;
  const http::Result result = client_.send(request);
  if (!result) throw std::runtime_error(page + ": " + result.error().message);
  if (result->status != 200)
    throw std::runtime_error(fmt::format("{}: {} {}", page, result->status, result->body));
  return json::parse(result->body);
}

json SandboxServices::records(const std::string& service, const std::string& object) {
  return get("/" + service + "/" + object)["records"];
}

std::int64_t SandboxServices::stat(const std::string& service, const std::string& name) {
  return get("/stats").at(service).at(name).get<std::int64_t>();
}

std::map<std::string, std::int64_t> SandboxServices::rows_received() {
  const json stats = get("/stats");
  std::map<std::string, std::int64_t> rows;
  for (const char* service : services) rows[service] = stats.at(service).at("rows_received");
  return rows;
}

ProjectFolder::ProjectFolder(std::filesystem::path folder, std::map<std::string, std::string> environment)
    : folder_(std::move(folder)), environment_(std::move(environment)) {
  environment_["NO_COLOR"] = "1";
}

void ProjectFolder::write(const std::string& name, const std::string& content) const {
  std::filesystem::create_directories((folder_ / name).parent_path());
  std::ofstream(folder_ / name, std::ios::binary) << content;
}

Command ProjectFolder::command(const std::vector<std::string>& arguments) const {
  // The tester's shell may hold keys of real accounts under the names that connections.yml reads.
  Command command{.argv = {"/usr/bin/env"}, .directory = folder_, .environment = environment_};
  for (const char* name : {"EDDY_TARGET", "EDDY_PROJECT_DIR", "HUBSPOT_TOKEN", "SALESFORCE_CLIENT_ID",
                           "SALESFORCE_CLIENT_SECRET", "MARKETO_CLIENT_ID", "MARKETO_CLIENT_SECRET",
                           "ZENDESK_EMAIL", "ZENDESK_TOKEN", "ZENDESK_REQUESTS_PER_MINUTE"}) {
    command.argv.push_back("-u");
    command.argv.push_back(name);
  }
  command.argv.push_back(program("eddy").string());
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

std::vector<json> ProjectFolder::query(const std::string& sql) const {
  const Finished finished = eddy({"query", sql, "--format", "json"});
  if (finished.exit_code != 0) throw std::runtime_error(sql + "\n" + finished.err);
  std::vector<json> rows;
  for (const std::string& line : split(finished.out, '\n'))
    if (!line.empty()) rows.push_back(json::parse(line));
  return rows;
}

std::int64_t ProjectFolder::count(const std::string& relation) const {
  return query("select count(*) as n from " + relation).at(0).at("n").get<std::int64_t>();
}

std::string plain(const json& value) {
  if (value.is_null()) return {};
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number()) return one_spelling(value.get<double>());
  if (!value.is_string()) return value.dump();
  const std::string& text = value.get_ref<const std::string&>();
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  return ec == std::errc{} && end == text.data() + text.size() ? one_spelling(number) : text;
}

Records records_by(const std::string& key, const std::vector<std::string>& fields,
                   const std::vector<json>& rows) {
  Records records;
  for (const json& row : rows) {
    std::map<std::string, std::string> record;
    for (const std::string& field : fields) record[field] = plain(member(row, field));
    const std::string name = plain(member(row, key));
    if (!records.emplace(name, std::move(record)).second) throw std::runtime_error(name + " is there twice");
  }
  return records;
}

std::string difference(const Records& expected, const Records& actual) {
  std::vector<std::string> lines;
  for (const auto& [key, record] : expected) {
    const auto found = actual.find(key);
    if (found == actual.end()) {
      lines.push_back("missing " + key);
      continue;
    }
    for (const auto& [field, value] : record)
      if (const std::string& other = found->second.at(field); other != value)
        lines.push_back(fmt::format("{}.{}: {} instead of {}", key, field, other, value));
  }
  for (const auto& [key, record] : actual)
    if (!expected.contains(key)) lines.push_back("too much " + key);
  if (lines.empty()) return {};
  std::string text = fmt::format("{} differences", lines.size());
  for (std::size_t i = 0; i < lines.size() && i < 5; ++i) text += "\n" + lines[i];
  return text;
}

double sum(const Records& records, const std::string& field) {
  double total = 0;
  for (const auto& [key, record] : records) total += std::stod(record.at(field));
  return total;
}

}  // namespace eddy::testing
