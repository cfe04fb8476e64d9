// shop-data --seed 7 --out data            the source files of the example, as they are on day 1
// shop-data --seed 7 --out data --day 2    what is delivered the next day, over the files of day 1
#include <CLI/CLI.hpp>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

#include "files.h"
#include "world.h"

int main(int argc, char** argv) {
  CLI::App app{"Writes the source files of the example shop. The same seed gives the same bytes."};
  std::uint64_t seed = 7;
  int customers = 3000;
  int day = 1;
  std::string out;
  app.add_option("--seed", seed, "of the random numbers")->capture_default_str();
  app.add_option("--customers", customers, "how many there are on day 1")
      ->capture_default_str()
      ->check(CLI::Range(10, 9000));
  app.add_option("--day", day,
                 "1: everything; 2 and later: customers and tickets anew, and the new orders and usage")
      ->capture_default_str()
      ->check(CLI::Range(1, 60));
  app.add_option("--out", out, "folder to write to")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    shop::World world = shop::make_world(seed, customers);
    while (world.day < day) shop::next_day(world);
    shop::write_files(world, out);
  } catch (const std::exception& error) {
    std::cerr << "shop-data: " << error.what() << "\n";
    return 1;
  }
}
