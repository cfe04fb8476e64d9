// Records read by their keys, as the `lookup` block of a connector.yml describes it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/paging.h"
#include "connectors/declarative/session.h"
#include "connectors/declarative/spec.h"
#include "core/error.h"
#include "sync/destination.h"

namespace eddy::connectors {

// A value of a reply in the type in which it is wanted: numbers and booleans may be text there, times ISO
// 8601 with any offset or milliseconds since 1970, lists a text with separators
// (`transforms.list_separator`). null and "" are null. What cannot be converted comes back as it was read.
// Pure.
Value read_value(const nlohmann::json& found, Type wanted, const TransformSpec& transforms);

// A text as a literal of SOQL, Salesforce's query language; a number or boolean as it is.
std::string soql_literal(const nlohmann::json& value);

// The service refuses to look for these keys, though not for others.
class KeyRefused : public Error {
 public:
  using Error::Error;
};

// Troubles that pass are waited out for a while, then they are Error("destination.unavailable"). A request
// that is refused for what it says is KeyRefused("destination.refused"); what Session::call() throws goes
// through. Thread-safe, though sync asks with one thread.
class LookupReader final : public sync::Reader {
 public:
  // `lookup` belongs to `spec`. The type of `reading.key` is the one in which keys are asked for.
  LookupReader(std::shared_ptr<const Spec> spec, std::shared_ptr<Session> session, sync::Reading reading,
               const LookupSpec& lookup);

  std::size_t keys_max() const override { return lookup_.rows_max; }
  std::vector<sync::Record> read(std::span<const Row> keys) override;

  struct Found {
    sync::Record record;
    std::vector<std::string> ids;  // of all matches, in the order of the reply
  };
  // The same, with all that could be meant.
  std::vector<Found> find(std::span<const Row> keys);

 private:
  struct Key {
    nlohmann::json value;
    std::string text;
    std::vector<std::size_t> places;  // of the keys that read() was asked for
  };
  std::string folded(const std::string& text) const;
  void ask(std::span<const Key> keys, std::vector<Found>& records);
  void ask_halves(std::span<const Key> keys, std::vector<Found>& records);
  // nullopt: none of the keys has a record.
  std::optional<Reply> send(const PageRequest& page);
  void check_failures(const Reply& reply) const;
  bool understood(const Reply& reply) const;
  void take(const Reply& reply, std::span<const Key> keys, std::vector<Found>& records) const;
  sync::Record record_of(const nlohmann::json& item) const;
  Lookup request_lookup(std::span<const Key> keys) const;
  std::optional<nlohmann::json> constant(std::string_view name) const;

  std::shared_ptr<const Spec> spec_;
  std::shared_ptr<Session> session_;
  sync::Reading reading_;
  const LookupSpec& lookup_;
  Options options_;
  std::vector<std::string> names_;   // of all fields that are asked for
  std::vector<std::string> values_;  // JSON pointers of reading_.fields
  std::string items_, echo_;         // JSON pointers
  bool keys_are_joined_ = false;     // with commas
};

}  // namespace eddy::connectors
