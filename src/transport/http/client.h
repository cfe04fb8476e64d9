// HTTP out, over libcurl. The only user of curl.
//
// One Client serves many threads: each call borrows an easy handle from the pool, so as many connections are
// kept alive as calls ever ran at once. Redirects are not followed, certificates are always verified (peer
// and host), cookies are not kept, and the body of a reply is capped. Proxies are read from the environment
// as curl does (https_proxy, http_proxy for http://, no_proxy), but never used for this machine itself.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "transport/http/exchange.h"

namespace eddy::http {

struct ClientOptions {
  bool allow_http = false;  // http:// to other machines; to this one it is always allowed
  std::string ca_file;      // PEM; empty: the system's
  std::string user_agent = "eddy";
};

class Client final : public Exchange {
 public:
  explicit Client(ClientOptions options = {});
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Result send(const Request& request) override;  // thread-safe

 private:
  struct Handle;
  std::unique_ptr<Handle> borrow();
  void give_back(std::unique_ptr<Handle> handle);

  ClientOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace eddy::http
