#include "report_fixture.h"

#include "core/clock.h"

namespace eddy::testing {
namespace {

// Numbers that look like a business, the same on every run: arithmetic instead of random().
constexpr std::string_view tables = R"sql(
create schema if not exists presentation;
create table presentation.monthly_revenue as
select (date '2024-12-01' + to_months(m::int))::date as month, p.plan, c.country,
       round(p.base * c.size * (1 + 0.045 * m) * (1 + 0.09 * sin(m * 1.3 + p.phase) + 0.05 * cos(m * 2.1 + c.size)), 2)::decimal(12, 2) as revenue,
       (p.people * c.size * (1 + 0.03 * m))::bigint as customers
from range(24) t(m),
     (values ('Free', 0, 640, 0.0), ('Pro', 21000, 410, 1.0), ('Team', 14500, 120, 2.2), ('Enterprise', 26500, 22, 0.6)) p(plan, base, people, phase),
     (values ('Germany', 1.0), ('France', 0.72), ('United Kingdom', 0.9), ('Netherlands', 0.41), ('Spain', 0.33)) c(country, size);
create table presentation.tickets as
select (date '2026-09-01' + d::int)::date as day, c.country, t.topic, (6 + 4 * sin(d / 3.0 + t.n) + t.n + c.n)::bigint as tickets
from range(84) x(d), (values ('Billing', 1), ('Login', 2), ('Integrations', 3), ('Reporting', 4)) t(topic, n),
     (values ('Germany', 2), ('France', 1), ('United Kingdom', 0)) c(country, n);
create table presentation.accounts as
select 10000 + i as account_id, 'Account ' || chr(65 + (i % 26)::int) || lpad(i::varchar, 3, '0') as account,
       ['Germany', 'France', 'United Kingdom', 'Netherlands', 'Spain'][1 + (i % 5)::int] as country,
       ['Free', 'Pro', 'Team', 'Enterprise'][1 + ((i * 7) % 4)::int] as plan,
       case when i % 9 = 0 then null else round(180 + 9400 * abs(sin(i * 1.7)), 2)::decimal(12, 2) end as lifetime_value,
       round(abs(sin(i * 0.61)), 3) as propensity, i % 11 = 0 as at_risk, (date '2023-02-11' + (i * 9)::int)::date as customer_since
from range(1, 121) t(i);
create table presentation.funnel as
select * from (values ('Visited the site', 18240), ('Signed up', 4310), ('Connected a source', 2104), ('Built a dashboard', 1388),
                      ('Invited a colleague', 702), ('Became a customer', 391)) f(step, people);
)sql";

constexpr std::string_view revenue_yaml = R"yaml(
title: Revenue
text: |
  How the subscription business is doing, **by plan and country**. Revenue is recognised in the month of service;
  see [the definition](https://example.com/definitions) or `models/presentation/monthly_revenue.sql`.
filters:
  country: {label: Country, options: "select distinct country from presentation.monthly_revenue order by 1"}
  plan: {label: Plan, options: [Free, Pro, Team, Enterprise]}
tiles:
  - title: Revenue this month
    type: number
    x: month
    value: revenue
    format: usd
    model: presentation.monthly_revenue
  - title: Paying customers
    type: number
    value: now_
    compare: before
    compare_label: last month
    sql: |
      select country, plan, sum(customers) filter (month = date '2026-11-01') as now_, sum(customers) filter (month = date '2026-10-01') as before
      from presentation.monthly_revenue where plan <> 'Free' group by all
  - {title: Churn, type: number, format: percent, good: down, compare: was, compare_label: last month, sql: "select 0.0213 as churn, 0.0188 as was"}
  - {title: First answer, type: number, good: down, description: Median hours until a person answers, compare: was, compare_label: last week, sql: "select 3.4 as hours, 4.1 as was"}
  - {title: Revenue by plan, description: Monthly, type: area, x: month, y: revenue, series: plan, format: usd, width: 8, model: presentation.monthly_revenue}
  - {title: Where it comes from, type: pie, x: country, y: revenue, format: usd, width: 4, model: presentation.monthly_revenue}
  - {title: Customers over time, type: line, x: month, y: customers, series: plan, width: 6, model: presentation.monthly_revenue}
  - {title: Revenue by country, description: "Last twelve months", type: bar, horizontal: true, x: country, y: revenue, sort: revenue desc, format: usd, width: 6,
     sql: "select * from presentation.monthly_revenue where month > date '2025-11-01'"}
  - {type: text, text: "## Accounts\nSorted by lifetime value. *At risk* means: no login for **30 days**, or an open ticket older than a week."}
  - title: Accounts
    type: table
    width: 12
    sql: select account, country, plan, lifetime_value, propensity, at_risk, customer_since from presentation.accounts
    format: {lifetime_value: usd, propensity: percent}
    sort: lifetime_value desc
)yaml";

constexpr std::string_view support_yaml = R"yaml(
title: Support
text: What customers ask, and how fast they are answered.
filters:
  country: {label: Country}
tiles:
  - {title: Tickets per week, type: stacked_bar, x: week, y: tickets, series: topic, width: 8,
     sql: "select date_trunc('week', day)::date as week, country, topic, sum(tickets) as tickets from presentation.tickets group by all"}
  - {title: Opened against solved, type: bar, x: topic, y: [opened, solved], width: 4,
     sql: "select country, topic, sum(tickets) as opened, (sum(tickets) * 0.93)::bigint as solved from presentation.tickets group by all order by topic"}
  - {title: Tickets per day, type: line, x: day, y: tickets, width: 6, model: presentation.tickets}
  - {title: From visit to customer, type: bar, x: step, y: people, horizontal: true, width: 6, model: presentation.funnel}
)yaml";

}  // namespace

ReportProject::ReportProject() {
  warehouse::Places places;
  places.project = scratch_.path();
  places.dot_eddy = scratch_ / ".eddy";
  places.lake = scratch_ / "lake";
  places.warehouse = scratch_ / "warehouse.duckdb";
  std::filesystem::create_directories(places.dot_eddy);
  std::filesystem::create_directories(places.lake);
  store_ = state::Store::open(places.dot_eddy / "state.db");
  session_ =
      std::make_unique<warehouse::Session>(places, *store_, engine::Options{}, warehouse::Access::read);
  session_->connect().execute(tables);
}

report::DashboardSpec ReportProject::dashboard(const std::string& name, const std::string& yaml) {
  Diagnostics diagnostics;
  const config::Node node =
      config::parse(yaml, "dashboards/" + name + ".yml", config::no_variables(), diagnostics);
  std::optional<report::DashboardSpec> spec = report::parse_dashboard(name, node, diagnostics);
  diagnostics.throw_if_any();
  return *spec;
}

std::vector<report::DashboardSpec> ReportProject::showcase() {
  return {dashboard("revenue", std::string(revenue_yaml)), dashboard("support", std::string(support_yaml))};
}

std::filesystem::path ReportProject::write(const std::vector<report::DashboardSpec>& dashboards,
                                           report::ReportResult* result, const report::Limits& limits) {
  const std::filesystem::path file = scratch_ / "out/report.html";
  ManualClock clock;
  const Cancel cancel;
  report::ReportResult written =
      report::write_report(*session_, dashboards, file, clock, silent_progress(), cancel,
                           {.project = "Harbour", .version = "0.1.0", .limits = limits});
  if (result != nullptr) *result = std::move(written);
  return file;
}

}  // namespace eddy::testing
