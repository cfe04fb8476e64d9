#include "scenarios/scenario.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/text.h"
#include "support/process.h"
#include "support/scratch.h"

namespace eddy::scenarios {
namespace {

// Words of a command line; '…' and "…" hold words with blanks together.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  bool open = false;
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      open = true;
    } else if (c == ' ') {
      if (open || !word.empty()) words.push_back(std::move(word));
      word.clear();
      open = false;
    } else {
      word += c;
    }
  }
  if (open || !word.empty()) words.push_back(std::move(word));
  return words;
}

std::string http_get(const std::string& url, long& status) {
  std::string body;
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(
      curl.get(), CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* to) {
        static_cast<std::string*>(to)->append(data, size * count);
        return size * count;
      });
  curl_easy_perform(curl.get());
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return body;
}

// Everything said in `expected` is in `actual`.
bool contains(const nlohmann::json& actual, const nlohmann::json& expected) {
  if (expected.is_object()) {
    if (!actual.is_object()) return false;
    for (const auto& [key, value] : expected.items())
      if (!actual.contains(key) || !contains(actual[key], value)) return false;
    return true;
  }
  if (expected.is_array()) {
    if (!actual.is_array() || actual.size() != expected.size()) return false;
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (!contains(actual[i], expected[i])) return false;
    return true;
  }
  return actual == expected;
}

class Player {
 public:
  std::string play(const std::vector<Step>& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const bool exit_expected = i + 1 < steps.size() && steps[i + 1].verb == "exit";
      if (std::string problem = perform(steps[i], exit_expected); !problem.empty())
        return fmt::format("line {}: {} {}\n{}", steps[i].line, steps[i].verb, steps[i].argument, problem);
    }
    return {};
  }

 private:
  std::string perform(const Step& step, bool exit_expected) {
    if (step.verb == "file")
      scratch_.write(step.argument, step.text);
    else if (step.verb == "append")
      std::ofstream(scratch_ / step.argument, std::ios::app | std::ios::binary) << step.text;
    else if (step.verb == "remove")
      std::filesystem::remove_all(scratch_ / step.argument);
    else if (step.verb == "env")
      environment_[step.argument.substr(0, step.argument.find('='))] =
          step.argument.substr(step.argument.find('=') + 1);
    else if (step.verb == "sandbox")
      start_sandbox(step.argument);
    else if (step.verb == "run")
      return run(step, exit_expected);
    else if (step.verb == "exit")
      return finished_.exit_code == std::stoi(step.argument) ? "" : unexpected_exit();
    else if (step.verb == "out")
      return matches_whole(step.text, finished_.out)
                 ? ""
                 : "stdout was\n" + finished_.out + "stderr was\n" + finished_.err;
    else if (step.verb == "err")
      return matches_parts(step.text, finished_.err) ? "" : "stderr was\n" + finished_.err;
    else if (step.verb == "get")
      return get(step.argument);
    else if (step.verb == "json")
      return contains(nlohmann::json::parse(answer_), nlohmann::json::parse(step.text))
                 ? ""
                 : "the answer was\n" + answer_;
    return {};
  }

  std::string unexpected_exit() const {
    return fmt::format("it exited with {}\nstdout:\n{}\nstderr:\n{}", finished_.exit_code, finished_.out,
                       finished_.err);
  }

  std::string run(const Step& step, bool exit_expected) {
    std::vector<std::string> argv = words_of(step.argument);
    if (argv[0] == "eddy" || argv[0] == "eddy-sandbox") argv[0] = testing::program(argv[0]).string();
    finished_ = testing::run(
        {.argv = argv, .directory = scratch_.path(), .environment = environment_, .input = step.text});
    answer_ = finished_.out;
    return finished_.exit_code == 0 || exit_expected ? "" : unexpected_exit();
  }

  void start_sandbox(const std::string& flags) {
    std::vector<std::string> argv = {testing::program("eddy-sandbox").string()};
    for (const char* service : {"salesforce", "hubspot", "marketo", "zendesk"}) {
      argv.push_back(fmt::format("--{}-port", service));
      argv.push_back("0");
    }
    for (std::string& word : words_of(flags)) argv.push_back(std::move(word));
    sandbox_.reset();
    sandbox_ = std::make_unique<testing::Background>(
        testing::Command{.argv = argv, .directory = scratch_.path()}, scratch_ / ".sandbox.log");
    sandbox_->wait_for("ready");
    for (const std::string& line : split(sandbox_->log(), '\n'))
      if (const auto space = line.find(" http://"); space != std::string::npos) {
        const std::string service = line.substr(0, space);
        urls_[service] = line.substr(space + 1);
        std::string name = service + "_URL";
        for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        environment_[name] = urls_[service];
      }
  }

  std::string get(const std::string& what) {
    const auto space = what.find(' ');
    long status = 0;
    answer_ = http_get(urls_[what.substr(0, space)] + what.substr(space + 1), status);
    return status == 200 ? "" : fmt::format("it answered {}: {}", status, answer_);
  }

  testing::Scratch scratch_;
  std::map<std::string, std::string> environment_ = {{"NO_COLOR", "1"}};
  std::unique_ptr<testing::Background> sandbox_;
  std::map<std::string, std::string> urls_;
  testing::Finished finished_;
  std::string answer_;
};

}  // namespace

std::string play(const std::filesystem::path& file) {
  try {
    return Player().play(read_scenario(read_file(file)));
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace eddy::scenarios
