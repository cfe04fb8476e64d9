// The guide to connector.yml: every word that the file may use is explained there.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "connectors/declarative/spec.h"
#include "core/files.h"
#include "core/text.h"

namespace eddy::connectors {
namespace {

void add_words_of(const config::Shape& shape, std::set<std::string>& out) {
  for (const config::Field& field : shape.fields()) {
    out.insert(field.name);
    add_words_of(*field.shape, out);
  }
  for (const config::Shape& child : shape.children()) add_words_of(child, out);
  for (const std::string& value : shape.values()) out.insert(value);
}

void add_words(std::string_view code, std::set<std::string>& out) {
  std::string word;
  for (const char c : std::string(code) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
    } else if (!word.empty()) {
      out.insert(std::exchange(word, ""));
    }
  }
}

// Of its text, only what stands in a block of YAML or between backticks.
std::set<std::string> words_in_code(const std::string& text) {
  std::set<std::string> out;
  bool block = false, yaml = false;
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with("```")) {
      block = !block;
      yaml = block && line == "```yaml";
    } else if (yaml) {
      add_words(line, out);
    } else if (!block) {
      const auto parts = split(line, '`');
      for (std::size_t i = 1; i < parts.size(); i += 2) add_words(parts[i], out);
    }
  }
  return out;
}

TEST(Guide, ExplainsEveryWord) {
  const auto guide =
      words_in_code(read_file(std::filesystem::path(EDDY_SOURCE_DIR) / "docs/guides/write-a-connector.md"));
  std::set<std::string> words;
  add_words_of(connector_shape(), words);
  EXPECT_GT(words.size(), 150U);
  for (const std::string& word : words) EXPECT_TRUE(guide.contains(word)) << "not in the guide: " << word;
}

}  // namespace
}  // namespace eddy::connectors
