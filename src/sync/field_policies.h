// What a mapping asks of the record as it stands at the destination: `write: if_empty` and `on_create`,
// looked up ids, and removed rows that are set or cleared. Each is a Writer around the destination's own, so
// that delivery knows nothing of it and a destination need not either: it must only be able to read records
// back.
#pragma once

#include <memory>

#include "sync/definition.h"
#include "sync/destination.h"
#include "sync/occasions.h"

namespace eddy::sync {

// Opens what a definition needs to be delivered. Throws what Destination::open throws, and
// Error("sync.cannot_read") when a policy needs records to be read and the destination cannot.
std::unique_ptr<Writer> open_writer(Destination& destination, const Definition& definition,
                                    const config::Node& options);
std::unique_ptr<Writer> open_writer_for(const Sending& sending, Destination& destination,
                                        const Definition& definition, const config::Node& options);

// The same for showing what a plan of the past has sent: its values go through as they are, no record is
// read, and a looked-up field shows the key by which its id was looked up. Only for preview().
std::unique_ptr<Writer> open_writer_of_the_past(const Sending& sending, Destination& destination,
                                                const Definition& definition, const config::Node& options);

// The delivery as destinations meet it: looked-up fields hold ids, and removal is ignore, erase or archive.
Delivery delivery_of(const Definition& definition, const config::Node& options, const Sending& sending = {});

}  // namespace eddy::sync
