#include "report/page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "core/text.h"
#include "report/assets.h"

namespace eddy::report {
namespace {

using nlohmann::json;

json data_with(const std::string& text) {
  return {{"project", text},
          {"version", "0.1.0"},
          {"generated_at", "2026-11-23T10:00:00Z"},
          {"data_as_of", nullptr},
          {"dashboards",
           {{{"name", "d"},
             {"title", text},
             {"text", text},
             {"filters", json::array()},
             {"tiles", json::array()}}}}};
}

// The text between a tag and the next </script>.
std::string script_after(const std::string& page, const std::string& tag) {
  const std::size_t start = page.find(tag) + tag.size();
  return page.substr(start, page.find("</script>", start) - start);
}

TEST(Page, DataComeBackAsTheyWere) {
  for (const std::string text :
       {"</script><script>alert(1)</script>", "<!-- <script>", "]]>", "a\u2028b\u2029c", "& &amp; \" ' \\",
        "{{script}} {{data}}", "$& $1 %s", "tab\tnewline\nnul\u0001", "日本語 🦑 é"}) {
    const json data = data_with(text);
    const std::string page = render_page(data);
    const std::string embedded = script_after(page, R"(<script id="eddy-data" type="application/json">)");
    EXPECT_EQ(json::parse(embedded), data) << text;
    EXPECT_EQ(embedded.find_first_of("<>&"), std::string::npos);
    EXPECT_EQ(embedded.find("\u2028"), std::string::npos);
    EXPECT_EQ(embedded.find("\u2029"), std::string::npos);
  }
}

TEST(Page, BrokenUtf8IsReplacedNotThrown) {
  EXPECT_EQ(json_for_html(json("a\xff"
                               "b")),
            "\"a\uFFFD"
            "b\"");
}

TEST(Page, TitleIsEscaped) {
  const std::string page = render_page(data_with("</title><b> & \"x\""));
  EXPECT_NE(page.find("<title>&lt;/title&gt;&lt;b&gt; &amp; &quot;x&quot; · "), std::string::npos);
}

TEST(Page, NamesNoAddressButNamespacesAndLicenses) {
  const std::string page = render_page(data_with("x"));
  // Names of XML vocabularies, and ECharts' own license notices; none is ever requested.
  const std::set<std::string> allowed = {"http://www.w3.org/2000/svg",
                                         "http://www.w3.org/1999/xlink",
                                         "http://www.w3.org/2000/xmlns/",
                                         "http://www.w3.org/XML/1998/namespace",
                                         "http://www.apache.org/licenses/LICENSE-2.0",
                                         "https://github.com/ecomfe/zrender/blob/master/LICENSE"};
  std::set<std::string> found;
  for (std::size_t at = page.find("://"); at != std::string::npos; at = page.find("://", at + 3)) {
    std::size_t start = at;
    while (start > 0 && std::isalpha(static_cast<unsigned char>(page[start - 1]))) --start;
    std::size_t end = at;
    while (end < page.size() &&
           std::string_view("\"'`<> \t\n\\)*,;").find(page[end]) == std::string_view::npos)
      ++end;
    const std::string address = page.substr(start, end - start);
    if (address.starts_with("path://") || address.starts_with("image://"))
      continue;  // ECharts' words for drawn symbols
    EXPECT_TRUE(allowed.contains(address)) << address;
    found.insert(address);
  }
  EXPECT_EQ(found, allowed);
  for (const char* outside : {"src=\"", "@import", "url(", "<link rel=\"stylesheet", "fetch(",
                              "XMLHttpRequest", "sendBeacon", "WebSocket"}) {
    std::string own = page;
    own.replace(own.find(echarts_script()), echarts_script().size(), "");
    EXPECT_EQ(own.find(outside), std::string::npos) << outside;
  }
}

TEST(Page, PolicyAllowsExactlyItsOwnScripts) {
  const std::string page = render_page(data_with("x"));
  const std::size_t start = page.find("content=\"default-src 'none'; script-src ");
  ASSERT_NE(start, std::string::npos);
  const std::string policy = page.substr(start, page.find("\">", start) - start);
  EXPECT_EQ(policy.find("connect-src"), std::string::npos);  // none, by default-src
  EXPECT_EQ(policy.find("unsafe-eval"), std::string::npos);
  EXPECT_EQ(policy.substr(0, policy.find("style-src")).find("unsafe-inline"), std::string::npos);
  const std::regex hash("'sha256-[A-Za-z0-9+/]{43}='");
  EXPECT_EQ(std::distance(std::sregex_iterator(policy.begin(), policy.end(), hash), std::sregex_iterator()),
            3);
}

TEST(Page, AssetsCanStandInsideAScriptElement) {
  std::vector<Script> scripts(page_scripts().begin(), page_scripts().end());
  scripts.push_back({"boot.js", boot_script()});
  scripts.push_back({"echarts.min.js", echarts_script()});
  EXPECT_EQ(scripts.size(), 11u);
  for (const Script& script : scripts) {
    EXPECT_GT(script.text.size(), 500u) << script.name;
    EXPECT_EQ(lower(script.text).find("</script"), std::string::npos) << script.name;
    EXPECT_EQ(script.text.find("<!--"), std::string::npos) << script.name;
    // The policy's hash is over the text as the browser reads it: line ends must not be rewritten.
    EXPECT_EQ(script.text.find('\r'), std::string::npos) << script.name;
  }
  EXPECT_EQ(lower(style_sheet()).find("</style"), std::string::npos);
  EXPECT_GT(echarts_script().size(), 1'000'000u);
}

}  // namespace
}  // namespace eddy::report
