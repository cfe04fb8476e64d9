// The shop as it really is, before its systems write it down badly (files.h does that).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shop {

using Day = int;           // days since 1970-01-01
using Second = long long;  // seconds since then, UTC

Day day_of(int year, unsigned month, unsigned day);
std::string date_text(Day day);      // 2026-11-18
std::string month_text(Day day);     // 2026-11
std::string time_text(Second time);  // 2026-11-18 09:30:00
int day_of_month(Day day);
inline Day day_at(Second time) { return static_cast<Day>(time / 86400); }

inline const Day first_day = 20423;  // 2025-12-01: orders begin
inline const Day today = 20775;      // 2026-11-18: the last day of the first delivery

struct Customer {
  int number = 0;
  std::string id;                                                    // C00042
  std::string first_name, last_name, email, company, country, plan;  // plan: free, starter, pro, enterprise
  Day signed_up = 0;
  Second updated = 0;
  double engagement = 0;  // 0…1: how much they use the product
  Day left = 1'000'000;   // from this day on they neither pay nor log in
  bool yearly = false;    // pays once a year
  bool opted_in = false;  // to marketing
  bool deleted = false;   // asked to be forgotten
};

struct Product {
  std::string id, name, category;
  int cents = 0;
};
const std::vector<Product>& products();

// One version of an order: a refund is the same order again, with another status and a later `updated`.
struct Order {
  long long number = 0;
  std::string customer, product, status;  // status: paid, pending, refunded
  int quantity = 1;
  long long unit_cents = 0, discount_cents = 0;
  Second ordered = 0, updated = 0;
  std::string file;  // "2026-11": the delivery it arrives with
};

struct Event {
  std::string id, customer, kind;
  Second at = 0;
  std::string file;
};

struct Ticket {
  int number = 0;
  std::string name, email, subject, priority, status;  // status: open, pending, solved
  Second created = 0, solved = 0;                      // solved 0: not yet
  std::string satisfaction;                            // good, bad, or empty
};

struct World {
  std::uint64_t seed = 0;
  int day = 1;
  std::vector<Customer> customers;
  std::vector<Order> orders;  // versions, in the order of their files
  std::vector<Event> events;
  std::vector<Ticket> tickets;
};

// The world on day 1.
World make_world(std::uint64_t seed, int customers);
// One day later: changed and new customers, renewals, refunds, usage, late rows. Files of that day are named
// by its date.
void next_day(World& world);

}  // namespace shop
