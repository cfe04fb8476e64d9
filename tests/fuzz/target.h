// A fuzz target: one function that eats any bytes, as libFuzzer and AFL++ call it, and what it is fed first.
// Built with clang and -DEDDY_LIBFUZZER=ON the fuzzer brings its own main(); otherwise driver.cpp mutates the
// seeds by itself, from a number, so that a failure can be repeated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Ends the program (std::abort) when a promise is broken; never returns anything but 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace eddy::fuzz {

std::vector<std::string> seeds();

}  // namespace eddy::fuzz
