// A PostgreSQL of the user's own as the warehouse of a small project: its table crm.people is the model, its
// schema `eddy` may hold the snapshot. It can be set back to what it was, as a copied folder is.
#pragma once

#include <string>

#include "small_project.h"
#include "support/postgres_server.h"

namespace eddy::testing {

class PeopleWarehouse {
 public:
  PeopleWarehouse();

  // A line of connections.yml. `snapshots`: inside | outside.
  std::string connection(const std::string& snapshots) const;
  int port() const { return server_.port(); }
  void set_model(const Records& records) const;

  void keep() const;      // what is there now is what set_back() brings back
  void set_back() const;  // whoever is connected is cut off

  // What is recorded inside as delivered, without rows that are not sure.
  Records snapshot() const;

 private:
  std::string sql(const std::string& statements) const;  // in the warehouse's own database
  PostgresServer server_;
};

}  // namespace eddy::testing
