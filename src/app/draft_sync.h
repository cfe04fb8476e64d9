// A sync's file while it is being written: it may lack its key and its fields.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/workspace.h"
#include "sync/suggest.h"

namespace eddy::app {

struct DraftSync {
  std::string name;            // "hubspot_contacts"
  std::string file;            // "syncs/hubspot_contacts.yml", for people
  std::filesystem::path path;  // links followed
  bool is_new = false;         // the file is not there yet
  std::string text;
  config::Node node;
  std::string model, model_sql, destination, object;
};

// Reads the file, or begins one with what the options say. Throws Error with everything wrong in it but what
// a mapping adds; usage.unknown_sync, usage.invalid, project.unknown_connection, project.wrong_connection.
DraftSync read_draft(const Workspace& workspace, const MapOptions& options);

// What the file maps already: `columns` of the model are those that its expressions read.
sync::Mapped mapped_in(const DraftSync& draft, engine::Connection& connection);

// The draft's text with the proposals that are sure.
std::string with_proposals(const DraftSync& draft, const sync::MappingSuggestion& suggestion);

// Whole, or not at all. Throws Error with what is wrong when the file is no sync then.
void write_draft(const DraftSync& draft, const std::string& text);

}  // namespace eddy::app
