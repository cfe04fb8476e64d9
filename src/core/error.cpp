#include "core/error.h"

#include <fmt/format.h>

namespace eddy {

std::string render(const Diagnostic& d) {
  std::string out = fmt::format("error[{}]: {}\n", d.code, d.message);
  if (d.position.known()) {
    out += fmt::format("  --> {}", d.position.file);
    if (d.position.line > 0) out += fmt::format(":{}", d.position.line);
    if (d.position.line > 0 && d.position.column > 0) out += fmt::format(":{}", d.position.column);
    out += '\n';
    if (!d.excerpt.empty()) {
      const std::string number = std::to_string(d.position.line);
      out += fmt::format(" {} | {}\n", number, d.excerpt);
      if (d.position.column > 0)
        out += fmt::format(" {} | {}^\n", std::string(number.size(), ' '),
                           std::string(d.position.column - 1, ' '));
    }
  }
  if (!d.hint.empty()) out += fmt::format("  hint: {}\n", d.hint);
  return out;
}

Error::Error(std::string code, std::string message, std::string hint, SourcePosition position)
    : Error(Diagnostic{std::move(code), std::move(message), std::move(hint), std::move(position), {}}) {}

Error::Error(Diagnostic diagnostic) : Error(std::vector<Diagnostic>{std::move(diagnostic)}) {}

Error::Error(std::vector<Diagnostic> diagnostics) : diagnostics_(std::move(diagnostics)) {
  for (const Diagnostic& d : diagnostics_) {
    if (!what_.empty()) what_ += '\n';
    what_ += d.code + ": " + d.message;
  }
}

}  // namespace eddy
