#include "warehouse/dialect.h"

#include "core/text.h"

namespace eddy::warehouse {

std::string in_form(const NativeColumn& column, std::string_view expression) {
  return replace_all(column.form, "{}", std::string(expression));
}

}  // namespace eddy::warehouse
