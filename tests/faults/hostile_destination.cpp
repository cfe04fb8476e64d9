#include "hostile_destination.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/text.h"

namespace eddy::testing {

using nlohmann::json;

namespace {

constexpr std::size_t rows_max = 5;

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void reset_on_close(int fd) {
  const linger hard{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

std::string head(int status, std::size_t length,
                 const std::string& more = "Content-Type: application/json\r\n") {
  return fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n", status, more, length);
}
std::string reply(int status, const std::string& body, const std::string& more = {}) {
  return head(status, body.size(), "Content-Type: application/json\r\n" + more) + body;
}

std::string gzip(const std::string& block, int times) {
  z_stream stream{};
  if (::deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib");
  std::string out;
  char buffer[65536];
  for (int i = 0; i <= times; ++i) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
    stream.avail_in = i < times ? static_cast<uInt>(block.size()) : 0;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer);
      stream.avail_out = sizeof buffer;
      ::deflate(&stream, i < times ? Z_NO_FLUSH : Z_FINISH);
      out.append(buffer, sizeof buffer - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  ::deflateEnd(&stream);
  return out;
}

const std::string& bomb() {
  static const std::string bytes = gzip(std::string(1 << 20, ' '), 200);
  return bytes;
}

std::string fields_of(const json& row) {
  const auto plain = [](const json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); };
  return plain(row.value("name", json())) + "|" + plain(row.value("score", json()));
}

}  // namespace

HostileDestination::HostileDestination(std::uint64_t seed, const std::set<std::string>& keys)
    : random_(seed) {
  for (const std::string& key : keys) book_.records[key] = "null|null";
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("the hostile destination cannot listen");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_clients(); });
}

HostileDestination::~HostileDestination() {
  closing_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int client : clients_) ::shutdown(client, SHUT_RDWR);
  }
  for (auto& [number, thread] : threads_) thread.join();
}

void HostileDestination::set_mix(const Mix& mix) {
  const std::lock_guard lock(mutex_);
  mix_ = mix;
}
void HostileDestination::on_request(std::function<void(std::uint64_t, bool)> listener) {
  const std::lock_guard lock(mutex_);
  listener_call_ = std::move(listener);
}
Book HostileDestination::book() const {
  const std::lock_guard lock(mutex_);
  return book_;
}
std::uint64_t HostileDestination::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}
std::uint64_t HostileDestination::rows_received() const {
  const std::lock_guard lock(mutex_);
  return rows_received_;
}
std::map<Trouble, int> HostileDestination::troubles() const {
  const std::lock_guard lock(mutex_);
  return troubles_;
}
std::string HostileDestination::authorizations() const {
  const std::lock_guard lock(mutex_);
  return authorizations_;
}
void HostileDestination::restore(const Book& book) {
  const std::lock_guard lock(mutex_);
  book_ = book;
}
void HostileDestination::edit(const std::string& key, const std::string& fields) {
  const std::lock_guard lock(mutex_);
  if (fields.empty())
    book_.records.erase(key);
  else
    book_.records[key] = fields;
}

void HostileDestination::accept_clients() {
  while (!closing_) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    // A crash loop makes tens of thousands of connections: a thread that is over must not keep its stack.
    for (const int number : std::exchange(ended_, {})) {
      threads_.at(number).join();
      threads_.erase(number);
    }
    clients_.insert(client);
    const int number = ++connections_;
    threads_.emplace(number, [this, client, number] {
      serve(client);
      const std::lock_guard end(mutex_);
      ended_.push_back(number);
    });
  }
}

void HostileDestination::serve(int client) {
  std::string bytes;
  char buffer[65536];
  bool open = true;
  while (open && !closing_) {
    const auto end = bytes.find("\r\n\r\n");
    std::size_t length = 0;
    Asked asked;
    if (end != std::string::npos) {
      for (const std::string& line : split(bytes.substr(0, end), '\n')) {
        const std::string name = lower(line.substr(0, line.find(':')));
        if (name == "content-length") length = std::stoul(line.substr(line.find(':') + 1));
        if (name == "authorization") asked.authorization = trim(line.substr(line.find(':') + 1));
      }
      if (bytes.size() >= end + 4 + length) {
        asked.path = split(bytes.substr(0, bytes.find('\r')), ' ').at(1);
        asked.body = bytes.substr(end + 4, length);
        bytes.erase(0, end + 4 + length);
        open = answer(client, asked);
        continue;
      }
    }
    const ssize_t n = ::recv(client, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    bytes.append(buffer, static_cast<std::size_t>(n));
  }
  const std::lock_guard lock(mutex_);
  clients_.erase(client);
  ::close(client);
}

Trouble HostileDestination::choose() {
  int dice = std::uniform_int_distribution<int>(0, 99)(random_);
  for (const auto& [trouble, percent] : mix_) {
    if (dice < percent) return trouble;
    dice -= percent;
  }
  return Trouble::none;
}

// Under the lock. The results; what is applied is in the book afterwards.
std::string HostileDestination::apply(const Asked& asked, Trouble trouble, bool& whole_refused) {
  const json body = json::parse(asked.body);
  json rows = body.contains("rows") ? body["rows"] : json::array();
  const bool insert = asked.path == "/people/insert", erase = asked.path == "/people/delete";
  if (insert) rows.push_back(body);
  if (erase)
    for (const json& id : body.at("ids")) rows.push_back({{"id", id}});
  rows_received_ += rows.size();
  if (rows.empty() || rows.size() > (insert ? 1 : rows_max)) throw std::runtime_error("not by the contract");
  whole_refused = trouble == Trouble::refused_whole && rows.size() > 1;
  if (whole_refused) return "";
  json results = json::array();
  for (const json& row : rows) {
    const std::string key = row.at("id").dump();
    json result = {{"id", row.at("id")}, {"trace", row.value("trace", "")}, {"status", "ok"}};
    const bool there = book_.records.contains(key);
    if (!erase && std::stoi(key) % 17 == 0) {
      result.update(
          {{"status", "refused"}, {"code", "BAD_ID"}, {"message", "ids that divide by 17 are not taken"}});
    } else if (asked.path == "/people/update" && !there) {
      result.update({{"status", "refused"}, {"code", "NOT_FOUND"}, {"message", "no such person"}});
    } else if (erase) {
      book_.records.erase(key);
    } else {
      if (!there || insert) ++book_.created[key];
      result["created"] = !there;
      // Fields that were not sent stay as they are.
      const std::vector<std::string> old = split(there ? book_.records[key] : "null|null", '|');
      json whole = row;
      if (!row.contains("name")) whole["name"] = old[0];
      if (!row.contains("score")) whole["score"] = old[1];
      book_.records[key] = fields_of(whole);
      ++book_.applied[{key, book_.records[key]}];
    }
    results.push_back(result);
  }
  if (trouble == Trouble::shuffled) std::shuffle(results.begin(), results.end(), random_);
  if (trouble == Trouble::fewer)
    results.erase(results.begin() + static_cast<long>(random_() % results.size()));
  if (trouble == Trouble::repeated) {
    const json once = results;
    results.insert(results.end(), once.begin(), once.end());
  }
  if (trouble == Trouble::foreign)
    results.insert(results.begin(), {{"id", 987654}, {"trace", "x"}, {"status", "ok"}});
  if (trouble == Trouble::contradicting) {
    json other = results[0];
    other["status"] = other["status"] == "ok" ? "refused" : "ok";
    results.push_back(other);
  }
  return json{{"results", results}}.dump();
}

// False when the connection is to be closed.
bool HostileDestination::answer(int client, const Asked& asked) {
  static const std::vector<std::string> waits = {"",
                                                 "Retry-After: 1\r\n",
                                                 "Retry-After: 0\r\n",
                                                 "Retry-After: -5\r\n",
                                                 "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n",
                                                 "Retry-After: soon\r\n"};
  Trouble trouble = Trouble::none;
  std::string body, wait;
  bool whole_refused = false, applied = true;
  int broken = 500;
  std::function<void(std::uint64_t, bool)> listener;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++requests_;
    listener = listener_call_;
  }
  if (listener) listener(number, false);
  {
    const std::lock_guard lock(mutex_);
    if (!asked.authorization.empty()) authorizations_ += asked.authorization + "\n";
    trouble = choose();
    ++troubles_[trouble];
    wait = waits[random_() % waits.size()];
    broken = std::vector<int>{500, 502, 504}[random_() % 3];
    applied = trouble != Trouble::drop_before && trouble != Trouble::throttled &&
              trouble != Trouble::unavailable && trouble != Trouble::unauthorized &&
              trouble != Trouble::forbidden && trouble != Trouble::echoed_secret &&
              !(trouble == Trouble::broken && random_() % 2 == 0);
    if (applied) body = apply(asked, trouble, whole_refused);
  }
  if (applied && listener) listener(number, true);
  if (whole_refused)
    return send_all(client,
                    reply(400, R"({"code": "BAD_BATCH", "message": "something in it is not right"})"));
  switch (trouble) {
    case Trouble::drop_before:
    case Trouble::drop_after:
      return false;
    case Trouble::reset_after:
      reset_on_close(client);
      return false;
    case Trouble::truncated:
      send_all(client, head(200, body.size()) + body.substr(0, body.size() / 2));
      return false;
    case Trouble::delayed:
      std::this_thread::sleep_for(std::chrono::milliseconds{60});
      break;
    case Trouble::drip:
      for (const char c : reply(200, body)) {
        if (!send_all(client, {&c, 1})) return false;
        std::this_thread::sleep_for(std::chrono::microseconds{200});
      }
      return true;
    case Trouble::malformed:
      return send_all(client, reply(200, body.substr(0, body.size() - 3) + "]]"));
    case Trouble::wrong_type:
      return send_all(client, head(200, 27, "Content-Type: text/html\r\n") + "<html>All is well.</html>\r\n");
    case Trouble::deep:
      return send_all(client, reply(200, std::string(100'000, '[')));
    case Trouble::not_text:
      return send_all(client, reply(200, body.substr(0, body.size() - 1) + ",\"x\":\"\xff\xfe" +
                                             std::string(1, '\0') + "\"}"));
    case Trouble::gzip_bomb:
      return send_all(client, reply(200, bomb(), "Content-Encoding: gzip\r\n"));
    case Trouble::endless: {
      if (!send_all(client, "HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n[")) return false;
      const std::string piece(1 << 20, '1');
      for (int i = 0; i < 100 && send_all(client, piece); ++i) {
      }
      return false;
    }
    case Trouble::not_http:
      send_all(client, "SSH-2.0-OpenSSH_9.2\r\n");
      return false;
    case Trouble::throttled:
      return send_all(client, reply(429, R"({"code": "TOO_FAST", "message": "slow down"})", wait));
    case Trouble::unavailable:
      return send_all(client, reply(503, "", wait));
    case Trouble::unauthorized:
      return send_all(client, reply(401, R"({"code": "NOT_YOU", "message": "the token has ended"})"));
    case Trouble::forbidden:
      return send_all(client, reply(403, R"({"code": "SCOPE", "message": "no permission to write people"})"));
    case Trouble::echoed_secret:
      return send_all(
          client, reply(400, json{{"code", "BAD"}, {"message", "you sent " + asked.authorization}}.dump()));
    case Trouble::broken:
      return send_all(client, reply(broken, R"({"message": "we are sorry"})"));
    default:
      break;
  }
  return send_all(client, reply(200, body));
}

void write_hostile_connector(const SmallProject& project) {
  project.write("connectors/crm/connector.yml", R"(name: crm
title: CRM
summary: people, in batches of five
settings:
  base_url: {required: true, doc: where it is}
  token: {secret: true, doc: of the account}
auth:
  - needs: [token]
    header: {Authorization: "Bearer {token}"}
objects:
  list:
    people:
      keys: [id]
      fields: {id: {type: integer, key: true}, name: {}, score: {type: integer}}
operations:
  upsert:
    - request: {url: /people/upsert, body: {rows: {each: {"*": "{row.all}", trace: "{row.trace}"}}}}
      batch: {max_rows: 5}
      outcome: &results
        rows:
          - items: /results
            match: [{by: echo, pointer: /trace, row: trace}]
            applied_when: {pointer: /status, eq: ok}
            created_when: {pointer: /created, eq: true}
            id: /id
            code: [/code]
            message: [/message]
  update:
    - request: {url: /people/update, body: {rows: {each: {"*": "{row.all}", trace: "{row.trace}"}}}}
      batch: {max_rows: 5}
      outcome: *results
  insert:
    - request: {url: /people/insert, body: {"*": "{row.all}", trace: "{row.trace}"}}
      idempotency: none
      outcome: *results
  erase:
    - request: {url: /people/delete, body: {ids: {each: "{row.key}"}}}
      batch: {max_rows: 5}
      outcome:
        rows:
          - items: /results
            match: [{by: echo, pointer: /id, row: key}]
            applied_when: {pointer: /status, eq: ok}
errors:
  code: [/code]
  message: [/message]
  statuses: {"400": row}
limits: {concurrency: 2}
)");
}

std::string hostile_connection(const HostileDestination& destination) {
  return "crm: {type: crm, base_url: \"" + destination.url() + "\", token: marker-token-4711}\n";
}

std::string hostile_sync(const std::string& mode) {
  return "destination: crm\nobject: people\nmode: " + mode +
         "\nfields: {name: name, score: score}\nguards: {removed: 100%, changed: 100%}\n";
}

}  // namespace eddy::testing
