// eddy_fuzz_… [--rounds N] [--seed S] [FILE…]: the seeds as they are, then N mutations of them; or only the
// files. What is being tried stands in a file of the working folder, so that a crash leaves its input behind.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "target.h"

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

const std::vector<std::string>& tokens() {
  static const std::vector<std::string> all = {"null",
                                               "true",
                                               "false",
                                               "[]",
                                               "{}",
                                               "\"\"",
                                               "0",
                                               "-1",
                                               "1e999",
                                               "9223372036854775808",
                                               "\"id\":",
                                               "success",
                                               "status",
                                               "\xff\xfe",
                                               std::string(1, '\0'),
                                               "{{",
                                               "}}",
                                               "{row.key}",
                                               "&a ",
                                               "*a",
                                               "<<: *a",
                                               "\n",
                                               "  ",
                                               "- ",
                                               "each: ",
                                               "/~2",
                                               std::string(3000, '['),
                                               std::string(500, '{')};
  return all;
}

std::string mutated(std::string text, const std::vector<std::string>& all, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
  for (std::size_t n = 1 + below(4); n > 0; --n) {
    const std::size_t at = below(text.size() + 1),
                      length = below(std::min<std::size_t>(text.size() - at, 40) + 1);
    switch (below(8)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(below(text.size() + 1), below(60)));
        break;
      case 2:
        text.insert(at, tokens()[below(tokens().size())]);
        break;
      case 3:
        text.replace(at, length, tokens()[below(tokens().size())]);
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 5:
        text.resize(at);  // cut
        break;
      case 6: {
        const std::string& other = all[below(all.size())];
        text.replace(at, length, other.substr(below(other.size() + 1), below(200)));
        break;
      }
      default:  // a number becomes another one
        for (std::size_t i = at; i < text.size() && i < at + 40; ++i)
          if (text[i] >= '0' && text[i] <= '9') {
            text[i] = static_cast<char>('0' + below(10));
            break;
          }
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t rounds = 10'000, seed = 1;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--rounds" && i + 1 < argc)
      rounds = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "--seed" && i + 1 < argc)
      seed = std::strtoull(argv[++i], nullptr, 10);
    else
      files.push_back(word);
  }
  if (!files.empty()) {
    for (const std::string& file : files) {
      std::ifstream in(file, std::ios::binary);
      run({std::istreambuf_iterator<char>(in), {}});
    }
    return 0;
  }
  const std::vector<std::string> all = eddy::fuzz::seeds();
  if (all.empty()) {
    std::fputs("there are no seeds\n", stderr);
    return 1;
  }
  const std::string kept = std::string(argv[0]) + ".input";
  const auto remembered = [&](const std::string& input) {
    std::ofstream(kept, std::ios::binary) << input;
    run(input);
  };
  for (const std::string& input : all) remembered(input);
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < rounds; ++i) remembered(mutated(all[random() % all.size()], all, random));
  std::remove(kept.c_str());
  std::printf("%zu seeds, %llu mutations\n", all.size(), static_cast<unsigned long long>(rounds));
  return 0;
}
