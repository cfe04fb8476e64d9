#include "report/page.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "report/assets.h"

namespace eddy::report {
namespace {

// Placeholders are looked for in the template only, never in what replaces them.
std::string fill(std::string_view text, const std::map<std::string_view, std::string_view>& values) {
  std::string out;
  while (true) {
    const std::size_t open = text.find("{{");
    if (open == std::string_view::npos) return out.append(text);
    const std::size_t close = text.find("}}", open);
    const std::string_view name = text.substr(open + 2, close - open - 2);
    const auto value = values.find(name);
    if (value == values.end())
      throw Error("report.bad_template", fmt::format("the page has no value for {}", name));
    out.append(text.substr(0, open)).append(value->second);
    text.remove_prefix(close + 2);
  }
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string policy_hash(std::string_view script) {
  const std::string digits = sha256_hex(script);
  std::string bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
  return "'sha256-" + base64(bytes) + "'";
}

std::string page_script() {
  std::string out;
  for (const Script& script : page_scripts()) out.append(script.text);
  return out;
}

std::string title_of(const nlohmann::json& data) {
  const std::string project = data.value("project", "");
  const auto& dashboards = data.at("dashboards");
  const std::string first =
      dashboards.empty() ? std::string("Report") : dashboards.front().value("title", "Report");
  return project.empty() ? first : fmt::format("{} · {}", first, project);
}

}  // namespace

std::string json_for_html(const nlohmann::json& data) {
  const std::string plain = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  out.reserve(plain.size());
  for (std::size_t at = 0; at < plain.size(); ++at) {
    const std::string_view rest = std::string_view(plain).substr(at, 3);
    // These characters occur in JSON only inside strings, where an escape means the same.
    if (plain[at] == '<')
      out += "\\u003c";
    else if (plain[at] == '>')
      out += "\\u003e";
    else if (plain[at] == '&')
      out += "\\u0026";
    else if (rest == "\u2028" || rest == "\u2029") {
      out += rest == "\u2028" ? "\\u2028" : "\\u2029";
      at += 2;
    } else
      out += plain[at];
  }
  return out;
}

std::string render_page(const nlohmann::json& data) {
  const std::string script = page_script();
  const std::string embedded = json_for_html(data);
  const std::string title = escape_html(title_of(data));
  const std::string version = escape_html(data.value("version", ""));
  const std::string hashes =
      fmt::format("{} {} {}", policy_hash(boot_script()), policy_hash(echarts_script()), policy_hash(script));
  return fill(page_template(), {{"title", title},
                                {"version", version},
                                {"script_hashes", hashes},
                                {"style", style_sheet()},
                                {"boot", boot_script()},
                                {"data", embedded},
                                {"echarts", echarts_script()},
                                {"script", script}});
}

}  // namespace eddy::report
