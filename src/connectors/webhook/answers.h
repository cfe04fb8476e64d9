// What a receiver says about each row of a request (option `answers`). Without it, 2xx means: all rows
// applied.
//
//   answers: {rows: /results, status: /status, applied: [ok], retry: [busy], code: /error/code,
//             message: /error/message, id: /id, echo: /ref}
//
// `rows` points at the list in the reply, all other pointers (RFC 6901) into one item of it. An item whose
// status is in `applied` or `created` is applied, in `retry` is to be sent again, any other status is a
// rejection; an item without a status says nothing. Items belong to rows by the echoed id (or single key)
// where `echo` is given, else by position, which is trusted only when there are exactly as many items as
// rows. A row of which nothing was said, or two different things, is sent again: its id stays the same, so
// the receiver knows it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/shape.h"
#include "connectors/declarative/reply.h"
#include "connectors/webhook/message.h"

namespace eddy::connectors {

struct AnswersSpec {
  std::string rows;  // "": the whole reply
  std::string status;
  std::vector<std::string> applied, created, retry;
  std::string code, message, id, echo;  // "": not told

  static config::Shape shape();
  // Throws Error("destination.options") at the place where a pointer is none.
  static AnswersSpec parse(const config::Node& node);
};

// One verdict per row, in their order.
std::vector<Verdict> read_answers(const Reply& reply, const AnswersSpec& spec,
                                  std::span<const MessageRow> rows);

}  // namespace eddy::connectors
