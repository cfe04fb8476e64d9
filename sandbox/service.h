// What the four services have in common, seen from the door that calls them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "sandbox/faults.h"
#include "sandbox/ledger.h"
#include "sandbox/rate.h"
#include "sandbox/store.h"
#include "transport/http/server.h"

namespace eddy::sandbox {

using http::IncomingRequest;
using http::Reply;

// One request on its way through a service. Endpoints leave in `effect` what the ledger should know.
struct Call {
  const IncomingRequest& request;
  std::size_t in_flight = 1;  // requests this service is handling now, this one included
  Effect effect{};
  std::string fault{};  // the fault that was played
  bool throttled = false;
  // The client itself wants this fault, for this request: `X-Sandbox-Fault: http_500`.
  bool asks_for(std::string_view name) const { return request.header("X-Sandbox-Fault") == name; }
};

Reply json_reply(int status, const Json& body, std::string content_type = "application/json;charset=utf-8");
// nullopt when the body is not JSON (in valid UTF-8).
std::optional<Json> parse_json(const std::string& body);
// A value of a form body, then of the query.
std::optional<std::string> form_or_query(const IncomingRequest& request, std::string_view name);
std::string bearer_of(const IncomingRequest& request);  // "" when there is none
std::string random_hex(std::mt19937_64& random, std::size_t digits);
std::string random_uuid(std::mt19937_64& random);
bool looks_like_email(std::string_view text);

// Methods and path patterns ("/crm/v3/objects/{type}/batch/create") to functions. A trailing slash does not
// matter.
class Router {
 public:
  using Params = std::map<std::string, std::string>;
  using Handler = std::function<Reply(Call&, const Params&)>;
  struct Match {
    const Handler* handler = nullptr;
    Params params{};
    bool path_known = false;  // another method would have been served
  };
  void add(std::string method, std::string_view pattern, Handler handler);
  Match find(const IncomingRequest& request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> pattern;
    Handler handler;
  };
  std::vector<Route> routes_;
};

struct Surroundings {
  Clock& clock;
  Faults& faults;
  std::uint64_t seed = 1;
  Rate rate{};                     // of API calls
  std::string scheme = "http://";  // of the addresses the service names in its answers
};

enum class Trouble { server_error, unavailable, throttled };

// Thread rule: every method is called under the door's lock of that service.
class Service {
 public:
  Service(std::string name, const Surroundings& around);
  virtual ~Service() = default;

  const std::string& name() const { return name_; }
  // What the real service would answer: authentication, routing, the work.
  virtual Reply answer(Call& call) = 0;
  virtual Reply answer_trouble(Trouble trouble, Call& call) = 0;
  // Calls that issue tokens are not counted, not throttled and not faulted.
  virtual bool issues_tokens(const IncomingRequest& request) const = 0;
  virtual void expire_tokens() = 0;
  virtual void add_rate_headers(const Call& call, Reply& reply);
  // Puts a record in as it is, without validation; returns it.
  virtual const Record& seed(const std::string& object, Json fields) = 0;
  virtual void reset();  // records, jobs and budgets; tokens stay good

  Store& store() { return store_; }
  TokenBucket& bucket() { return bucket_; }

 protected:
  // Is the fault SERVICE.name played now? Notes it in the call.
  bool fault(Call& call, std::string_view name);
  bool fault_on(std::string_view name) const { return faults_.on(name_ + "." + std::string{name}); }
  // How far the search lags behind, by the fault `name`; zero when it is not on. Asked at every call, so that
  // what the search must still show is remembered.
  std::chrono::milliseconds remember_for_search(std::string_view name);
  Clock::WallTime now() { return clock_.now(); }
  template <class T>
  void shuffle(std::vector<T>& items) {
    // Not std::shuffle: its draws differ between standard libraries.
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random_() % i]);
  }

  // "http://127.0.0.1:8101": this service as the client addressed it.
  std::string self(const IncomingRequest& request) const {
    return scheme_ + std::string{request.header("Host")};
  }

  std::string name_;
  Clock& clock_;
  Faults& faults_;
  Store store_;
  TokenBucket bucket_;
  std::mt19937_64 random_;
  std::uint64_t seed_;
  const std::string scheme_;
};

}  // namespace eddy::sandbox
