// What the subjects share whose objects are tables of a database.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "conformance/subject.h"

namespace eddy::conformance {

class TableSubject : public Subject {
 public:
  // "Target 1", "Target 2", …: a column of every type, and `score`, which must not be negative.
  Target make_object(std::size_t key_columns) override;
  void spoil(const Target& target, Change& change) const override;

 protected:
  // `create table` with all columns of such a target (k2 has the default 0), and
  // `untouched text default 'as it was'`. primary_key: "k1", or "k1, k2".
  virtual void create_table(const std::string& name, const std::string& primary_key) = 0;
};

// One server for all tests of a process: they differ in their tables.
template <class Server>
class ServerSubject : public TableSubject {
 public:
  explicit ServerSubject(sync::DestinationType type) : type_(std::move(type)) {
    if (!shared()) shared() = std::make_unique<Server>();
  }

  std::unique_ptr<sync::Destination> destination() override {
    return make_destination(
        type_,
        fmt::format("{{host: {}, port: {}, database: {}, user: {}, password: {}, connect_timeout: 5s}}",
                    server().host(), server().port(), server().database(), server().user(),
                    server().password()),
        "/");
  }

  void take_down() override { shared().reset(); }

 protected:
  Server& server() const { return *shared(); }

 private:
  static std::unique_ptr<Server>& shared() {
    static std::unique_ptr<Server> server;
    return server;
  }
  sync::DestinationType type_;
};

// The waivers of a subject that cannot lose an answer, with the reason.
std::map<std::string, std::string> no_answer_is_lost(const std::string& reason);

inline constexpr const char* cut_elsewhere =
    "connections cut in the middle are played by the tests beside the connector";

}  // namespace eddy::conformance
