// What the tests of the whole loop share: a project folder in which the programs run, the services around it,
// and the comparison of what a model says with what a service holds.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/scratch.h"
#include "transport/http/client.h"

namespace eddy::testing {

// eddy-sandbox on free ports; ends with the object.
class SandboxServices {
 public:
  // `flags` as on the command line; the log goes into `scratch`.
  SandboxServices(const Scratch& scratch, const std::vector<std::string>& flags);

  // HUBSPOT_URL and so on, as connections.yml of the shop names them.
  const std::map<std::string, std::string>& environment() const { return environment_; }
  nlohmann::json get(const std::string& page);  // below /_sandbox, throws std::runtime_error unless 200
  nlohmann::json records(const std::string& service, const std::string& object);
  std::int64_t rows_received(const std::string& service) { return stat(service, "rows_received"); }
  std::int64_t stat(const std::string& service, const std::string& name);
  // Per service, the rows it was sent: what must not move when there is nothing to send.
  std::map<std::string, std::int64_t> rows_received();

 private:
  std::unique_ptr<Background> program_;
  std::map<std::string, std::string> environment_;
  std::string any_url_;
  http::Client client_;
};

// A project folder below a Scratch and `eddy` run in it, free of the tester's own environment.
class ProjectFolder {
 public:
  ProjectFolder(std::filesystem::path folder, std::map<std::string, std::string> environment);
  const std::filesystem::path& path() const { return folder_; }
  void write(const std::string& name, const std::string& content) const;
  Command command(const std::vector<std::string>& arguments) const;
  Finished eddy(const std::vector<std::string>& arguments) const { return run(command(arguments)); }
  // The rows of a query, one object each. Throws std::runtime_error with what eddy said.
  std::vector<nlohmann::json> query(const std::string& sql) const;
  std::int64_t count(const std::string& relation) const;

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::string> environment_;
};

// Key → field → text. A number is written one way, however its carrier spells it ("59.00", 59, 59.0); null
// and absent are "".
using Records = std::map<std::string, std::map<std::string, std::string>>;

std::string plain(const nlohmann::json& value);
// A field is the name of a member; "user_fields.plan" leads into a nested one. Throws std::runtime_error when
// a key occurs twice.
Records records_by(const std::string& key, const std::vector<std::string>& fields,
                   const std::vector<nlohmann::json>& rows);
// What is missing, too much, or different, at most a few lines; empty when both are the same.
std::string difference(const Records& expected, const Records& actual);
double sum(const Records& records, const std::string& field);

}  // namespace eddy::testing
