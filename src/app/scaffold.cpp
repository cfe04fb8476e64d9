#include "app/scaffold.h"

namespace eddy::app {

std::string_view gitignore_text() {
  return ".eddy/\n.env\nlake/\nreports/\n*.duckdb\n*.duckdb.wal\ncrm.db\nreport.html\n";
}

const std::vector<ScaffoldFile>& scaffold() {
  static const std::vector<ScaffoldFile> files = {
      {"eddy.yml", R"(name: {name}
# lake: lake                      folder of raw loads and Parquet versions
# warehouse: warehouse.duckdb     file of the relational warehouse
# engine: {memory_limit: 1GB}
)"},
      {"connections.yml", R"(files:
  type: files
  path: data

crm:
  type: sqlite        # an operational database to send numbers back to
  path: crm.db
)"},
      {"data/customers.csv", R"(customer_id,name,email,country,signed_up
1,Ada Byron,ada@example.com,GB,2026-01-04
2,Jan Novak,JAN@example.com,CZ,2026-01-19
3,Mia Rossi,mia@example.com,IT,2026-02-02
4,Noor Ali,noor@example.com,NL,2026-02-11
5,Lea Blanc,lea@example.com,FR,2026-03-08
)"},
      {"data/orders.jsonl",
       R"({"order_id": 101, "customer_id": 1, "amount": 120.50, "ordered_at": "2026-02-01T09:30:00Z"}
{"order_id": 102, "customer_id": 2, "amount": 80.00, "ordered_at": "2026-02-14T12:00:00Z"}
{"order_id": 103, "customer_id": 1, "amount": 42.00, "ordered_at": "2026-03-02T16:45:00Z"}
{"order_id": 104, "customer_id": 3, "amount": 310.25, "ordered_at": "2026-03-20T08:15:00Z"}
{"order_id": 105, "customer_id": 5, "amount": 15.75, "ordered_at": "2026-04-01T10:00:00Z"}
)"},
      {"sources/shop.yml", R"(connection: files
streams:
  customers: {path: customers.csv, key: customer_id}
  orders:    {path: orders.jsonl, key: order_id, cursor: ordered_at}
)"},
      {"models/clean/customers.sql", R"(/* eddy
description: One row per customer, e-mail addresses in one spelling
key: customer_id
tests:
  - not_null: [customer_id, email]
  - unique: [customer_id]
*/
select
  customer_id,
  trim(name) as name,
  lower(trim(email)) as email,
  country,
  signed_up
from raw.shop_customers
)"},
      {"models/clean/orders.sql", R"(/* eddy
key: order_id
tests:
  - unique: [order_id]
  - relationships: {customer_id: clean.customers.customer_id}
*/
select order_id, customer_id, amount, ordered_at::timestamp as ordered_at
from raw.shop_orders
)"},
      {"models/presentation/customer_value.sql", R"(/* eddy
description: What each customer has brought, for the CRM and the dashboard
key: customer_id
*/
select
  c.customer_id,
  c.name,
  c.email,
  c.country,
  count(o.order_id) as orders,
  coalesce(sum(o.amount), 0) as lifetime_value,
  max(o.ordered_at) as last_order_at
from clean.customers c
left join clean.orders o using (customer_id)
group by all
)"},
      {"syncs/customer_value.yml", R"(model: presentation.customer_value
destination: crm
object: customers
options: {create_table: true}
key: {customer_id: customer_id}
mode: upsert
fields:
  name: name
  email: email
  orders: orders
  lifetime_value: round(lifetime_value, 2)
)"},
      {"dashboards/customers.yml", R"(title: Customers
filters:
  country: {label: Country, column: country}
tiles:
  - {title: Customers, type: number, sql: "select country, count(*) as customers from presentation.customer_value group by all", value: customers, width: 4}
  - {title: Lifetime value, type: number, sql: "select country, sum(lifetime_value) as lifetime_value from presentation.customer_value group by all", value: lifetime_value, format: usd, width: 4}
  - {title: Orders, type: number, sql: "select country, sum(orders) as orders from presentation.customer_value group by all", value: orders, width: 4}
  - {title: Revenue by month, type: bar, sql: "select date_trunc('month', ordered_at)::date as month, sum(amount) as revenue from clean.orders group by all order by 1", x: month, y: revenue, format: usd, width: 6}
  - {title: Customers by value, type: table, model: presentation.customer_value, width: 6}
)"},
      {"README.md", R"(# {name}

    eddy validate      check every file
    eddy run           ingest, build, test, deliver, draw
    eddy query "select * from presentation.customer_value"
    eddy plan          what the next run would send
    eddy report        dashboards as one HTML file
)"},
  };
  return files;
}

}  // namespace eddy::app
