// The one exception root. An Error ends an operation; it says what happened, where, why, and what to do.
// Answers about single rows are never errors: they are verdicts (change.h).
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace eddy {

// A place in a file the user wrote. line and column count from 1; 0 means "not known".
struct SourcePosition {
  std::string file;
  int line = 0;
  int column = 0;
  bool known() const { return !file.empty(); }
};

// One thing to tell the user.
struct Diagnostic {
  std::string code;  // stable, lower case, dotted by capability: "config.unknown_key", "sync.duplicate_key"
  std::string message;  // what happened and why, one sentence, no trailing full stop
  std::string hint;     // what to do, empty when there is nothing to say
  SourcePosition position;
  std::string excerpt;  // the offending line of the file, without its newline; empty when not known
};

// Text for a terminal: "error[code]: message", "  --> file:line:column", the line with a caret, "  hint: …".
// Ends with a newline. Thread-safe.
std::string render(const Diagnostic& diagnostic);

class Error : public std::exception {
 public:
  Error(std::string code, std::string message, std::string hint = {}, SourcePosition position = {});
  explicit Error(Diagnostic diagnostic);
  explicit Error(std::vector<Diagnostic> diagnostics);  // at least one

  const std::string& code() const { return diagnostics_.front().code; }
  const std::string& message() const { return diagnostics_.front().message; }
  const std::string& hint() const { return diagnostics_.front().hint; }
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  const char* what() const noexcept override {
    return what_.c_str();
  }  // "code: message", all of them, one per line

 private:
  std::vector<Diagnostic> diagnostics_;
  std::string what_;
};

// Collects every problem of a project so that all are reported at once. Not thread-safe.
class Diagnostics {
 public:
  void add(Diagnostic diagnostic) { list_.push_back(std::move(diagnostic)); }
  void add(std::string code, std::string message, std::string hint = {}, SourcePosition position = {}) {
    list_.push_back({std::move(code), std::move(message), std::move(hint), std::move(position), {}});
  }
  void add(const Error& error) {
    list_.insert(list_.end(), error.diagnostics().begin(), error.diagnostics().end());
  }
  bool empty() const { return list_.empty(); }
  const std::vector<Diagnostic>& list() const { return list_; }
  void throw_if_any() const {
    if (!list_.empty()) throw Error(list_);
  }

 private:
  std::vector<Diagnostic> list_;
};

}  // namespace eddy
