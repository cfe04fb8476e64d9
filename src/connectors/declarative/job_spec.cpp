#include "connectors/declarative/job_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/spec_reader.h"
#include "connectors/declarative/spec_shape.h"

namespace eddy::connectors {

using config::field;
using config::Node;
using config::required;
using config::Shape;

namespace {
Shape text() { return Shape::string(); }
}  // namespace

Shape csv_shape() {
  return Shape::object(
      {field("nulls", text(),
             "what stands for null, and for the empty text; an empty cell unless said otherwise"),
       field("unchanged", Shape::enumeration({"empty", "value"}),
             "how fields stand that need not be written: an empty cell leaves them alone (empty, unless said "
             "otherwise), or would clear them (value)")});
}

Shape job_shape() {
  const Shape state = Shape::enumeration({"open", "running", "done", "failed"});
  const Shape poll = Shape::object(
      {required("request", request_shape(), "asks how far the job is"),
       field("interval", Shape::duration(), "before the first poll; grows by half each time"),
       field("interval_max", Shape::duration(), "and never beyond this"),
       field("timeout", Shape::duration(), "after so long its rows are in doubt until the next run"),
       required("state", text(), "JSON pointer to the state"),
       required("states", Shape::map(state), "the service's state: ours; others mean running"),
       field("missing_when", Predicate::shape(), "the service does not know the job any more"),
       field("message", Shape::list(text()), "JSON pointers to why it failed"),
       field("message_code_ends_at", text(), "what stands before this in it is a code of `errors`")});
  const Shape result = Shape::object(
      {field("request", request_shape(), "asks for the list; without it the last poll's reply is read"),
       field("format", Shape::enumeration({"json", "csv"}), "json unless said otherwise"),
       field("when", Predicate::shape(), "of the last poll's reply: only then"),
       field("count", text(), "JSON pointer into the last poll's reply: so many rows the list must have"),
       required("rows", Shape::list(rows_shape()), "what it tells about rows; pointers of a file: /column")});
  return Shape::object(
      {field("success_when", Predicate::shape(),
             "of the replies to create and poll; 2xx unless said otherwise"),
       required("id", text(), "JSON pointer into the reply to the operation's request; then {job.id}"),
       field("upload", request_shape(), "sends the rows; without it the operation's request carries them"),
       field("close", request_shape(), "says that all is there; before that nothing is processed"),
       required("poll", poll, "how the job's end is seen"),
       required("results", Shape::list(result), "what tells about rows; all are read, whatever the end"),
       field("missing_row", Shape::enumeration({"unknown", "applied"}),
             "what a row that no result mentions means once the job is done; unknown unless said otherwise"),
       field("abort", request_shape(), "gives up a job that is not closed"),
       field("max_running", Shape::integer(), "jobs at a time; one unless said otherwise")});
}

void SpecReader::ways(const Node& node, OperationSpec& out) const {
  out.way = node["way"].as_string("");
  out.rows_min = placeholders(node["when"]["min_rows"], false);
  if (node["csv"].exists()) out.csv = csv(node["csv"]);
  if (const Node pack = node["batch"]["pack"]; pack.exists()) {
    SpecReader of_part(*this);
    of_part.names_.insert(of_part.names_.end(), {"part.method", "part.url", "part.id", "part.body"});
    const auto most = static_cast<std::size_t>(std::max<std::int64_t>(1, pack["max"].as_integer()));
    out.pack = PackSpec{most,
                        of_part.request(pack["request"]),
                        pointer(pack["items"]),
                        pointer(pack["id"]),
                        pointer(pack["status"]),
                        pointer(pack["body"])};
  }
  if (!node["async_job"].exists()) return;
  if (node["outcome"].exists())
    node["outcome"].fail("connector.job", "`outcome` stands beside `async_job`",
                         "put what tells about rows into its `results`");
  out.job = job(node["async_job"]);
}

CsvSpec SpecReader::csv(const Node& node) const {
  CsvSpec out;
  out.null_text = node["nulls"].as_string("");
  out.whole_rows = node["unchanged"].as_string("empty") == "value";
  if (out.null_text.empty() && !out.whole_rows)
    node.fail("connector.csv", "an empty cell cannot mean null and `leave alone` at once",
              "give `nulls`, the text that stands for null, or `unchanged: value`");
  return out;
}

JobResultSpec SpecReader::job_result(const Node& node) const {
  JobResultSpec out;
  if (node["request"].exists()) out.request = request(node["request"]);
  out.csv = node["format"].as_string("json") == "csv";
  out.when = Predicate::parse(node["when"]);
  out.count = pointer(node["count"]);
  for (const Node& item : node["rows"].items()) {
    out.rows.push_back(rows(item));
    for (const MatchSpec& match : out.rows.back().match)
      if (match.by == MatchSpec::By::echo && match.row == MatchSpec::Row::trace)
        item.fail("connector.job", "a job's results are joined on the key", "say `row: key`");
      else if (out.csv && match.by != MatchSpec::By::echo)
        item.fail("connector.job", "rows of a result file are joined on the key",
                  "match by echo, with the column as pointer: /email");
  }
  return out;
}

std::shared_ptr<const JobSpec> SpecReader::job(const Node& node) const {
  SpecReader of_job(*this);
  of_job.names_.push_back("job.id");
  const auto optional = [&](const char* name) {
    return node[name].exists() ? std::optional(of_job.request(node[name])) : std::nullopt;
  };
  auto out = std::make_shared<JobSpec>();
  out->success_when = Predicate::parse(node["success_when"]);
  out->id = pointer(node["id"]);
  out->upload = optional("upload");
  out->close = optional("close");
  out->abort = optional("abort");
  const Node poll = node["poll"];
  out->poll = of_job.request(poll["request"]);
  if (poll["interval"].exists()) out->interval = poll["interval"].as_duration();
  if (poll["interval_max"].exists()) out->interval_max = poll["interval_max"].as_duration();
  if (poll["timeout"].exists()) out->timeout = poll["timeout"].as_duration();
  out->state = pointer(poll["state"]);
  for (const auto& entry : poll["states"].entries()) {
    const std::string state = entry.value.text();
    out->states[entry.name] = state == "open"     ? JobState::open
                              : state == "done"   ? JobState::done
                              : state == "failed" ? JobState::failed
                                                  : JobState::running;
  }
  out->missing_when = Predicate::parse(poll["missing_when"]);
  out->message = pointers(poll["message"]);
  out->message_code_ends_at = poll["message_code_ends_at"].as_string("");
  for (const Node& item : node["results"].items()) out->results.push_back(of_job.job_result(item));
  out->missing_row_applied = node["missing_row"].as_string("unknown") == "applied";
  if (node["max_running"].exists())
    out->running_max = static_cast<std::size_t>(std::max<std::int64_t>(1, node["max_running"].as_integer()));
  if (out->close && !out->upload)
    node.fail("connector.job", "`close` needs `upload`", "a request that carries the rows starts the job");
  return out;
}

}  // namespace eddy::connectors
