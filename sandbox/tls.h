// TLS in front of a service that speaks plain HTTP, with a certificate made on the spot; and an HTTPS proxy
// that leads the services' real host names to it, for clients whose addresses cannot be configured.
#pragma once

#include <memory>
#include <string>

#include "sandbox/listener.h"

namespace eddy::sandbox {

// A self-signed certificate for localhost, 127.0.0.1 and the host names of the four services, good for a day.
// It signs nothing but itself, so whoever trusts it trusts this sandbox only. Throws Error("sandbox.tls").
class Certificate {
 public:
  Certificate();
  ~Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  std::string pem() const;  // without the key
  void* context() const;    // SSL_CTX

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Takes TLS connections on `port` and passes their bytes on to `plain_port`. A cut there is a cut here.
class TlsFront {
 public:
  TlsFront(std::uint16_t port, const Certificate& certificate, std::uint16_t plain_port);
  std::uint16_t port() const { return listener_.port(); }
  void stop() { listener_.stop(); }

 private:
  void serve(int fd) const;
  const Certificate& certificate_;
  const std::uint16_t plain_port_;
  Listener listener_;
};

// Answers CONNECT: "login.salesforce.com:443" goes to the port of salesforce, and so on. Hosts of nobody here
// are refused with 502; nothing ever leaves the machine.
class Proxy {
 public:
  using PortOf = std::function<std::uint16_t(const std::string& service)>;
  Proxy(std::uint16_t port, PortOf port_of);
  std::uint16_t port() const { return listener_.port(); }
  void stop() { listener_.stop(); }
  // "salesforce" for "acme.my.salesforce.com"; "" when it is nobody's.
  static std::string service_of(const std::string& host);

 private:
  void serve(int fd) const;
  const PortOf port_of_;
  Listener listener_;
};

}  // namespace eddy::sandbox
