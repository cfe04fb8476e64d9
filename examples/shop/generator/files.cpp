#include "files.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "engine/database.h"
#include "random.h"

namespace shop {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

void write_gzip(const fs::path& path, const std::string& text) {
  // gzopen leaves name and time out of the header: same text, same bytes.
  gzFile out = gzopen(path.c_str(), "wb6");
  const bool written =
      out && (text.empty() || gzwrite(out, text.data(), static_cast<unsigned>(text.size())) > 0);
  const bool closed = out && gzclose(out) == Z_OK;
  if (!written || !closed) throw std::runtime_error("cannot write " + path.string());
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// What a form without checks lets through.
std::string typed_email(const std::string& email, Random& random) {
  const double how = random.share();
  if (how < 0.010) return email.substr(0, email.find('@'));
  if (how < 0.014) return "";
  if (how < 0.017) return email.substr(0, email.find('@')) + "@@" + email.substr(email.find('@') + 1);
  if (how < 0.020) return email.substr(0, email.find('@') + 1);
  if (how < 0.060) return " " + email + " ";
  if (how < 0.100) return upper(email);
  return email;
}

std::string typed_country(const std::string& country, Random& random) {
  static const std::map<std::string, std::string> spelled = {
      {"DE", "Germany"}, {"FR", "France"}, {"GB", "UK"}, {"US", "USA"}};
  const double how = random.share();
  if (how < 0.04)
    return std::string{static_cast<char>(std::tolower(country[0])),
                       static_cast<char>(std::tolower(country[1]))};
  if (how < 0.08 && spelled.contains(country)) return spelled.at(country);
  if (how < 0.09) return "";
  return country;
}

std::string typed_plan(const std::string& plan, Random& random) {
  const double how = random.share();
  if (how < 0.05) return upper(plan);
  if (how < 0.08) return plan + " ";
  return plan;
}

std::string customer_line(const Customer& c, Random& random) {
  const std::string email = typed_email(c.email, random);
  const std::string country = typed_country(c.country, random);
  const std::string plan = typed_plan(c.plan, random);
  return fmt::format("{},{},{},{},{},{},{},{},{},{}\n", c.id, csv_cell(email), csv_cell(c.first_name),
                     csv_cell(c.last_name), csv_cell(c.company), country, plan, date_text(c.signed_up),
                     c.opted_in ? "yes" : "no", time_text(c.updated));
}

std::string customers_csv(const World& world) {
  std::string text =
      "customer_id,email,first_name,last_name,company,country,plan,signed_up_on,marketing_opt_in,updated_"
      "at\n";
  int broken = 0;
  for (const Customer& customer : world.customers) {
    Random random(world.seed, "typing", static_cast<std::uint64_t>(customer.number));
    if (customer.deleted) continue;
    if (random.chance(0.02)) {  // an older copy of the same customer, left by a merge
      Customer old = customer;
      old.updated -= 40 * 86400;
      old.company = upper(old.company);
      old.email = upper(old.email);
      text += customer_line(old, random);
    }
    if (random.chance(0.005)) {  // the same person signed up again with another number
      Customer twin = customer;
      twin.id = fmt::format("C8{:04}", customer.number % 10'000);
      twin.plan = "free";
      text += customer_line(twin, random);
    }
    text += customer_line(customer, random);
    if (customer.number % 500 == 250) {  // lines that are no customers: columns lost, or one too many
      const std::string id = fmt::format("C9{:04}", ++broken);
      text += broken % 2 == 1 ? fmt::format(
                                    "{},ltd{}@ember.example,Ada,Unquoted,Ember, Sons & "
                                    "Co,DE,pro,2026-03-01,yes,2026-03-01 10:00:00\n",
                                    id, broken)
                              : fmt::format("{},cut{}@ember.example,Bo\n", id, broken);
    }
  }
  return text;
}

std::string products_tsv() {
  std::string text = "product_id\tname\tcategory\tunit_price\n";
  for (const Product& p : products()) {
    text += fmt::format("{}\t{}\t{}\t{}.{:02}\n", p.id, p.name, p.category, p.cents / 100, p.cents % 100);
  }
  return text;
}

std::string usage_lines(const World& world, const std::vector<const Event*>& events,
                        const std::string& file) {
  std::string text;
  std::uint64_t number = 0;
  for (const Event* event : events) {
    Random random(world.seed, "wire " + file, number++);
    nlohmann::ordered_json line = {
        {"event_id", event->id},
        {"customer_id", event->customer},
        {"event", event->kind},
        {"occurred_at", time_text(event->at)},
        {"properties",
         {{"source", random.chance(0.3) ? "mobile" : "web"}, {"seconds", random.between(1, 600)}}}};
    const std::string written = line.dump() + "\n";
    text += written;
    if (random.chance(0.006)) text += written;  // sent again: the phone did not hear the answer
    if (random.chance(0.0003)) text += written.substr(0, written.size() / 2) + "\n";
    if (number == 500) text += "<html><body>502 Bad Gateway</body></html>\n";
  }
  return text;
}

std::string tickets_json(const World& world) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Ticket& ticket : world.tickets) {
    Random random(world.seed, "mail", static_cast<std::uint64_t>(ticket.number));
    const auto optional = [](const std::string& text) {
      return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
    };
    list.push_back(
        {{"ticket_id", ticket.number},
         {"requester",
          {{"name", ticket.name}, {"email", random.chance(0.1) ? upper(ticket.email) : ticket.email}}},
         {"subject", ticket.subject},
         {"priority", ticket.priority},
         {"status", ticket.status},
         {"created_at", time_text(ticket.created)},
         {"solved_at", optional(ticket.solved ? time_text(ticket.solved) : "")},
         {"satisfaction", optional(ticket.satisfaction)}});
  }
  return list.dump(1) + "\n";
}

class ParquetWriter {
 public:
  // One thread: the order of rows, and so the bytes, do not depend on the machine.
  ParquetWriter()
      : database_(
            eddy::engine::Database::in_memory({.memory_limit = "512MB", .spill_folder = {}, .threads = 1})),
        connection_(database_.connect()) {}

  void write(const fs::path& path, const std::vector<const Order*>& orders) {
    connection_.execute(
        "create or replace table orders (order_id bigint, customer_id varchar, product_id varchar, quantity "
        "bigint, "
        "unit_price decimal(10,2), discount decimal(10,2), amount decimal(12,2), status varchar, ordered_at "
        "timestamp, "
        "updated_at timestamp)");
    auto rows = connection_.appender("", "", "orders");
    for (const Order* order : orders) {
      rows.append_integer(order->number);
      rows.append_text(order->customer);
      rows.append_text(order->product);
      rows.append_integer(order->quantity);
      rows.append(eddy::Value::decimal(money(order->unit_cents)));
      rows.append(eddy::Value::decimal(money(order->discount_cents)));
      rows.append(eddy::Value::decimal(money(order->unit_cents * order->quantity - order->discount_cents)));
      rows.append_text(order->status);
      rows.append(eddy::Value::timestamp(time_text(order->ordered)));
      rows.append(eddy::Value::timestamp(time_text(order->updated)));
      rows.end_row();
    }
    rows.close();
    connection_.execute("copy orders to " + eddy::engine::quote_literal(path.string()) +
                        " (format parquet, compression zstd)");
  }

 private:
  static std::string money(long long cents) { return fmt::format("{}.{:02}", cents / 100, cents % 100); }

  eddy::engine::Database database_;
  eddy::engine::Connection connection_;
};

template <class Row>
std::map<std::string, std::vector<const Row*>> by_file(const std::vector<Row>& rows) {
  std::map<std::string, std::vector<const Row*>> files;
  for (const Row& row : rows) files[row.file].push_back(&row);
  return files;
}

// Files of months are "2026-11", files of later days "2026-11-19".
bool is_new(const World& world, const std::string& file) { return world.day == 1 || file.size() > 7; }

}  // namespace

void write_files(const World& world, const fs::path& folder) {
  fs::create_directories(folder / "orders");
  fs::create_directories(folder / "usage");
  write_text(folder / "customers.csv", customers_csv(world));
  write_text(folder / "tickets.json", tickets_json(world));
  if (world.day == 1) write_text(folder / "products.tsv", products_tsv());

  ParquetWriter parquet;
  for (const auto& [file, orders] : by_file(world.orders)) {
    if (is_new(world, file)) parquet.write(folder / "orders" / (file + ".parquet"), orders);
  }
  for (const auto& [file, events] : by_file(world.events)) {
    if (is_new(world, file))
      write_gzip(folder / "usage" / (file + ".jsonl.gz"), usage_lines(world, events, file));
  }
}

}  // namespace shop
