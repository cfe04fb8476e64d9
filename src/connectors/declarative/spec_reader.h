// How the text of a connector.yml becomes its structs. A block with a file of its own (job_spec.cpp) is read
// there.
#pragma once

#include <string>
#include <vector>

#include "config/document.h"
#include "connectors/declarative/job_spec.h"
#include "connectors/declarative/spec.h"

namespace eddy::connectors {

// Reads one file, which its shape has checked; knows which placeholder names exist.
class SpecReader {
 public:
  explicit SpecReader(const config::Node& root) : root_(root) {}
  Spec read();

 private:
  Template placeholders(const config::Node& node, bool with_rows = true) const;
  void check_names(const config::Node& node, const std::vector<std::string>& names, bool with_rows) const;
  std::string pointer(const config::Node& node) const;
  Template pointer_template(const config::Node& node) const;
  std::vector<std::string> pointers(const config::Node& node) const;
  NamedTemplates named(const config::Node& node) const;
  SettingSpec setting(const config::Node::Entry& entry) const;
  OptionSpec option(const config::Node::Entry& entry) const;  // options.cpp
  RequestSpec request(const config::Node& node) const;
  AuthSpec auth(const config::Node& node) const;
  ErrorRule rule(const config::Node& node) const;
  ErrorSpec errors(const config::Node& node, const ErrorSpec& otherwise) const;
  RowsSpec rows(const config::Node& node) const;
  OutcomeSpec outcome(const config::Node& node) const;
  OperationSpec operation(const config::Node& node, const ErrorSpec& errors, bool inserts) const;
  // These three are in branch_spec.cpp.
  void branch(const config::Node& node, const ErrorSpec& errors, OperationSpec& out) const;
  ConflictSpec conflict(const config::Node& node) const;
  void check_operation(const config::Node& node, const std::string& name, const OperationSpec& out) const;
  MatchSpec match(const config::Node& node) const;
  // These four are in job_spec.cpp.
  void ways(const config::Node& node, OperationSpec& out) const;
  CsvSpec csv(const config::Node& node) const;
  JobResultSpec job_result(const config::Node& node) const;
  std::shared_ptr<const JobSpec> job(const config::Node& node) const;
  LookupSpec lookup(const config::Node& node, const ErrorSpec& errors) const;
  FieldSpec known_field(const config::Node::Entry& entry) const;
  ObjectSpec object(const config::Node::Entry& entry) const;
  DiscoverSpec discover(const config::Node& node) const;
  ObjectsSpec objects(const config::Node& node) const;
  TransformSpec transforms(const config::Node& node) const;
  CheckSpec check(const config::Node& node) const;    // check.cpp
  PagingSpec paging(const config::Node& node) const;  // paging.cpp
  // These are in limits_spec.cpp.
  QuotaSpec quota(const config::Node& node) const;
  RowLimitSpec row_limit(const config::Node& node) const;
  LimitsSpec limits(const config::Node& node) const;

  config::Node root_;
  std::vector<std::string> names_;
};

}  // namespace eddy::connectors
