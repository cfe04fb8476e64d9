#include "world.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "random.h"
#include "words.h"

namespace shop {
namespace {

constexpr Second seconds_per_day = 86400;

Second moment(Random& random, Day day) { return day * seconds_per_day + random.between(6 * 3600, 22 * 3600); }

bool pays(const Customer& customer, Day day) {
  return customer.plan != "free" && !customer.deleted && day >= customer.signed_up && day < customer.left;
}

const Product& product(std::string_view id) {
  return *std::find_if(products().begin(), products().end(), [&](const Product& p) { return p.id == id; });
}

const Product& subscription_of(const Customer& customer) {
  static const std::map<std::string, std::pair<const char*, const char*>> of_plan = {
      {"starter", {"P-01", "P-04"}}, {"pro", {"P-02", "P-05"}}, {"enterprise", {"P-03", "P-06"}}};
  const auto& [monthly, yearly] = of_plan.at(customer.plan);
  return product(customer.yearly ? yearly : monthly);
}

// "Søren Grønn" writes to soren.gronn@…
std::string ascii(std::string_view text) {
  static const std::map<std::string_view, std::string_view> plain = {
      {"é", "e"}, {"ö", "o"}, {"ø", "o"}, {"í", "i"}, {"Ü", "u"}, {"á", "a"}, {"'", ""}, {" ", "-"}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t width = static_cast<unsigned char>(text[i]) < 0x80 ? 1 : 2;
    const auto found = plain.find(text.substr(i, width));
    if (found != plain.end()) {
      out += found->second;
    } else {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    }
    i += width;
  }
  return out;
}

Customer make_customer(std::uint64_t seed, int number, Day signed_up_last) {
  Random random(seed, "customer", static_cast<std::uint64_t>(number));
  Customer c;
  c.number = number;
  c.id = fmt::format("C{:05}", number);
  c.first_name = random.pick(first_names);
  c.last_name = random.pick(last_names);
  c.company = fmt::format("{} {}", random.pick(company_heads), random.pick(company_tails));
  // The number keeps addresses apart where two people share a name and a company.
  c.email =
      fmt::format("{}.{}{}@{}.example", ascii(c.first_name), ascii(c.last_name), number, ascii(c.company));
  c.country = random.pick(countries);
  // More customers come as time goes by; the oldest signed up 30 months ago.
  c.signed_up = signed_up_last - static_cast<Day>(900.0 * std::pow(random.share(), 1.7));
  c.engagement = random.share();
  const double fit = 0.6 * random.share() + 0.4 * c.engagement;
  c.plan = fit < 0.42 ? "free" : fit < 0.62 ? "starter" : fit < 0.84 ? "pro" : "enterprise";
  c.yearly = random.chance(0.15);
  c.opted_in = random.chance(0.7);
  if (random.chance(0.09)) c.left = signed_up_last - random.between(20, 150);
  c.updated = moment(random, std::min(signed_up_last, c.signed_up + random.between(0, 60)));
  return c;
}

class OrderBook {
 public:
  explicit OrderBook(World& world) : world_(world) {}

  void subscribe(const Customer& customer, Day day) {
    Random random(world_.seed, "renewal",
                  static_cast<std::uint64_t>(customer.number) * 100'000 + static_cast<unsigned>(day));
    add(random, customer.id, subscription_of(customer), 1, day);
  }

  // Add-ons, services and mugs.
  void maybe_buy_more(const Customer& customer, Day day, double probability) {
    Random random(world_.seed, "extra",
                  static_cast<std::uint64_t>(customer.number) * 100'000 + static_cast<unsigned>(day));
    if (!random.chance(probability)) return;
    const auto& all = products();
    const Product& extra = all[static_cast<std::size_t>(random.between(6, static_cast<int>(all.size()) - 1))];
    add(random, customer.id, extra, extra.category == "service" ? 1 : random.between(1, 5), day);
  }

  void add(Random& random, const std::string& customer, const Product& item, int quantity, Day day) {
    Order order;
    order.customer = customer;
    order.product = item.id;
    order.quantity = quantity;
    order.unit_cents = item.cents;
    if (random.chance(0.12)) order.discount_cents = item.cents * quantity / 10;
    order.status = random.chance(0.02) ? "pending" : "paid";
    order.ordered = order.updated = moment(random, day);
    world_.orders.push_back(order);
  }

 private:
  World& world_;
};

void make_orders(World& world) {
  OrderBook book(world);
  for (const Customer& customer : world.customers) {
    const Day from = std::max(customer.signed_up, first_day);
    for (Day day = from; day <= today; ++day) {
      if (day_of_month(day) != std::min(28, day_of_month(customer.signed_up))) continue;
      const bool due =
          !customer.yearly || month_text(day).substr(5) == month_text(customer.signed_up).substr(5);
      if (pays(customer, day) && due) book.subscribe(customer, day);
      if (day < customer.left)
        book.maybe_buy_more(customer, day, customer.plan == "free" ? 0.01 : 0.22 * customer.engagement);
    }
  }
  // Sales to people the customer list does not know: their lines there are broken, or they were deleted long
  // ago.
  for (int i = 0; i < 12; ++i) {
    Random random(world.seed, "stranger", static_cast<std::uint64_t>(i));
    book.add(random, fmt::format("C9{:04}", i + 1), product("P-02"), 1, today - random.between(1, 300));
  }
  std::stable_sort(world.orders.begin(), world.orders.end(),
                   [](const Order& a, const Order& b) { return a.ordered < b.ordered; });
  const std::string last_file = month_text(today);
  std::vector<Order> refunds;
  long long number = 100'000;
  for (Order& order : world.orders) {
    order.number = ++number;
    order.file = month_text(day_at(order.ordered));
    Random random(world.seed, "fate", static_cast<std::uint64_t>(order.number));
    const bool late = random.chance(0.01);
    const Day refunded = day_at(order.ordered) + random.between(3, 40);
    if (late && order.file != last_file) order.file = month_text(std::min(today, day_at(order.ordered) + 31));
    if (random.chance(0.025) && refunded <= today && order.status == "paid") {
      Order refund = order;
      refund.status = "refunded";
      refund.updated = moment(random, refunded);
      refund.file = std::max(order.file, month_text(refunded));
      refunds.push_back(refund);
    }
  }
  world.orders.insert(world.orders.end(), refunds.begin(), refunds.end());
}

void use_product(World& world, const Customer& customer, Day day, const std::string& file) {
  if (customer.deleted || day < customer.signed_up || day >= customer.left) return;
  Random random(world.seed, "usage",
                static_cast<std::uint64_t>(customer.number) * 100'000 + static_cast<unsigned>(day));
  if (!random.chance(0.05 + 0.33 * customer.engagement * customer.engagement)) return;
  const int actions = random.between(1, 1 + static_cast<int>(6 * customer.engagement));
  Second at = moment(random, day);
  for (int i = 0; i < actions; ++i) {
    const double kind = random.share();
    const bool keen = customer.engagement > 0.6;
    Event event;
    event.kind = i == 0                    ? "login"
                 : kind < 0.40             ? "report_created"
                 : kind < 0.62             ? "export"
                 : kind < 0.80             ? "api_call"
                 : kind < 0.90             ? (keen ? "team_invited" : "report_created")
                 : customer.plan == "free" ? "pricing_viewed"
                                           : "login";
    event.id = fmt::format("e{:05}-{}-{}", customer.number, day, i);
    event.customer = customer.id;
    event.at = at;
    event.file = file;
    world.events.push_back(event);
    at += random.between(20, 900);
  }
}

void make_usage(World& world) {
  const Day from = today - 70;
  for (Day day = from; day <= today; ++day) {
    for (const Customer& customer : world.customers) {
      // Phones that were offline deliver with the next month.
      Random random(world.seed, "offline",
                    static_cast<std::uint64_t>(customer.number) * 100'000 + static_cast<unsigned>(day));
      const bool late = random.chance(0.004) && month_text(day) != month_text(today);
      use_product(world, customer, day, month_text(late ? std::min(today, day + 31) : day));
    }
  }
  std::stable_sort(world.events.begin(), world.events.end(),
                   [](const Event& a, const Event& b) { return a.file < b.file; });
}

Ticket make_ticket(std::uint64_t seed, int number, const Customer& customer, Day day) {
  Random random(seed, "ticket", static_cast<std::uint64_t>(number));
  Ticket ticket;
  ticket.number = number;
  ticket.name = customer.first_name + " " + customer.last_name;
  ticket.email = customer.email;
  ticket.subject = random.pick(ticket_subjects);
  ticket.priority = random.pick(std::array{"low", "normal", "normal", "high", "urgent"});
  ticket.created = moment(random, day);
  ticket.status = random.chance(0.3) ? "pending" : "open";
  return ticket;
}

void solve(Ticket& ticket, Random& random, Second at) {
  ticket.status = "solved";
  ticket.solved = at;
  ticket.satisfaction = random.chance(0.5) ? "" : random.chance(0.75) ? "good" : "bad";
}

void make_tickets(World& world) {
  int number = 1000;
  for (const Customer& customer : world.customers) {
    Random random(world.seed, "trouble", static_cast<std::uint64_t>(customer.number));
    // Those who struggle ask most, and those about to leave ask first.
    const double rate = customer.plan == "free"
                            ? 0.15
                            : 1.0 - 0.6 * customer.engagement + (customer.left <= today ? 1.0 : 0.0);
    for (double chance = rate; random.chance(chance); chance *= 0.6) {
      const Day day = std::max(customer.signed_up, today - random.between(0, 180));
      Ticket ticket = make_ticket(world.seed, ++number, customer, day);
      const Second solved = ticket.created + random.between(1, 20) * 18'000;
      if (random.chance(0.9) && day_at(solved) <= today) solve(ticket, random, solved);
      world.tickets.push_back(ticket);
    }
  }
}

void change_customers(World& world, Random& random, Day day) {
  for (int i = 0; i < 25; ++i) {
    Customer& customer =
        world.customers[static_cast<std::size_t>(random.below(static_cast<int>(world.customers.size())))];
    if (customer.deleted) continue;
    customer.updated = moment(random, day);
    if (customer.plan == "free") {
      customer.plan = random.chance(0.6) ? "starter" : "pro";
      customer.signed_up = std::min(customer.signed_up, day);
      OrderBook(world).subscribe(customer, day);
      world.orders.back().file = date_text(day);
    } else if (random.chance(0.5)) {
      customer.company = fmt::format("{} {}", random.pick(company_heads), random.pick(company_tails));
    } else {
      customer.last_name = random.pick(last_names);
    }
  }
  world.customers[static_cast<std::size_t>(random.below(static_cast<int>(world.customers.size())))].deleted =
      true;
  const int known = world.customers.back().number;
  for (int i = 1; i <= 12; ++i) {
    Customer customer = make_customer(world.seed, known + i, day);
    customer.signed_up = day;
    customer.updated = moment(random, day);
    customer.left = 1'000'000;
    world.customers.push_back(customer);
  }
}

void sell(World& world, Random& random, Day day) {
  const std::size_t before = world.orders.size();
  OrderBook book(world);
  for (const Customer& customer : world.customers) {
    if (!customer.yearly && pays(customer, day) && day_of_month(customer.signed_up) == day_of_month(day))
      book.subscribe(customer, day);
  }
  for (int i = 0; i < 3; ++i) {  // forgotten in a till for ten days
    book.add(random, random.pick(world.customers).id, product("P-20"), 2, day - 10);
  }
  for (int i = 0; i < 5; ++i) {
    Order refund = world.orders[static_cast<std::size_t>(random.below(static_cast<int>(before)))];
    if (refund.status != "paid") continue;
    refund.status = "refunded";
    refund.updated = moment(random, day);
    refund.file = date_text(day);
    world.orders.push_back(refund);
  }
  long long number = 0;
  for (const Order& order : world.orders) number = std::max(number, order.number);
  for (Order& order : world.orders) {
    if (order.number == 0) order.number = ++number;
    if (order.file.empty()) order.file = date_text(day);
  }
}

}  // namespace

Day day_of(int year, unsigned month, unsigned day) {
  const std::chrono::sys_days days =
      std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day);
  return static_cast<Day>(days.time_since_epoch().count());
}

std::string date_text(Day day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string month_text(Day day) { return date_text(day).substr(0, 7); }

int day_of_month(Day day) { return std::stoi(date_text(day).substr(8)); }

std::string time_text(Second time) {
  const Second second = time % seconds_per_day;
  return fmt::format("{} {:02}:{:02}:{:02}", date_text(day_at(time)), second / 3600, second / 60 % 60,
                     second % 60);
}

const std::vector<Product>& products() {
  static const std::vector<Product> list = {
      {"P-01", "Starter, monthly", "subscription", 1900},
      {"P-02", "Pro, monthly", "subscription", 5900},
      {"P-03", "Enterprise, monthly", "subscription", 24000},
      {"P-04", "Starter, yearly", "subscription", 19000},
      {"P-05", "Pro, yearly", "subscription", 59000},
      {"P-06", "Enterprise, yearly", "subscription", 240000},
      {"P-07", "Extra seat", "add-on", 800},
      {"P-08", "Storage 100 GB", "add-on", 1200},
      {"P-09", "Storage 1 TB", "add-on", 6000},
      {"P-10", "API pack", "add-on", 2500},
      {"P-11", "Single sign-on", "add-on", 4900},
      {"P-12", "Audit log", "add-on", 3900},
      {"P-13", "Priority support", "add-on", 9900},
      {"P-14", "Onboarding", "service", 45000},
      {"P-15", "Data migration", "service", 90000},
      {"P-16", "Custom report", "service", 30000},
      {"P-17", "Workshop, one day", "service", 120000},
      {"P-18", "Online course", "training", 14900},
      {"P-19", "Certification", "training", 24900},
      {"P-20", "Mug", "goods", 1450},
      {"P-21", "T-shirt", "goods", 2200},
      {"P-22", "Notebook", "goods", 950},
  };
  return list;
}

World make_world(std::uint64_t seed, int customers) {
  World world;
  world.seed = seed;
  for (int number = 1; number <= customers; ++number)
    world.customers.push_back(make_customer(seed, number, today));
  make_orders(world);
  make_usage(world);
  make_tickets(world);
  return world;
}

void next_day(World& world) {
  const Day day = today + world.day++;
  Random random(world.seed, "day", static_cast<std::uint64_t>(day));
  change_customers(world, random, day);
  sell(world, random, day);
  for (const Customer& customer : world.customers) {
    use_product(world, customer, day, date_text(day));
    Random offline(world.seed, "offline",
                   static_cast<std::uint64_t>(customer.number) * 100'000 + static_cast<unsigned>(day));
    if (offline.chance(0.003)) use_product(world, customer, day - 71, date_text(day));
  }
  int number = world.tickets.empty() ? 1000 : world.tickets.back().number;
  for (int i = 0; i < 8; ++i) {
    world.tickets.push_back(make_ticket(world.seed, ++number, random.pick(world.customers), day));
  }
  int left = 10;
  for (Ticket& ticket : world.tickets) {
    if (left == 0 || ticket.status == "solved" || !random.chance(0.2)) continue;
    solve(ticket, random, moment(random, day));
    --left;
  }
}

}  // namespace shop
