// Where words go: data on stdout, everything else on stderr. Colour and live lines only where a person is
// looking.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/progress.h"

namespace eddy::app {

enum class Style { plain, bold, dim, green, yellow, red, cyan };

class Terminal {
 public:
  // wants_color: false for --no-color; NO_COLOR, TERM=dumb and a redirected stream switch it off as well.
  explicit Terminal(bool wants_color);
  std::string out_style(Style style, std::string_view text) const { return styled(out_color_, style, text); }
  std::string err_style(Style style, std::string_view text) const { return styled(err_color_, style, text); }
  bool err_is_live() const { return err_live_; }  // a terminal that understands cursor movement
  bool out_is_terminal() const { return out_terminal_; }
  int width() const;  // columns of stderr's terminal; 100 when it is none

 private:
  static std::string styled(bool color, Style style, std::string_view text);
  bool out_color_, err_color_, err_live_, out_terminal_;
};

enum class ProgressForm {
  people,  // live lines on a terminal, one line per finished node elsewhere
  json,    // one JSON object per event on stdout
  quiet,   // failures only
};
std::unique_ptr<Progress> make_progress(ProgressForm form, const Terminal& terminal);

void print_out(std::string_view text);  // stdout, redacted
void print_err(std::string_view text);  // stderr, redacted

}  // namespace eddy::app
