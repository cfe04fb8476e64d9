// The second half of a plan: what is to be written of each row that differs, by the fields' own policies.
// Pure: SQL in, SQL out.
#pragma once

#include <string>
#include <vector>

#include "sync/definition.h"

namespace eddy::sync {

struct Judgement {
  const Definition& definition;
  std::vector<bool> fresh;  // per field: not delivered before, so nothing is known of what is there
  bool first_run = false;   // everything is an add
  bool resend = false;      // every field is written, the same or not
  bool drifts = false;      // the differences know what a person has changed there: drifted, missing, t…
  bool hashed = false;      // the differences have a column h
  std::string reason;       // SQL that says why a row cannot be sent, or null; empty: nothing is checked
};

// Of a relation of differences (difference.h), a relation with
//   op, k…, v… (as the snapshot is to hold them once the row is delivered), o… (what a person sees as
//   "before"), changed (per field: '1' to be written, '0' the same, 'k' not to be written whatever the value;
//   '' for removes), suspect, h and reason when there are such.
// Where a field is not to be written, o is null: it is the same as v, and most fields of a changed row are.
std::string judged_sql(const Judgement& judgement, const std::string& differences);

// The columns of a judged relation as they are stored, and as they are read, with every o in its place again.
std::string stored_columns(const Judgement& judgement);
std::string read_columns(const Judgement& judgement);

}  // namespace eddy::sync
