// A receiver of webhooks for tests, written from the standard
// (github.com/standard-webhooks/standard-webhooks) and not from our sender: its own HMAC, its own base64, its
// own idea of a row. It listens on a free port of this machine, refuses what is not rightly signed, knows
// messages it has had, keeps records, and misbehaves when told to.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "transport/http/server.h"

namespace eddy::testing {

class WebhookReceiver {
 private:
  template <typename F>
  auto locked(F f) {
    const std::lock_guard lock(mutex_);
    return f();
  }

 public:
  using json = nlohmann::ordered_json;
  struct Received {
    std::string id, timestamp, signature, method;
    http::IncomingRequest request;
    json body;
  };
  // Instead of handling a request; nullopt: handle it.
  using Misbehaviour = std::function<std::optional<http::Reply>(const http::IncomingRequest&)>;

  // `secret` is what a receiver is given: "whsec_" and base64; empty: signatures are not asked for.
  explicit WebhookReceiver(std::string secret = {})
      : secret_(std::move(secret)),
        server_({}, [this](const http::IncomingRequest& r) { return answer(r); }) {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/hook"; }
  void stop() { server_.stop(); }

  void misbehave(Misbehaviour how) {
    locked([&] { misbehaviours_.push_back(std::move(how)); });
  }
  // The next request is handled as ever, but the connection is cut before the reply.
  void lose_the_next_answer() {
    locked([&] { lose_ = 1; });
  }
  // The next request is handled as ever; then this is done, and the connection is cut instead of answered.
  void instead_of_the_next_answer(std::function<void()> what) {
    locked([&] { instead_ = std::move(what); });
  }
  // Per-row answers come in another order / without the last one.
  void shuffle(bool on) {
    locked([&] { shuffle_ = on; });
  }
  void forget_the_last(bool on) {
    locked([&] { forget_ = on; });
  }

  std::vector<Received> received() {
    return locked([&] { return received_; });
  }
  std::size_t repetitions() {
    return locked([&] { return repetitions_; });
  }  // rows that it had had before
  std::map<std::string, json> records() {
    return locked([&] { return records_; });
  }  // key as JSON text -> fields
  void clear() {
    locked([&] {
      records_.clear();
      received_.clear();
      answered_.clear();
    });
  }

 private:
  static std::string decode(std::string_view text) {
    std::string out(text.size(), '\0');
    const int size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) std::abort();
    out.resize(static_cast<std::size_t>(size) -
               static_cast<std::size_t>(std::count(text.begin(), text.end(), '=')));
    return out;
  }
  static std::string encode(const unsigned char* bytes, int size) {
    std::string out(static_cast<std::size_t>(4 * ((size + 2) / 3)) + 1, '\0');
    out.resize(
        static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, size)));
    return out;
  }

  bool verified(const Received& message) const {
    if (secret_.empty()) return true;
    const long now = static_cast<long>(std::time(nullptr));
    if (message.id.empty() || std::labs(now - std::atol(message.timestamp.c_str())) > 300) return false;
    const std::string key = decode(std::string_view(secret_).substr(6));
    const std::string content = message.id + "." + message.timestamp + "." + message.request.body;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest, &size);
    const std::string wanted = "v1," + encode(digest, static_cast<int>(size));
    for (std::size_t at = 0; at <= message.signature.size();) {
      const std::size_t end = std::min(message.signature.find(' ', at), message.signature.size());
      if (message.signature.substr(at, end - at) == wanted) return true;
      at = end + 1;
    }
    return false;
  }

  // Applies one row once; the same id gets the same answer.
  json row(const json& data, const std::string& mode) {
    const std::string id = data.at("id");
    if (const auto known = answered_.find(id); known != answered_.end()) {
      ++repetitions_;
      return known->second;
    }
    const std::string key = data.at("key").dump();
    const bool there = records_.contains(key);
    json out = {{"ref", id}, {"status", there ? "updated" : "created"}, {"record", {{"id", "r-" + key}}}};
    const auto refuse = [&](const char* code, const char* message) {
      out["status"] = "refused";
      out["error"] = {{"code", code}, {"message", message}};
    };
    if (data.at("operation") == "remove") {
      records_.erase(key);
      out["status"] = "updated";
    } else if (const json fields = data.at("fields");
               fields.contains("score") && fields["score"].is_number() && fields["score"].get<double>() < 0) {
      refuse("negative_score", "score must not be negative");
      return out;  // it may be corrected, and is then news
    } else if (mode == "update" && !there) {
      refuse("unknown", "there is no such record");
      return out;
    } else if (mode == "insert" && there) {
      refuse("exists", "there is such a record already");
      return out;
    } else {
      for (const auto& [name, value] : fields.items()) records_[key][name] = value;
      if (fields.empty()) records_[key];
    }
    answered_[id] = out;
    return out;
  }

  http::Reply handle(const Received& message) {
    const json& data = message.body.at("data");
    const std::string mode = message.body.at("mode");
    if (data.is_object()) {
      const json result = row(data, mode);
      return http::Reply::text(result["status"] == "refused" ? 422 : 200, result.dump(), "application/json");
    }
    json results = json::array();
    for (const json& item : data) results.push_back(row(item, mode));
    if (shuffle_) std::reverse(results.begin(), results.end());
    if (forget_ && !results.empty()) results.erase(results.end() - 1);
    return http::Reply::text(200, json{{"results", results}}.dump(), "application/json");
  }

  http::Reply answer(const http::IncomingRequest& request) {
    const std::lock_guard lock(mutex_);
    if (request.method != "POST" && request.method != "PUT" && request.method != "PATCH")
      return http::Reply::text(405, "only POST");
    Received message{std::string(request.header("webhook-id")),
                     std::string(request.header("webhook-timestamp")),
                     std::string(request.header("webhook-signature")),
                     request.method,
                     request,
                     {}};
    if (!verified(message)) return http::Reply::text(401, "the signature is wrong");
    message.body = json::parse(request.body);
    received_.push_back(message);
    if (!misbehaviours_.empty()) {
      const Misbehaviour how = std::move(misbehaviours_.front());
      misbehaviours_.pop_front();
      if (auto reply = how(request)) return *reply;
    }
    http::Reply reply = handle(message);
    if (lose_ > 0) {
      --lose_;
      reply.drop = true;
    }
    if (const auto what = std::exchange(instead_, nullptr)) {
      what();
      reply.drop = true;
    }
    return reply;
  }

  std::string secret_;
  std::mutex mutex_;
  std::deque<Misbehaviour> misbehaviours_;
  std::vector<Received> received_;
  std::map<std::string, json> records_;
  std::map<std::string, json> answered_;  // by row id
  std::size_t repetitions_ = 0;
  int lose_ = 0;
  std::function<void()> instead_;
  bool shuffle_ = false, forget_ = false;
  http::Server server_;  // last: it is the first to go
};

}  // namespace eddy::testing
