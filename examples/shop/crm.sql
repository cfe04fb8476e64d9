-- The table that the sales team's tool reads. `sqlite3 crm.db < crm.sql` makes it; the sync propensity_table fills it.
create table if not exists propensity (
  customer_id text primary key,
  email text,
  lead_score integer,
  propensity real,
  customer_health text,
  at_risk boolean
);
