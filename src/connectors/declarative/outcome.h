// What a reply says about the rows of its request: errors classed, items matched to rows, one verdict per
// row.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/cells.h"
#include "connectors/declarative/reply.h"
#include "connectors/declarative/spec.h"

namespace eddy::connectors {

// A reply that is no success, classed.
struct Refusal {
  ErrorClass error_class = ErrorClass::unsure;
  std::string code;     // the service's, or "http_503"
  std::string message;  // fit for people
  std::optional<std::chrono::milliseconds> wait;
};

// The first rule whose test holds; else the rule for the first code that has one; else the rule for the
// status; else what HTTP itself says about the status. An unknown code under a 2xx status is `row`: the
// service has said no in its own words. No code and no sense: `unsure`.
Refusal classify(const Reply& reply, const ErrorSpec& errors, Clock::WallTime now);

// True when the reply says that the request was processed and its rows can be read.
bool processed(const Reply& reply, const OutcomeSpec& outcome);

// One verdict per row, in order. A row that no item names, that two items contradict each other about, or
// whose item cannot be read gets `unknown`; never applied.
std::vector<Verdict> read_rows(const Reply& reply, const OutcomeSpec& outcome, const ErrorSpec& errors,
                               std::span<const RenderedRow> rows, const Lookup& lookup,
                               const Verdict& unknown);

}  // namespace eddy::connectors
