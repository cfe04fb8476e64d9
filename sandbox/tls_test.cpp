// HTTPS and the proxy, seen by a client that checks the certificate.
#include "sandbox/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "core/error.h"
#include "sandbox/test_client.h"

namespace eddy::sandbox {
namespace {

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    Options options;
    for (auto& [name, port] : options.ports) port = 0;
    options.tls = true;
    options.proxy_port = 0;
    options.threads = 2;
    sandbox_ = std::make_unique<Sandbox>(options, clock_);
  }

  // What `host` answers to a GET, by way of the proxy; "" when the certificate is not for it.
  std::string get(const std::string& host, const std::string& target) {
    const Socket socket = connect_to_loopback(sandbox_->proxy_port());
    const std::string hello = "CONNECT " + host + ":443 HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    write_all(socket.fd(), hello.data(), hello.size());
    std::string head;
    for (char c = 0; !head.ends_with("\r\n\r\n") && ::recv(socket.fd(), &c, 1, 0) == 1;) head += c;
    if (!head.starts_with("HTTP/1.1 200")) return head;
    return speak(socket.fd(), host, target);
  }

  std::string speak(int fd, const std::string& host, const std::string& target) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    &SSL_CTX_free);
    const std::string pem = sandbox_->certificate();
    const std::unique_ptr<BIO, decltype(&BIO_free)> source(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> trusted(
        PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr), &X509_free);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), trusted.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
    SSL_set1_host(tls.get(), host.c_str());
    SSL_set_fd(tls.get(), fd);
    if (SSL_connect(tls.get()) != 1) return {};
    const std::string request =
        "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    SSL_write(tls.get(), request.data(), static_cast<int>(request.size()));
    std::string answer;
    std::array<char, 4096> buffer{};
    for (int n = 0; (n = SSL_read(tls.get(), buffer.data(), buffer.size())) > 0;)
      answer.append(buffer.data(), static_cast<std::size_t>(n));
    ERR_clear_error();
    return answer;
  }

  ManualClock clock_;
  std::unique_ptr<Sandbox> sandbox_;
};

TEST_F(TlsTest, TheProxyLeadsTheRealHostNamesHere) {
  EXPECT_NE(get("acme.my.salesforce.com", "/services/data").find("\"version\":\"68.0\""), std::string::npos);
  EXPECT_NE(get("api.hubapi.com", "/crm/v3/objects/contacts").find("INVALID_AUTHENTICATION"),
            std::string::npos);
  EXPECT_NE(get("123-abc-456.mktorest.com", "/rest/v1/leads.json").find("\"600\""), std::string::npos);
  EXPECT_NE(get("acme.zendesk.com", "/api/v2/users").find("Couldn't authenticate you"), std::string::npos);
  EXPECT_EQ(get("example.com", "/").substr(0, 12), "HTTP/1.1 502");
}

TEST_F(TlsTest, WithoutTheProxyThePortsSpeakHttps) {
  EXPECT_TRUE(sandbox_->url("zendesk").starts_with("https://127.0.0.1:"));
  const Socket socket = connect_to_loopback(sandbox_->port("zendesk"));
  EXPECT_NE(speak(socket.fd(), "localhost", "/_sandbox/stats").find("rows_received"), std::string::npos);
}

TEST_F(TlsTest, TheCertificateIsForNobodyElse) {
  const Socket socket = connect_to_loopback(sandbox_->port("zendesk"));
  EXPECT_EQ(speak(socket.fd(), "zendesk.example.com", "/_sandbox/stats"), "");
}

TEST(Proxy, KnowsWhoseHostItIs) {
  EXPECT_EQ(Proxy::service_of("LOGIN.salesforce.com"), "salesforce");
  EXPECT_EQ(Proxy::service_of("api.hubapi.com"), "hubspot");
  EXPECT_EQ(Proxy::service_of("notsalesforce.com"), "");
}

}  // namespace
}  // namespace eddy::sandbox
