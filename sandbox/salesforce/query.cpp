#include "sandbox/salesforce/query.h"

#include <charconv>

#include "core/error.h"
#include "core/text.h"

namespace eddy::sandbox::salesforce {
namespace {

std::optional<Clock::WallTime> time_in(std::string text) {
  try {
    // "+0000" is what the service itself writes; parse_utc wants a Z.
    if (const std::size_t zone = text.find_last_of('+'); zone != std::string::npos && zone > 10)
      text = text.substr(0, zone) + "Z";
    return parse_utc(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// Numbers as numbers, times as times, all else as text without case; null before everything.
int compare(const Field& field, const std::optional<std::string>& a, const std::optional<std::string>& b) {
  if (!a || !b) return three_way(a.has_value(), b.has_value());
  if (field.is_number()) {
    double x = 0, y = 0;
    std::from_chars(a->data(), a->data() + a->size(), x);
    std::from_chars(b->data(), b->data() + b->size(), y);
    return three_way(x, y);
  }
  if (field.type == "datetime" || field.type == "date") {
    const auto x = time_in(*a), y = time_in(*b);
    if (x && y) return three_way(*x, *y);
  }
  if (field.type == "id" || field.type == "reference") return three_way(full_id(*a), full_id(*b));
  return three_way(lower(*a), lower(*b));
}

// % stands for any text, _ for one character; without case.
bool like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '%') {
    for (std::size_t i = 0; i <= text.size(); ++i)
      if (like(text.substr(i), pattern.substr(1))) return true;
    return false;
  }
  return !text.empty() && (pattern.front() == '_' || pattern.front() == text.front()) &&
         like(text.substr(1), pattern.substr(1));
}

std::optional<std::string> text_or_null(const Json& value) {
  if (value.is_null() || value == "") return std::nullopt;
  return text_of(value);
}

// What an equality over an indexed field narrows the search to; nullptr when nothing does.
const Condition* by_index(const Condition& where) {
  if (where.kind == Condition::Kind::compare) {
    const bool indexed = where.path.parents.empty() &&
                         (where.path.field->id_lookup || where.path.field->external_id) &&
                         (where.op == "=" || where.op == "in") && !where.values_from;
    return indexed && std::ranges::all_of(where.values, [](const auto& v) { return v.has_value(); })
               ? &where
               : nullptr;
  }
  if (where.kind != Condition::Kind::all) return nullptr;
  for (const Condition& part : where.parts)
    if (const Condition* found = by_index(part)) return found;
  return nullptr;
}

class Search {
 public:
  Search(const Query& query, Records& records, Store& store)
      : query_(query), records_(records), store_(store) {}

  std::vector<Found> run() {
    std::vector<Found> found;
    for (Found& one : candidates())
      if (!query_.where || holds(*query_.where, one)) found.push_back(std::move(one));
    if (!query_.order.empty())
      std::ranges::stable_sort(found, [&](const Found& a, const Found& b) { return before(a, b); });
    found.erase(found.begin(),
                found.begin() + static_cast<std::ptrdiff_t>(std::min(query_.offset, found.size())));
    if (found.size() > query_.limit) found.resize(query_.limit);
    return found;
  }

 private:
  std::vector<Found> candidates() {
    std::vector<Found> all;
    Table& table = store_.table(query_.object->name);
    if (const Condition* narrow = query_.where && !query_.with_deleted ? by_index(*query_.where) : nullptr) {
      std::map<std::string, const Record*> seen;
      for (const auto& value : narrow->values) {
        if (narrow->path.field->name == "Id") {
          if (const Record* record = records_.find(*query_.object, *value)) seen[record->id] = record;
        } else {
          for (const Record* record : table.find(narrow->path.field->name, *value)) seen[record->id] = record;
        }
      }
      for (const auto& [id, record] : seen) all.push_back({*record});  // ids grow with time
      return all;
    }
    for (const auto& [place, record] : table.records()) all.push_back({record});
    if (!query_.with_deleted) return all;
    for (const auto& [place, record] : store_.table("_deleted").records())
      if (record.fields["object"] == query_.object->name) {
        Record was = record;
        was.fields = record.fields["fields"];
        all.push_back({std::move(was), true});
      }
    return all;
  }

  bool before(const Found& a, const Found& b) {
    for (const Order& order : query_.order) {
      const auto x = text_or_null(value_at(*query_.object, a, order.path, records_));
      const auto y = text_or_null(value_at(*query_.object, b, order.path, records_));
      if (x.has_value() != y.has_value()) return order.nulls_last ? x.has_value() : y.has_value();
      if (const int c = compare(*order.path.field, x, y); c != 0) return order.descending ? c > 0 : c < 0;
    }
    return false;
  }

  bool holds(const Condition& condition, const Found& found) {
    const auto part_holds = [&](const Condition& part) { return holds(part, found); };
    switch (condition.kind) {
      case Condition::Kind::all:
        return std::ranges::all_of(condition.parts, part_holds);
      case Condition::Kind::any:
        return std::ranges::any_of(condition.parts, part_holds);
      case Condition::Kind::none:
        return std::ranges::none_of(condition.parts, part_holds);
      case Condition::Kind::compare:
        break;
    }
    const Field& field = *condition.path.field;
    const auto actual = text_or_null(value_at(*query_.object, found, condition.path, records_));
    if (condition.op == "in" || condition.op == "not in") {
      const auto& wanted = condition.values_from ? values_of(condition) : condition.values;
      const bool in =
          std::ranges::any_of(wanted, [&](const auto& v) { return compare(field, actual, v) == 0; });
      return in == (condition.op == "in");
    }
    const auto& wanted = condition.values.front();
    if (condition.op == "like") return actual && wanted && like(lower(*actual), lower(*wanted));
    const int c = compare(field, actual, wanted && wanted->empty() ? std::nullopt : wanted);
    if (condition.op == "=") return c == 0;
    if (condition.op == "!=") return c != 0;
    if (!actual) return false;  // null is neither more nor less
    if (condition.op == "<") return c < 0;
    if (condition.op == "<=") return c <= 0;
    return condition.op == ">" ? c > 0 : c >= 0;
  }

  const std::vector<std::optional<std::string>>& values_of(const Condition& condition) {
    const auto known = inner_.find(&condition);
    if (known != inner_.end()) return known->second;
    auto& values = inner_[&condition];
    const Query& inner = *condition.values_from;
    for (const Found& found : run_query(inner, records_, store_))
      values.push_back(text_or_null(value_at(*inner.object, found, inner.paths.front(), records_)));
    return values;
  }

  const Query& query_;
  Records& records_;
  Store& store_;
  std::map<const Condition*, std::vector<std::optional<std::string>>> inner_;
};

}  // namespace

std::vector<Found> run_query(const Query& query, Records& records, Store& store) {
  return Search(query, records, store).run();
}

Json value_at(const Object& object, const Found& found, const Path& path, Records& records) {
  const Object* at = &object;
  const Record* record = &found.record;
  for (const Field* parent : path.parents) {
    const std::string id = text_of(records.field_value(*at, *record, *parent));
    at = find_object(parent->reference_to);
    record = id.empty() ? nullptr : records.find(*at, id);
    if (record == nullptr) return nullptr;
  }
  if (path.parents.empty() && path.field->name == "IsDeleted") return found.deleted;
  return records.field_value(*at, *record, *path.field);
}

Json row_json(const Query& query, const Found& found, Records& records, const std::string& version) {
  const auto attributes = [&](const Object& object, const std::string& id) {
    return Json{{"type", object.name},
                {"url", fmt::format("/services/data/{}/sobjects/{}/{}", version, object.name, id)}};
  };
  Json row = {{"attributes", attributes(*query.object, found.record.id)}};
  for (const Path& path : query.paths) {
    Json* place = &row;
    Path here{.parents = {}, .field = nullptr};
    for (const Field* parent : path.parents) {
      here.field = parent;
      const Json id = value_at(*query.object, found, here, records);
      Json& nested = (*place)[parent->relationship];
      if (id.is_null()) break;
      if (nested.is_null())
        nested = {{"attributes", attributes(*find_object(parent->reference_to), text_of(id))}};
      place = &nested;
      here.parents.push_back(parent);
    }
    if (here.parents.size() == path.parents.size())
      (*place)[path.field->name] = value_at(*query.object, found, path, records);
  }
  return row;
}

}  // namespace eddy::sandbox::salesforce
