// What a reply says as a whole: processed, or refused and why. What it says about each row: row_answers.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

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

// The texts at some pointers, without those that lead to nothing.
std::vector<std::string> texts_at(const nlohmann::json* document, const std::vector<std::string>& pointers);

}  // namespace eddy::connectors
