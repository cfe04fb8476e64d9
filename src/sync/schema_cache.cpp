#include "sync/schema_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace eddy::sync {

using nlohmann::json;

namespace {

constexpr int format_version = 1;
constexpr std::chrono::hours age_max{24};

json to_json(const FieldSchema& field) {
  json out = {{"name", field.name}, {"type", name_of(field.type)}, {"native_type", field.native_type}};
  if (field.required) out["required"] = true;
  if (!field.writable) out["writable"] = false;
  if (field.key) out["key"] = true;
  if (!field.unique) out["unique"] = false;
  if (field.length_max > 0) out["length_max"] = field.length_max;
  if (!field.options.empty()) out["options"] = field.options;
  return out;
}

FieldSchema field_from(const json& j) {
  FieldSchema field;
  field.name = j.at("name");
  parse_type(j.at("type").get<std::string>(), field.type);
  field.native_type = j.value("native_type", "");
  field.required = j.value("required", false);
  field.writable = j.value("writable", true);
  field.key = j.value("key", false);
  field.unique = j.value("unique", true);
  field.length_max = j.value("length_max", std::size_t{0});
  field.options = j.value("options", std::vector<std::string>());
  return field;
}

// The file's "answer", and when it was read.
template <class Answer, class Read>
std::optional<Kept<Answer>> read_kept(const std::filesystem::path& file, const std::string& fingerprint,
                                      const Read& read) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(file, none)) return std::nullopt;
  try {
    const json j = json::parse(read_file(file));
    if (j.at("format") != format_version || j.at("of") != fingerprint) return std::nullopt;
    return Kept<Answer>{read(j.at("answer")), parse_utc(j.at("read_at").get<std::string>())};
  } catch (const json::exception&) {
  } catch (const Error&) {
  }
  return std::nullopt;
}

void write_kept(const std::filesystem::path& file, const std::string& fingerprint, json answer,
                Clock::WallTime at) {
  const json whole = {{"format", format_version},
                      {"of", fingerprint},
                      {"read_at", format_utc(at)},
                      {"answer", std::move(answer)}};
  try {
    std::filesystem::create_directories(file.parent_path());
    write_file_atomically(file, whole.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  } catch (const Error&) {  // a project that cannot be written to can still be looked at
  } catch (const std::filesystem::filesystem_error&) {
  }
}

}  // namespace

std::filesystem::path SchemaCache::file_of(const std::string& object) const {
  std::string name = percent_encode(object);
  if (name.size() > 200) name = sha256_hex(object);
  return folder_ / ("object." + name + ".json");
}

std::optional<Kept<std::vector<std::string>>> SchemaCache::objects() const {
  return read_kept<std::vector<std::string>>(folder_ / "objects.json", fingerprint_, [](const json& answer) {
    return answer.get<std::vector<std::string>>();
  });
}

std::optional<Kept<ObjectSchema>> SchemaCache::object(const std::string& name) const {
  return read_kept<ObjectSchema>(file_of(name), fingerprint_, [](const json& answer) {
    ObjectSchema object{answer.at("name"), {}, answer.value("open", false)};
    for (const json& field : answer.at("fields")) object.fields.push_back(field_from(field));
    return object;
  });
}

void SchemaCache::keep(const std::vector<std::string>& objects, Clock::WallTime at) const {
  write_kept(folder_ / "objects.json", fingerprint_, objects, at);
}

void SchemaCache::keep(const ObjectSchema& object, Clock::WallTime at) const {
  json fields = json::array();
  for (const FieldSchema& field : object.fields) fields.push_back(to_json(field));
  write_kept(file_of(object.name), fingerprint_,
             {{"name", object.name}, {"open", object.open}, {"fields", std::move(fields)}}, at);
}

Destination& CachedDestination::asked() const {
  const std::lock_guard lock(mutex_);
  if (!made_) made_ = make_();
  return *made_;
}

bool CachedDestination::fresh_enough(Clock::WallTime at) const {
  if (asking_ == Asking::never) return true;
  if (asking_ == Asking::always || anew_) return false;
  // A clock that was set back says nothing about the age.
  const auto age = clock_.now() - at;
  return asking_ == Asking::when_missing || (age >= age.zero() && age <= age_max);
}

template <class Answer, class Ask>
Answer CachedDestination::kept_or_asked(const std::optional<Kept<Answer>>& kept, const Ask& ask) {
  const auto take_kept = [&] {
    kept_from_ = std::min(kept_from_.value_or(kept->at), kept->at);
    return kept->answer;
  };
  if (kept && (fresh_enough(kept->at) || !failure_.empty())) return take_kept();
  if (asking_ == Asking::never)
    throw Error("destination.not_asked", "nothing is kept of what it says of itself",
                "ask it once, without --offline");
  try {
    return ask();
  } catch (const Error& error) {
    if (!kept || asking_ == Asking::always || error.code() == "engine.interrupted") throw;
    failure_ = error.message();
    return take_kept();
  }
}

std::vector<std::string> CachedDestination::objects() {
  const std::lock_guard lock(mutex_);
  return kept_or_asked(cache_.objects(), [&] {
    std::vector<std::string> names = asked().objects();
    cache_.keep(names, clock_.now());
    return names;
  });
}

std::optional<ObjectSchema> CachedDestination::describe(const std::string& object) {
  const std::lock_guard lock(mutex_);
  std::optional<Kept<std::optional<ObjectSchema>>> kept;
  if (auto found = cache_.object(object)) kept = {std::move(found->answer), found->at};
  return kept_or_asked(kept, [&] {
    std::optional<ObjectSchema> schema = asked().describe(object);
    if (schema && schema->name == object) cache_.keep(*schema, clock_.now());
    return schema;
  });
}

bool CachedDestination::ask_anew() {
  const std::lock_guard lock(mutex_);
  if (!kept_from_ || asking_ == Asking::never || !failure_.empty()) return false;
  anew_ = true;
  kept_from_.reset();
  return true;
}

std::optional<Clock::WallTime> CachedDestination::kept_from() const {
  const std::lock_guard lock(mutex_);
  return kept_from_;
}

std::string CachedDestination::note() const {
  const std::lock_guard lock(mutex_);
  if (!kept_from_) return "";
  std::string out = "read " + age_text(clock_.now() - *kept_from_);
  if (!failure_.empty()) out += "; it cannot be asked now: " + failure_;
  return out;
}

std::string age_text(std::chrono::microseconds age) {
  using namespace std::chrono;
  if (age < minutes{1}) return "just now";
  if (age < hours{1}) return fmt::format("{} min ago", duration_cast<minutes>(age).count());
  if (age < hours{48}) return fmt::format("{} h ago", duration_cast<hours>(age).count());
  return fmt::format("{} days ago", duration_cast<days>(age).count());
}

}  // namespace eddy::sync
