// Work as a share of the FMA probe. Probe and work alternate on the same threads, because a shared
// machine changes its speed by the second; the median of the pairs' ratios is what is reported.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compute/clock.h"
#include "tensor/dtype.h"

namespace vecframe::benchmarks {

struct RatioOptions {
  std::string isa;
  tensor::Precision precision = tensor::Precision::kFp32;
  ClockKind clock = ClockKind::kWall;
  int threads = 1;
  int pairs = 9;
  double milliseconds = 60;  ///< of work a pair, at least one call
};

struct Ratio {
  double gflops = 0;          ///< median of the work, all threads together
  double probe = 0;           ///< median of the probe, all threads together
  double share = 0;           ///< median of work / probe of a pair
  double low = 0, high = 0;   ///< quartiles of that
  double calls_a_second = 0;  ///< median, all threads together
};

/// `work(thread)` is one call of `flops` floating-point operations.
Ratio measure(const RatioOptions& options, double flops, const std::function<void(int)>& work);

/// One line of a report, for people and for --json.
struct Line {
  std::string name;
  Ratio ratio;
};
void print(const std::vector<std::string>& notes, const std::vector<Line>& lines);
void write_json(const std::string& path, const std::vector<std::string>& notes,
                const std::vector<Line>& lines);

}  // namespace vecframe::benchmarks
