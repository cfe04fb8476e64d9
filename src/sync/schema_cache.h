// What destinations have said of themselves, kept in files: a mapping can be made and checked without asking
// again, and without a network.
//
//   .eddy/schemas/<connection>/objects.json         names of its objects
//   .eddy/schemas/<connection>/object.<name>.json   the fields of one
//
// Each file is written whole, and carries when it was read and of what. Nothing of the connection's settings
// is in it but a fingerprint, which the caller makes without secrets: another one means that the connection
// leads elsewhere now, and what is kept does not count. A damaged file is one that is not there.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "sync/destination.h"

namespace eddy::sync {

template <class Answer>
struct Kept {
  Answer answer;
  Clock::WallTime at;  // when the destination was asked
};

// The files of one connection. Several processes may use them at a time: the last answer stays.
class SchemaCache {
 public:
  SchemaCache(std::filesystem::path folder, std::string fingerprint)
      : folder_(std::move(folder)), fingerprint_(std::move(fingerprint)) {}

  std::optional<Kept<std::vector<std::string>>> objects() const;
  std::optional<Kept<ObjectSchema>> object(const std::string& name) const;
  void keep(const std::vector<std::string>& objects, Clock::WallTime at) const;
  void keep(const ObjectSchema& object, Clock::WallTime at) const;

 private:
  std::filesystem::path file_of(const std::string& object) const;
  std::filesystem::path folder_;
  std::string fingerprint_;
};

enum class Asking {
  never,         // what is kept, or nothing: Error("destination.not_asked")
  when_missing,  // what is kept, however old
  when_old,      // what is kept, for a day
  always,
};

// A destination that is asked for its objects and fields only when it has to be. Everything else passes
// through. When it does not answer, what is kept is taken, however old, and note() says so; with
// Asking::always the error stays. The destination itself is made when it is needed first. Thread-safe when
// the destination is.
class CachedDestination final : public Destination {
 public:
  using Make = std::function<std::unique_ptr<Destination>()>;
  CachedDestination(Make make, SchemaCache cache, Asking asking, Clock& clock)
      : make_(std::move(make)), cache_(std::move(cache)), asking_(asking), clock_(clock) {}

  std::string check() override { return asked().check(); }
  std::vector<Permission> permissions() override { return asked().permissions(); }
  std::vector<std::string> objects() override;
  std::optional<ObjectSchema> describe(const std::string& object) override;
  bool ask_anew() override;
  bool checked_by_open(const config::Node& options) const override {
    return asked().checked_by_open(options);
  }
  std::unique_ptr<Writer> open(const Delivery& delivery) override { return asked().open(delivery); }
  bool unfinished(const Delivery& delivery) override { return asked().unfinished(delivery); }
  std::unique_ptr<Reader> reader(const Reading& reading) override { return asked().reader(reading); }

  // When the oldest of the answers that were not asked for now was read; nullopt: all were asked for.
  std::optional<Clock::WallTime> kept_from() const;
  // "read 3 h ago", with the reason when it should have been asked; "" when all was asked for.
  std::string note() const;

 private:
  Destination& asked() const;
  bool fresh_enough(Clock::WallTime at) const;
  template <class Answer, class Ask>
  Answer kept_or_asked(const std::optional<Kept<Answer>>& kept, const Ask& ask);

  Make make_;
  const SchemaCache cache_;
  const Asking asking_;
  Clock& clock_;
  mutable std::recursive_mutex mutex_;
  mutable std::unique_ptr<Destination> made_;
  bool anew_ = false;    // what was kept is not enough
  std::string failure_;  // why the destination could not be asked; it is not tried again
  std::optional<Clock::WallTime> kept_from_;
};

// "just now", "5 min ago", "3 h ago", "2 days ago"
std::string age_text(std::chrono::microseconds age);

}  // namespace eddy::sync
