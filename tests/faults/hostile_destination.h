// A service that misbehaves on purpose: HTTP/1.1 on 127.0.0.1, written from the contract below alone, with a
// plan of faults that follows from a seed, and a ledger of everything it has received and applied. The ledger
// is the truth: what the program believes is compared with it.
//
//   POST /people/upsert   {"rows": [{"id": 7, "trace": "…", "name": "n7", "score": 7}, …]}   at most 5 rows
//   POST /people/update   the same; a row without a record is refused with NOT_FOUND
//   POST /people/insert   {"id": 7, "name": "n7", "score": 7}   one row; makes a record even when there is
//   one POST /people/delete   {"ids": [7, …]}                       what is not there counts as deleted
//
// Answer 200: {"results": [{"id": 7, "trace": "…", "status": "ok" | "refused", "created": true, "code": "…",
// "message": "…"}, …]}, one result per row, in any order. A row whose id divides by 17 is refused with
// BAD_ID. 400: the request is refused as a whole and nothing of it was applied. 429 and 503: nothing was
// applied, come again (Retry-After). 500, 502 and 504: nobody knows whether it was applied.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "small_project.h"

namespace eddy::testing {

enum class Trouble {
  none,
  drop_before,    // the connection is closed before anything is applied
  drop_after,     // applied, then closed without an answer
  reset_after,    // applied, then reset (RST)
  truncated,      // applied; half of the answer, then closed
  delayed,        // applied; the answer comes late
  drip,           // applied; the answer comes byte by byte
  malformed,      // applied; the answer is no JSON
  wrong_type,     // applied; a web page with status 200
  deep,           // applied; JSON nested 100,000 deep
  not_text,       // applied; JSON with invalid UTF-8 and NUL
  gzip_bomb,      // applied; a few kilobytes that become a gigabyte
  endless,        // applied; a body that does not end (up to 100 MB)
  not_http,       // applied; bytes that are not HTTP
  shuffled,       // applied; results in another order
  fewer,          // applied; some results are missing
  repeated,       // applied; every result twice
  foreign,        // applied; results of other rows among them
  contradicting,  // applied; two results for a row that do not agree
  refused_whole,  // 400 for a batch of several rows; alone, a row is taken
  throttled,      // 429 with a Retry-After of every kind
  unavailable,    // 503
  unauthorized,   // 401
  forbidden,      // 403
  echoed_secret,  // 400 with the credentials in its message
  broken,         // 500, 502, 504; applied every other time
};

// How likely each trouble is, in percent of the requests.
using Mix = std::map<Trouble, int>;

class HostileDestination {
 public:
  // `keys`: records that are there from the beginning, for updates.
  explicit HostileDestination(std::uint64_t seed, const std::set<std::string>& keys = {});
  ~HostileDestination();
  HostileDestination(const HostileDestination&) = delete;
  HostileDestination& operator=(const HostileDestination&) = delete;

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void set_mix(const Mix& mix);
  // Called with the number of each request when it has come, and again when it has been applied; from the
  // connection's thread.
  void on_request(std::function<void(std::uint64_t number, bool applied)> listener);

  Book book() const;
  std::uint64_t requests() const;
  std::uint64_t rows_received() const;
  std::map<Trouble, int> troubles() const;  // how often each has happened
  std::string authorizations() const;       // every Authorization header that came, one per line
  void restore(const Book& book);           // as it was, for another try
  void edit(const std::string& key, const std::string& fields);  // a person's change; "": deletes the record

 private:
  struct Asked {
    std::string path, body, authorization;
  };
  void accept_clients();
  void serve(int client);
  bool answer(int client, const Asked& asked);
  std::string apply(const Asked& asked, Trouble trouble, bool& whole_refused);
  Trouble choose();

  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> closing_{false};
  mutable std::mutex mutex_;  // guards what follows
  std::mt19937_64 random_;
  Mix mix_;
  std::function<void(std::uint64_t, bool)> listener_call_;
  Book book_;
  std::uint64_t requests_ = 0, rows_received_ = 0;
  std::map<Trouble, int> troubles_;
  std::string authorizations_;
  std::set<int> clients_;
  std::map<int, std::thread> threads_;  // of connections, by their number
  int connections_ = 0;
  std::vector<int> ended_;  // of them, not yet joined
  std::thread acceptor_;
};

// The connector by which the program reaches it, as a user would write it, and the connection and sync that
// use it. `mode`: upsert | update | insert | mirror.
void write_hostile_connector(const SmallProject& project);
std::string hostile_connection(const HostileDestination& destination);
std::string hostile_sync(const std::string& mode);

}  // namespace eddy::testing
