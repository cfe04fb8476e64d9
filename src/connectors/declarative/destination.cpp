#include "connectors/declarative/destination.h"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/branch_writer.h"
#include "connectors/declarative/check.h"
#include "connectors/declarative/choice.h"
#include "connectors/declarative/discovery.h"
#include "connectors/declarative/fallback_writer.h"
#include "connectors/declarative/job_writer.h"
#include "connectors/declarative/lookup_reader.h"
#include "connectors/declarative/object_name.h"
#include "connectors/declarative/pack_writer.h"
#include "connectors/declarative/writer.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {

std::string DeclarativeDestination::check() {
  const std::string base = session_->base_url();
  if (spec_->check) {
    const Checked checked = check_connection(*spec_, *session_);
    std::vector<std::string> missing;
    for (const sync::Permission& permission : checked.permissions)
      if (!permission.granted)
        missing.push_back(fmt::format("cannot {} ({})", permission.what, permission.missing));
    const std::string account =
        checked.account.empty() ? base : fmt::format("{} as {}", base, checked.account);
    if (!missing.empty())
      throw Error("destination.permission",
                  fmt::format("{} at {}: {}", spec_->title, account, join(missing, "; ")),
                  "give the connection's user what is missing; `eddy connectors test` looks again");
    return fmt::format("{} at {}", spec_->title, account);
  }
  session_->forget_quota();
  if (!spec_->objects.discover || spec_->objects.list.empty())
    return fmt::format("{} at {}", spec_->title, base);
  const ObjectSpec& first = spec_->objects.list.front();
  const auto schema = discover(*spec_, *session_, first.name);
  if (!schema)
    throw Error("destination.refused", fmt::format("{} does not know {}", spec_->title, first.name),
                "check the connection's settings");
  return fmt::format("{} at {}: {} has {} fields", spec_->title, base, first.name, schema->fields.size());
}

std::vector<sync::Permission> DeclarativeDestination::permissions() {
  if (!spec_->check) return {};
  return check_connection(*spec_, *session_).permissions;
}

std::vector<std::string> DeclarativeDestination::objects() { return discover_objects(*spec_, *session_); }

std::optional<sync::ObjectSchema> DeclarativeDestination::describe(const std::string& object) {
  return discover(*spec_, *session_, object);
}

std::unique_ptr<sync::Writer> DeclarativeDestination::open(const sync::Delivery& delivery) {
  if (!spec_->objects.open && find_object(*spec_, delivery.object) == nullptr) {
    std::vector<std::string> names;
    for (const ObjectSpec& object : spec_->objects.list) names.push_back(object.name);
    std::string hint = did_you_mean_hint(delivery.object, names);
    throw Error("destination.no_such_object",
                fmt::format("{} has no object `{}`", spec_->title, delivery.object),
                hint.empty() ? "known: " + join(names, ", ") : hint);
  }
  check_options(*spec_, delivery.object, delivery.options);
  Asked asked{delivery.object, {}, delivery.rows};
  for (const Column& column : delivery.key) asked.keys.push_back(column.name);
  bool jobs = false;
  auto writer = writer_for(delivery, asked, jobs);
  if (jobs) {
    asked.no_jobs = true;
    std::unique_ptr<sync::Writer> other;
    try {
      other = writer_for(delivery, asked, jobs);
    } catch (const Error& e) {
      if (e.code() != "destination.unsupported") throw;  // there is no other way
    }
    if (other) writer = std::make_unique<FallbackWriter>(std::move(writer), std::move(other));
  }
  if (const RowLimitSpec* limit = session_->row_pace()->limit_of(delivery.object))
    return std::make_unique<PacedWriter>(std::move(writer), session_->row_pace(), *limit, delivery);
  return writer;
}

std::unique_ptr<sync::Writer> DeclarativeDestination::writer_for(const sync::Delivery& delivery, Asked& asked,
                                                                 bool& jobs) {
  const auto branch = [&](const std::string& name) {
    return branch_of(choose_operation(*spec_, *session_, name, asked), delivery);
  };
  Branch write = branch(std::string(name_of(delivery.mode))), remove;
  if (delivery.removed == sync::Removal::erase) remove = branch("erase");
  if (delivery.removed == sync::Removal::archive) remove = branch("archive");
  const OperationSpec* first = write.operation;
  const OperationSpec* second = remove.operation;
  std::unique_ptr<sync::Writer> writer;
  if (write.by_key || remove.by_key)
    writer = std::make_unique<BranchWriter>(spec_, session_, delivery, std::move(write), std::move(remove),
                                            jobs_folder_);
  else
    writer =
        std::make_unique<DeclarativeWriter>(spec_, session_, delivery, *write.operation, remove.operation);
  if (first->pack && !write.by_key && !remove.by_key)
    writer = std::make_unique<PackWriter>(
        spec_, session_, delivery, *first,
        std::make_unique<DeclarativeWriter>(spec_, session_, delivery, *first, second));
  jobs = first->job != nullptr || (second != nullptr && second->job != nullptr);
  if (auto desk = desk_of(delivery))
    writer = std::make_unique<JobWriter>(spec_, session_, std::move(desk), delivery, *first, second,
                                         std::move(writer));
  return writer;
}

std::shared_ptr<JobDesk> DeclarativeDestination::desk_of(const sync::Delivery& delivery) {
  const bool has_jobs =
      std::any_of(spec_->operations.begin(), spec_->operations.end(), [](const auto& entry) {
        return std::any_of(entry.second.begin(), entry.second.end(),
                           [](const OperationSpec& operation) { return operation.job != nullptr; });
      });
  if (!has_jobs) return nullptr;
  const std::lock_guard lock(desks_mutex_);
  std::weak_ptr<JobDesk>& slot = desks_[delivery.sync];
  if (auto desk = slot.lock()) return desk;
  auto desk = std::make_shared<JobDesk>(
      spec_, session_,
      jobs_folder_.empty() ? std::filesystem::path() : jobs_folder_ / percent_encode(delivery.sync),
      Options(*spec_, session_->lookup(), delivery.object, delivery.options));
  slot = desk;
  return desk;
}

bool DeclarativeDestination::unfinished(const sync::Delivery& delivery) {
  const auto desk = desk_of(delivery);
  return desk != nullptr && desk->has_records();
}

std::optional<BranchLookup> DeclarativeDestination::lookup_of(sync::Reading reading, bool for_branch) const {
  Asked asked{reading.object, {}, 0};
  for (const Column& column : reading.key) asked.keys.push_back(column.name);
  Type type = reading.key.front().type;
  const LookupSpec* lookup = choose_lookup(*spec_, *session_, asked, for_branch, type);
  if (lookup == nullptr) return std::nullopt;
  reading.key.front().type = type;
  return BranchLookup{std::move(reading), lookup};
}

Branch DeclarativeDestination::branch_of(const OperationSpec& operation,
                                         const sync::Delivery& delivery) const {
  Branch out{.operation = &operation, .by_key = std::nullopt, .by_id = std::nullopt};
  if (operation.found.empty()) return out;
  sync::Reading reading{
      .object = delivery.object, .key = delivery.key, .fields = {}, .options = delivery.options};
  if (!operation.of.empty())
    reading.object = operation.of.text(object_lookup(*spec_, *session_, delivery.object)).value_or("");
  out.by_key = lookup_of(reading, /*for_branch=*/true);
  if (!out.by_key)
    throw Error(
        "destination.unsupported",
        fmt::format("{} cannot look up {} by {}", spec_->title, reading.object, delivery.key.front().name),
        "use another key");
  if (operation.missing.empty() || !operation.missing.front().conflict) return out;
  reading.fields = reading.key;
  reading.key = {{operation.missing.front().conflict->read_by, Type::text}};
  out.by_id = lookup_of(reading, /*for_branch=*/true);
  return out;
}

std::unique_ptr<sync::Reader> DeclarativeDestination::reader(const sync::Reading& reading) {
  if (reading.key.size() != 1) return nullptr;
  if (!spec_->objects.open && find_object(*spec_, reading.object) == nullptr) return nullptr;
  auto lookup = lookup_of(reading, /*for_branch=*/false);
  if (!lookup) return nullptr;
  return std::make_unique<LookupReader>(spec_, session_, std::move(lookup->reading), *lookup->lookup);
}

config::Shape settings_shape(const Spec& spec) {
  std::vector<config::Field> fields;
  for (const SettingSpec& setting : spec.settings) {
    config::Field f = config::field(setting.name,
                                    setting.type == "integer" ? config::Shape::integer()
                                    : setting.type == "share" ? config::Shape::share()
                                                              : config::Shape::string(),
                                    setting.doc);
    f.required = setting.required && !setting.otherwise;
    f.secret = setting.secret;
    if (setting.otherwise) f.default_text = setting.otherwise->source();
    fields.push_back(std::move(f));
  }
  config::Field http =
      config::field("allow_http", config::Shape::boolean(), "permit unencrypted http:// to another machine");
  http.default_text = "false";
  config::Field timeout = config::field("timeout", config::Shape::duration(), "longest time for one request");
  timeout.default_text = "2m";
  fields.push_back(std::move(http));
  fields.push_back(std::move(timeout));
  return config::Shape::object(std::move(fields));
}

}  // namespace eddy::connectors
