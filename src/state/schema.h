// The tables of state.db as numbered steps: a step that was released is never edited, a change is a new step.
#pragma once

#include <array>
#include <string_view>

namespace eddy::state {

constexpr std::array<std::string_view, 3> schema_steps = {R"sql(
create table runs(
  id text primary key, command text not null, selection text not null, status text not null,
  started_at text not null, ended_at text not null, message text not null);
create table node_runs(
  run_id text not null references runs(id), node text not null, kind text not null, status text not null,
  started_at text not null, ended_at text not null, rows integer not null, summary text not null, details text not null,
  primary key (run_id, node));

create table loads(
  id text primary key, source text not null, stream text not null, run_id text not null, loaded_at text not null,
  schema text not null);
create index loads_by_stream on loads(source, stream, id);
create table load_files(
  load_id text not null references loads(id), position integer not null, path text not null, sha256 text not null,
  bytes integer not null, modified_ns integer not null, raw_path text not null, rows_path text not null,
  rows integer not null, quarantined integer not null,
  primary key (load_id, position));
create index load_files_by_content on load_files(sha256);

create table model_versions(
  version text primary key, model text not null, path text not null, rows integer not null, built_at text not null,
  fingerprint text not null, run_id text not null);
create index model_versions_by_model on model_versions(model, version);
create table current_models(model text primary key, version text not null references model_versions(version));

create table sync_states(
  sync text primary key, epoch integer not null, checksum text not null, last_plan_id text not null, definition text not null);
create table rejects(
  sync text not null, key text not null, operation text not null, outcome text not null, code text not null,
  message text not null, payload text not null, payload_hash text not null, first_seen text not null, last_seen text not null,
  run_id text not null, attempts integer not null, status text not null,
  primary key (sync, key));

create table facts(name text primary key, value text not null);
)sql",
                                                          R"sql(
alter table rejects add column runs integer not null default 1;
)sql",
                                                          // Seals: sealed_table.h.
                                                          R"sql(
alter table loads add column seal integer;
update loads set seal = eddy_seal('loads', id, source, stream, run_id, loaded_at, schema);
alter table load_files add column seal integer;
update load_files set seal = eddy_seal('load_files', load_id, position, path, sha256, bytes, modified_ns, raw_path,
  rows_path, rows, quarantined);
alter table model_versions add column seal integer;
update model_versions set seal = eddy_seal('model_versions', version, model, path, rows, built_at, fingerprint, run_id);
alter table current_models add column seal integer;
update current_models set seal = eddy_seal('current_models', model, version);
alter table sync_states add column seal integer;
update sync_states set seal = eddy_seal('sync_states', sync, epoch, checksum, last_plan_id, definition);
alter table rejects add column seal integer;
update rejects set seal = eddy_seal('rejects', sync, key, operation, outcome, code, message, payload, payload_hash,
  first_seen, last_seen, run_id, attempts, status, runs);
alter table facts add column seal integer;
update facts set seal = eddy_seal('facts', name, value);
)sql"};

}  // namespace eddy::state
