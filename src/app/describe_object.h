// An object of a destination, for people: looked up with a guess when it is not there, and shown.
#pragma once

#include <string>

#include "app/commands.h"
#include "sync/destination.h"

namespace eddy::app {

// Throws Error("sync.unknown_object").
sync::ObjectSchema describe_object(sync::Destination& destination, const std::string& connection,
                                   const std::string& object);

// Its fields: a table, or a JSON line for each.
void print_object(const Context& context, const sync::ObjectSchema& object);

}  // namespace eddy::app
