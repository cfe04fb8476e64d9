#include "sandbox/store.h"

#include "core/text.h"

namespace eddy::sandbox {

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return {};
  return value.dump();
}

Table::Table(std::vector<Index> indexes) {
  for (Index& index : indexes) lookups_.push_back({std::move(index), {}});
}

std::string Table::fold(const Index& index, std::string_view text) {
  return index.fold_case ? lower(text) : std::string{text};
}

void Table::index_record(std::uint64_t place, const Record& record) {
  for (Lookup& lookup : lookups_)
    if (const auto field = record.fields.find(lookup.index.field); field != record.fields.end())
      lookup.places.emplace(fold(lookup.index, text_of(*field)), place);
}

void Table::unindex_record(std::uint64_t place, const Record& record) {
  for (Lookup& lookup : lookups_) {
    const auto field = record.fields.find(lookup.index.field);
    if (field == record.fields.end()) continue;
    auto [from, to] = lookup.places.equal_range(fold(lookup.index, text_of(*field)));
    for (; from != to; ++from)
      if (from->second == place) {
        lookup.places.erase(from);
        break;
      }
  }
}

Record& Table::add(std::string id, const Json& fields, Clock::WallTime now) {
  const std::uint64_t place = next_place_++;
  Record& record = records_[place];
  record = {.id = std::move(id), .created = now, .updated = now, .writes = 1};
  for (const auto& [name, value] : fields.items())
    if (!value.is_null()) record.fields[name] = value;
  by_id_[record.id] = place;
  index_record(place, record);
  return record;
}

void Table::change(Record& record, const Json& changes, Clock::WallTime now) {
  const std::uint64_t place = by_id_.at(record.id);
  remember(place, now);
  unindex_record(place, record);
  for (const auto& [name, value] : changes.items()) {
    if (value.is_null())
      record.fields.erase(name);
    else
      record.fields[name] = value;
  }
  record.updated = now;
  ++record.writes;
  index_record(place, record);
}

bool Table::remove(std::string_view id, std::optional<Clock::WallTime> now) {
  const auto known = by_id_.find(std::string{id});
  if (known == by_id_.end()) return false;
  const auto place = records_.find(known->second);
  if (now) remember(place->first, *now);
  unindex_record(place->first, place->second);
  records_.erase(place);
  by_id_.erase(known);
  return true;
}

void Table::remember(std::uint64_t place, Clock::WallTime now) {
  for (auto at = former_.begin(); at != former_.end();) {  // few, unless something lags
    while (!at->second.empty() && at->second.front().until + remembered_for_ <= now) at->second.pop_front();
    at = at->second.empty() ? former_.erase(at) : std::next(at);
  }
  if (remembered_for_.count() > 0) former_[place].push_back({records_.at(place), now});
}

std::vector<const Record*> Table::as_of(Clock::WallTime then) const {
  std::map<std::uint64_t, const Record*> shown;
  for (const auto& [place, record] : records_)
    if (record.created <= then) shown[place] = &record;
  for (const auto& [place, versions] : former_)
    for (const Former& version : versions)
      if (version.record.created <= then && version.until > then) {
        shown[place] = &version.record;
        break;
      }
  std::vector<const Record*> all;
  for (const auto& [place, record] : shown) all.push_back(record);
  return all;
}

Record* Table::by_id(std::string_view id) {
  const auto known = by_id_.find(std::string{id});
  return known == by_id_.end() ? nullptr : &records_.at(known->second);
}

std::vector<Record*> Table::find(std::string_view field, std::string_view value) {
  std::vector<std::uint64_t> places;
  for (const Lookup& lookup : lookups_) {
    if (lookup.index.field != field) continue;
    const auto [from, to] = lookup.places.equal_range(fold(lookup.index, value));
    for (auto at = from; at != to; ++at) places.push_back(at->second);
    std::ranges::sort(places);
    std::vector<Record*> found;
    for (const std::uint64_t place : places) found.push_back(&records_.at(place));
    return found;
  }
  std::vector<Record*> found;
  for (auto& [place, record] : records_) {
    const auto at = record.fields.find(std::string{field});
    if (at != record.fields.end() && text_of(*at) == value) found.push_back(&record);
  }
  return found;
}

Record* Table::first(std::string_view field, std::string_view value) {
  const auto found = find(field, value);
  return found.empty() ? nullptr : found.front();
}

void Table::restore(Record record) {
  const std::uint64_t place = next_place_++;
  by_id_[record.id] = place;
  index_record(place, record);
  records_[place] = std::move(record);
}

void Store::declare(const std::string& object, std::vector<Table::Index> indexes) {
  declared_[object] = indexes;
  tables_.insert_or_assign(object, Table(std::move(indexes))).first->second.remember_for(remembered_for_);
}

void Store::remember_for(std::chrono::milliseconds duration) {
  if (remembered_for_ == duration) return;
  remembered_for_ = duration;
  for (auto& [object, table] : tables_) table.remember_for(duration);
}

Table& Store::table(const std::string& object) {
  const auto known = tables_.find(object);
  if (known != tables_.end()) return known->second;
  Table& made = tables_.emplace(object, Table()).first->second;
  made.remember_for(remembered_for_);
  return made;
}

void Store::clear() {
  tables_.clear();
  for (const auto& [object, indexes] : declared_)
    tables_.emplace(object, Table(indexes)).first->second.remember_for(remembered_for_);
  changed_since_saved = true;
}

Json Store::to_json() const {
  Json saved = {{"last_number", last_number_}, {"objects", Json::object()}};
  for (const auto& [object, table] : tables_) {
    Json& list = saved["objects"][object] = Json::array();
    for (const auto& [place, record] : table.records()) list.push_back(shown(record));
  }
  return saved;
}

void Store::from_json(const Json& saved) {
  clear();
  last_number_ = saved.at("last_number");
  for (const auto& [object, list] : saved.at("objects").items())
    for (Json entry : list) {
      Record record{.id = entry.at("_id"),
                    .created = parse_utc(entry.at("_created_at").get<std::string>()),
                    .updated = parse_utc(entry.at("_updated_at").get<std::string>()),
                    .writes = entry.at("_writes")};
      for (const char* name : {"_id", "_created_at", "_updated_at", "_writes"}) entry.erase(name);
      record.fields = std::move(entry);
      table(object).restore(std::move(record));
    }
  changed_since_saved = false;
}

Json shown(const Record& record) {
  Json out = record.fields;
  out["_id"] = record.id;
  out["_created_at"] = format_utc(record.created);
  out["_updated_at"] = format_utc(record.updated);
  out["_writes"] = record.writes;
  return out;
}

}  // namespace eddy::sandbox
