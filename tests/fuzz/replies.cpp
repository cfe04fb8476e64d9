// Any bytes as the replies of a service, to each of the connectors' scenarios:
//   service/scenario.yml
//   \x1e 200
//   Content-Type: application/json
//
//   {"results": […]}
//   \x1e …                  the next reply; when they are used up, nothing answers any more
// Every change gets exactly one verdict, or the whole is an Error. Where the reply has to name rows, one that
// is no JSON makes none of them applied.
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "config/document.h"
#include "connectors/declarative/destination.h"
#include "connectors/declarative/library.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "target.h"

namespace eddy::fuzz {
namespace {

namespace fs = std::filesystem;
using config::Node;
using namespace connectors;

constexpr char next_reply = '\x1e';

struct Scene {
  std::shared_ptr<const Spec> spec;
  Node settings;
  sync::Delivery delivery;
  std::vector<Change> changes;
  std::string replies;  // as they are in the scenario
};

Schema columns(const Node& node) {
  Schema out;
  for (const auto& entry : node.entries()) {
    Column column{entry.name, Type::text};
    parse_type(entry.value.text(), column.type);
    out.push_back(column);
  }
  return out;
}

// Whatever the scenario says of a cell, as far as its type can hold it.
Value cell(const Node& node, Type type) {
  if (!node.is_scalar() || node.kind() == config::Kind::null) return {};
  switch (type) {
    case Type::boolean:
      return Value::boolean(node.text() == "true");
    case Type::integer:
      return Value::integer(std::strtoll(node.text().c_str(), nullptr, 10));
    case Type::decimal:
      return Value::decimal(node.text());
    case Type::real:
      return Value::real(std::strtod(node.text().c_str(), nullptr));
    case Type::text:
      return Value::text(node.text());
    default:
      return {};
  }
}

std::vector<Change> changes_of(const Node& node, const sync::Delivery& delivery) {
  std::vector<Change> out;
  for (const Node& item : node.items()) {
    const auto entry = item.entries().front();
    Change change;
    change.number = out.size();
    change.operation = entry.name == "add"      ? Operation::add
                       : entry.name == "change" ? Operation::change
                                                : Operation::remove;
    for (const Column& column : delivery.key)
      change.key.push_back(cell(entry.value[column.name], column.type));
    if (change.operation != Operation::remove)
      for (const Column& column : delivery.fields) {
        change.fields.push_back(cell(entry.value[column.name], column.type));
        change.changed.push_back(true);
      }
    out.push_back(std::move(change));
  }
  return out;
}

std::string written(const Node& reply) {
  std::string out(1, next_reply);
  out += reply["status"].text() + "\n";
  for (const auto& header : reply["headers"].entries())
    out += header.name + ": " + header.value.text() + "\n";
  out += "\n";
  if (reply["body"].exists()) out += reply["body"].as_json().dump();
  if (reply["text"].exists()) out += reply["text"].text();
  return out;
}

const std::map<std::string, Scene>& scenes() {
  static const std::map<std::string, Scene> all = [] {
    std::map<std::string, Scene> out;
    for (const auto& service : fs::directory_iterator(fs::path(EDDY_SOURCE_DIR) / "connectors")) {
      const auto spec = std::make_shared<const Spec>(
          parse_connector(read_file(service.path() / "connector.yml"), service.path().filename().string()));
      for (const auto& file : fs::directory_iterator(service.path() / "scenarios")) {
        Diagnostics diagnostics;
        const Node root = config::parse_file(file.path(), "scenario", config::no_variables(), diagnostics);
        if (!root["changes"].exists() || root["open_error"].exists()) continue;
        Scene scene{.spec = spec, .settings = root["settings"], .delivery = {}, .changes = {}, .replies = {}};
        sync::Delivery& delivery = scene.delivery;
        delivery.object = root["object"].text();
        const std::string mode = root["mode"].as_string("upsert"),
                          removed = root["removed"].as_string("ignore");
        delivery.mode = mode == "update"   ? sync::Mode::update
                        : mode == "insert" ? sync::Mode::insert
                                           : sync::Mode::upsert;
        delivery.removed = removed == "erase"     ? sync::Removal::erase
                           : removed == "archive" ? sync::Removal::archive
                                                  : sync::Removal::ignore;
        delivery.key = columns(root["key"]);
        delivery.fields = columns(root["fields"]);
        delivery.sync = "scenario";
        if (root["planned"].exists())
          delivery.rows = static_cast<std::uint64_t>(root["planned"].as_integer());
        scene.changes = changes_of(root["changes"], delivery);
        for (const Node& step : root["steps"].items())
          if (step["reply"].exists()) scene.replies += written(step["reply"]);
        out[service.path().filename().string() + "/" + file.path().filename().string()] = std::move(scene);
      }
    }
    return out;
  }();
  return all;
}

// Rows are named by the reply in every way of writing: a body that is no JSON says nothing about any of them.
bool is_told_by_json(const Scene& scene) {
  for (const char* name : {"upsert", "update", "insert"})
    if (const auto found = scene.spec->operations.find(name); found != scene.spec->operations.end())
      for (const OperationSpec& operation : found->second)
        for (const RowsSpec& rows : operation.outcome.rows)
          if (rows.match.empty() ||
              std::any_of(rows.match.begin(), rows.match.end(),
                          [](const MatchSpec& match) { return match.by == MatchSpec::By::all; }))
            return false;
  return scene.changes.front().operation != Operation::remove;
}

struct Told {
  std::vector<http::Response> replies;
  bool any_json = false;  // a reply from which a row could be called applied
};

Told read_replies(std::string_view text) {
  Told out;
  while (!text.empty()) {
    const auto begin = text.find(next_reply);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin + 1);
    const std::string_view one = text.substr(0, text.find(next_reply));
    text.remove_prefix(one.size());
    http::Response& reply = out.replies.emplace_back();
    const auto head = one.substr(0, one.find("\n\n"));
    reply.status = std::clamp(std::atoi(std::string(head.substr(0, 8)).c_str()), 100, 599);
    for (const std::string& line : split(std::string(head), '\n'))
      if (const auto colon = line.find(": "); colon != std::string::npos && colon > 0)
        reply.headers.add(line.substr(0, colon), line.substr(colon + 2));
    if (head.size() + 2 <= one.size()) reply.body = one.substr(head.size() + 2);
    out.any_json = out.any_json || (reply.status / 100 == 2 && nlohmann::json::accept(reply.body)) ||
                   reply.headers.get("Content-Type").value_or("").find("csv") != std::string_view::npos;
  }
  return out;
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  for (const auto& [name, scene] : scenes()) out.push_back(name + "\n" + scene.replies);
  return out;
}

}  // namespace eddy::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eddy;
  using namespace eddy::fuzz;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto found = scenes().find(std::string(text.substr(0, text.find('\n'))));
  if (found == scenes().end()) return 0;
  const Scene& scene = found->second;
  const Told told = read_replies(text);
  std::size_t next = 0;
  ManualClock clock;
  const Cancel cancel;
  auto wire = std::make_unique<http::ScriptedExchange>([&](const http::Request&) -> http::Result {
    if (next < told.replies.size()) return told.replies[next++];
    return std::unexpected(http::Failure{http::Failure::Reach::not_sent, "http.refused", "nobody answers"});
  });
  DeclarativeDestination destination(
      scene.spec, std::make_shared<Session>(*scene.spec, Settings(*scene.spec, scene.settings), clock, cancel,
                                            std::move(wire)));
  try {
    const auto writer = destination.open(scene.delivery);
    const sync::Answer answer = writer->deliver(scene.changes);
    if (answer.verdicts.size() != scene.changes.size()) std::abort();
    if (!told.any_json && is_told_by_json(scene))
      for (const Verdict& verdict : answer.verdicts)
        if (verdict.outcome == Outcome::applied) std::abort();
  } catch (const Error& error) {
    if (error.code().empty() || error.message().empty()) std::abort();
  }
  return 0;
}
