#include "people_warehouse.h"

#include <fmt/format.h>

#include "core/text.h"

namespace eddy::testing {

PeopleWarehouse::PeopleWarehouse() {
  server_.sql("create database shop");
  sql("create schema crm; create table crm.people(id int primary key, name text, score int)");
}

std::string PeopleWarehouse::connection(const std::string& snapshots) const {
  return fmt::format(
      "warehouse: {{type: postgres, host: {}, port: {}, user: {}, password: {}, database: shop, snapshots: "
      "{}}}\n",
      server_.host(), server_.port(), server_.user(), server_.password(), snapshots);
}

void PeopleWarehouse::set_model(const Records& records) const {
  std::string rows;
  for (const auto& [key, fields] : records)
    rows += fmt::format("{}({}, '{}')", rows.empty() ? "" : ", ", key, replace_all(fields, "|", "', '"));
  sql("truncate crm.people; insert into crm.people values " + rows);
}

void PeopleWarehouse::keep() const {
  // A session ends a little later than its client.
  server_.sql(
      "do $$ begin while exists (select from pg_stat_activity where datname = 'shop') loop perform "
      "pg_sleep(0.01); perform pg_stat_clear_snapshot(); end loop; end $$;"
      "create database kept template shop");
}

void PeopleWarehouse::set_back() const {
  server_.sql("drop database shop with (force); create database shop template kept");
}

Records PeopleWarehouse::snapshot() const {
  Records out;
  if (sql("select to_regclass('eddy.snapshot_people') is not null") != "t\n") return out;
  for (const std::string& line :
       split(sql("select k1 || '=' || v1 || '|' || v2 from eddy.snapshot_people where row_hash <> 0"), '\n'))
    if (const auto at = line.find('='); at != std::string::npos)
      out[line.substr(0, at)] = line.substr(at + 1);
  return out;
}

std::string PeopleWarehouse::sql(const std::string& statements) const {
  return server_.sql("\\connect shop\n" + statements);
}

}  // namespace eddy::testing
