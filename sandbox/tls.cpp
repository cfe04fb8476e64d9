#include "sandbox/tls.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/text.h"

namespace eddy::sandbox {
namespace {

constexpr const char* names =
    "DNS:localhost,IP:127.0.0.1,DNS:*.salesforce.com,DNS:*.my.salesforce.com,DNS:*.sandbox.my.salesforce.com,"
    "DNS:api.hubapi.com,DNS:*.mktorest.com,DNS:*.zendesk.com";

template <class T>
T* checked(T* made) {
  if (made == nullptr) throw Error("sandbox.tls", "OpenSSL cannot make the certificate of the sandbox");
  return made;
}

void add_extension(X509* certificate, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      checked(X509V3_EXT_conf_nid(nullptr, &context, id, value)), &X509_EXTENSION_free);
  X509_add_ext(certificate, extension.get(), -1);
}

// Bytes from one side to the other until one ends. `tls` speaks for `fd`.
void relay(SSL* tls, int fd, int plain) {
  std::array<char, 16384> buffer{};
  std::array<pollfd, 2> ends{pollfd{fd, POLLIN, 0}, pollfd{plain, POLLIN, 0}};
  while (true) {
    if (SSL_pending(tls) == 0 && ::poll(ends.data(), ends.size(), -1) < 0) return;
    if (SSL_pending(tls) > 0 || ends[0].revents != 0) {
      const int n = SSL_read(tls, buffer.data(), buffer.size());
      if (n <= 0 || !write_all(plain, buffer.data(), static_cast<std::size_t>(n))) return;
    }
    if (ends[1].revents != 0) {
      const ssize_t n = ::recv(plain, buffer.data(), buffer.size(), 0);
      if (n == 0) SSL_shutdown(tls);
      if (n <= 0 || SSL_write(tls, buffer.data(), static_cast<int>(n)) <= 0) return;
      ends[1].revents = 0;
    }
  }
}

void relay_plain(int a, int b) {
  std::array<char, 16384> buffer{};
  std::array<pollfd, 2> ends{pollfd{a, POLLIN, 0}, pollfd{b, POLLIN, 0}};
  while (::poll(ends.data(), ends.size(), -1) >= 0)
    for (std::size_t i = 0; i < 2; ++i) {
      if (ends[i].revents == 0) continue;
      const ssize_t n = ::recv(ends[i].fd, buffer.data(), buffer.size(), 0);
      if (n <= 0 || !write_all(ends[1 - i].fd, buffer.data(), static_cast<std::size_t>(n))) return;
    }
}

}  // namespace

struct Certificate::Parts {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{checked(EVP_EC_gen("P-256")), &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate{checked(X509_new()), &X509_free};
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{checked(SSL_CTX_new(TLS_server_method())),
                                                            &SSL_CTX_free};
};

Certificate::Certificate() : parts_(std::make_unique<Parts>()) {
  X509* const made = parts_->certificate.get();
  X509_set_version(made, X509_VERSION_3);
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set(X509_get_serialNumber(made), static_cast<long>(serial | 1U));
  X509_gmtime_adj(X509_getm_notBefore(made), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made), 24L * 3600);
  X509_set_pubkey(made, parts_->key.get());
  X509_NAME* const name = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("eddy-sandbox"),
                             -1, -1, 0);
  X509_set_issuer_name(made, name);
  add_extension(made, NID_subject_key_identifier, "hash");
  add_extension(made, NID_authority_key_identifier, "keyid:always");
  add_extension(made, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(made, NID_key_usage, "critical,digitalSignature,keyCertSign");
  add_extension(made, NID_ext_key_usage, "serverAuth");
  add_extension(made, NID_subject_alt_name, names);
  SSL_CTX* const context = parts_->context.get();
  if (X509_sign(made, parts_->key.get(), EVP_sha256()) == 0 || SSL_CTX_use_certificate(context, made) != 1 ||
      SSL_CTX_use_PrivateKey(context, parts_->key.get()) != 1)
    checked<X509>(nullptr);
}

Certificate::~Certificate() = default;

std::string Certificate::pem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(checked(BIO_new(BIO_s_mem())), &BIO_free);
  PEM_write_bio_X509(out.get(), parts_->certificate.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void* Certificate::context() const { return parts_->context.get(); }

TlsFront::TlsFront(std::uint16_t port, const Certificate& certificate, std::uint16_t plain_port)
    : certificate_(certificate), plain_port_(plain_port), listener_(port, [this](int fd) { serve(fd); }) {}

void TlsFront::serve(int fd) const {
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(static_cast<SSL_CTX*>(certificate_.context())),
                                                      &SSL_free);
  if (tls && SSL_set_fd(tls.get(), fd) == 1 && SSL_accept(tls.get()) == 1)
    if (const Socket plain = connect_to_loopback(plain_port_)) relay(tls.get(), fd, plain.fd());
  ERR_clear_error();
}

std::string Proxy::service_of(const std::string& host) {
  const std::string name = lower(host);
  for (const auto& [ending, service] : {std::pair{".salesforce.com", "salesforce"},
                                        {".hubapi.com", "hubspot"},
                                        {".mktorest.com", "marketo"},
                                        {".zendesk.com", "zendesk"}})
    if (name.ends_with(ending)) return service;
  return {};
}

Proxy::Proxy(std::uint16_t port, PortOf port_of)
    : port_of_(std::move(port_of)), listener_(port, [this](int fd) { serve(fd); }) {}

void Proxy::serve(int fd) const {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char c = 0;
    if (head.size() > 8192 || ::recv(fd, &c, 1, 0) != 1) return;
    head += c;
  }
  const auto words = split(head.substr(0, head.find('\r')), ' ');
  const std::string service =
      words.size() == 3 && words[0] == "CONNECT" ? service_of(words[1].substr(0, words[1].rfind(':'))) : "";
  const Socket there = service.empty() ? Socket{} : connect_to_loopback(port_of_(service));
  const std::string_view answer = there ? "HTTP/1.1 200 Connection established\r\n\r\n"
                                        : "HTTP/1.1 502 Not a host of the sandbox\r\n"
                                          "Content-Length: 0\r\nConnection: close\r\n\r\n";
  if (write_all(fd, answer.data(), answer.size()) && there) relay_plain(fd, there.fd());
}

}  // namespace eddy::sandbox
