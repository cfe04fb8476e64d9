#include <fmt/format.h>

#include <sstream>

#include "conformance/table_subject.h"
#include "connectors/mysql/destination.h"
#include "core/text.h"
#include "support/mariadb_server.h"

namespace eddy::conformance {
namespace {

std::string bytes_of_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  return bytes;
}

// "12.500" -> "12.5"; "2026-11-23 10:53:42.500000" -> "2026-11-23 10:53:42.5"
std::string without_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.resize(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

class MysqlSubject final : public ServerSubject<testing::MariadbServer> {
 public:
  MysqlSubject() : ServerSubject(connectors::mysql_destination()) {}

  nlohmann::json rows(const Target& target) override {
    const std::vector<std::string> names = {"k1",  "k2", "words", "number", "amount", "share",    "flag",
                                            "day", "at", "doc",   "bytes",  "score",  "untouched"};
    std::vector<std::string> cells;
    for (const std::string& name : names)
      cells.push_back(name == "bytes" ? "hex(bytes)" : fmt::format("hex(cast({} as char))", name));
    std::istringstream lines(
        server().sql(fmt::format("select {} from `{}` order by k1, k2", join(cells, ", "), target.object)));
    nlohmann::json rows = nlohmann::json::array();
    for (std::string line; std::getline(lines, line);) {
      const auto found = split(line, '\t');
      nlohmann::json& row = rows.emplace_back();
      for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = cell(names[i], found.at(i));
    }
    return rows;
  }

 private:
  void create_table(const std::string& name, const std::string& primary_key) override {
    server().sql(fmt::format(
        "create table `{}` (k1 varchar(200) collate utf8mb4_general_ci, k2 bigint default 0, words "
        "longtext, number bigint, amount decimal(65,30), share double, flag boolean, day date, at "
        "datetime(6), doc json, bytes longblob, score int check (score >= 0), untouched text "
        "default 'as it was', primary key ({}))",
        name, primary_key));
  }
  static nlohmann::json cell(const std::string& name, const std::string& hex) {
    if (hex == "NULL") return nullptr;
    const std::string text = bytes_of_hex(hex);
    if (name == "flag") return text == "1" ? "true" : "false";
    if (name == "bytes") return base64(text);
    if (name == "amount") return without_zeros(text);
    if (name == "at") return replace_all(without_zeros(text), " ", "T") + "Z";
    return text;
  }
};

}  // namespace

NamedSubject mysql_subject() {
  return {.name = "MySQL",
          .available = testing::MariadbServer::installed,
          .missing = "MariaDB IS NOT INSTALLED: this test did not run. Install the package `mariadb-server`.",
          .make = [] { return std::make_unique<MysqlSubject>(); },
          .waivers = no_answer_is_lost(cut_elsewhere)};
}

}  // namespace eddy::conformance
