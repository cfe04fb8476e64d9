// Connection type `webhook`: rows sent to any HTTP endpoint, signed as Standard Webhooks 1.0.0 has it.
// message.h shows what is sent, answers.h how a receiver answers row by row. The sync's `object` is the first
// part of the event type
// ("contact" makes "contact.added"); fields are whatever the sync maps.
//
// Replies: 2xx applied · 408, 425, 429, 5xx and lost answers are tried again, with Retry-After where given ·
// 410, 401, 403, 404, 405 and redirects stop the run · any other 4xx refuses the rows of the request.
#pragma once

#include "connectors/webhook/endpoint.h"
#include "sync/destination.h"

namespace eddy::connectors {

sync::DestinationType webhook_destination();

// The destination over a given wire, for tests.
std::unique_ptr<sync::Destination> webhook_over(EndpointSettings settings, Clock& clock, const Cancel& cancel,
                                                std::unique_ptr<http::Exchange> exchange,
                                                std::filesystem::path pace_file = {});

}  // namespace eddy::connectors
