// A generator of numbers that is the same on every machine: the standard library's distributions are not.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace shop {

class Random {
 public:
  // Independent of every other (topic, number): a change to one part of the world does not stir the others.
  Random(std::uint64_t seed, std::string_view topic, std::uint64_t number)
      : state_(seed * 0x9e3779b97f4a7c15ULL) {
    for (const char letter : topic) state_ = (state_ ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
    state_ ^= number * 0xd6e8feb86659fd93ULL;
    next();
  }

  std::uint64_t next() {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  double share() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // 0 ≤ x < 1
  int below(int limit) { return static_cast<int>(next() % static_cast<std::uint64_t>(limit)); }
  int between(int low, int high) { return low + below(high - low + 1); }  // both included
  bool chance(double probability) { return share() < probability; }

  template <class List>
  const auto& pick(const List& list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(std::size(list))))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace shop
