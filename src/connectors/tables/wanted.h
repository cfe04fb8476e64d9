// What was read, in the type in which it is wanted.
#pragma once

#include "core/value.h"

namespace eddy::connectors {

// Converts where nothing is lost: numbers among each other, dates and times, 0 and 1 to booleans, everything
// to text. What cannot be converted comes back as it was read. Decimals lose zeros at their end, because
// databases fill them up to the column's scale: 12.50, not 12.500000. Pure.
Value as_wanted(const Value& found, Type wanted);

}  // namespace eddy::connectors
