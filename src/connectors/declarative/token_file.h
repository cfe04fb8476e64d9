// The refresh token of one connection, where the service gives out a new one with every use (RFC 6749 §6).
//
// Such a service takes each refresh token once, so the one in the connection's settings is worthless after
// the first login, and the next process needs the newest. It is the only secret that Eddy writes down: in
// `.eddy/tokens/<connection>.json`, readable by its owner alone (0600 in a folder of 0700), beside a
// fingerprint of the settings it came from, so that new credentials in the settings go before it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace eddy::connectors {

// Thread-safe as far as every call goes by itself; processes exclude each other with Held.
class TokenFile {
 public:
  // `origin`: what the settings say; only its fingerprint is written. Empty `file`: nothing is kept.
  TokenFile(std::filesystem::path file, const std::string& origin);
  bool kept() const { return !file_.empty(); }
  // nullopt: none that came from these settings. A damaged file is none.
  std::optional<std::string> read() const;
  // Whole or not at all. Throws Error("file.unwritable").
  void write(const std::string& refresh_token) const;

  // One process at a time may exchange the token: two would use the same one twice, which many services take
  // for a theft. Waits for at most `patience`, then goes on without; the lock dies with its process.
  class Held {
   public:
    explicit Held(const TokenFile& file, std::chrono::milliseconds patience = std::chrono::seconds{30});
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    int fd_ = -1;
  };

 private:
  std::filesystem::path file_;
  std::string fingerprint_;
};

}  // namespace eddy::connectors
