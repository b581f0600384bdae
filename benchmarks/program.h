// What the programs of this folder share: how they end, and the middle of what they measured.
#pragma once

#include <algorithm>
#include <cstdio>
#include <exception>
#include <vector>

namespace vecframe::benchmarks {

/// The exit status of `run`; 1 and a line on stderr for what it throws.
inline int run_program(const char* name, int (*run)(int, char**), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

/// Of one value at least; the upper one of an even number.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace vecframe::benchmarks
