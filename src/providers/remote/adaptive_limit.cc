#include "providers/remote/adaptive_limit.h"

#include <algorithm>

namespace vecframe::providers {
namespace {

constexpr int kStart = 4;

}  // namespace

AdaptiveLimit::AdaptiveLimit(int most) : most_(std::max(most, 1)) {}

std::int64_t AdaptiveLimit::begin() {
  ++in_flight_;
  return window_;
}

void AdaptiveLimit::end(std::int64_t window, Outcome outcome) {
  --in_flight_;
  if (outcome == Outcome::kSuccess) {
    overloads_in_a_row_ = 0;
    if (successes_++ == 0) {
      limit_ = std::min(kStart, most_);
      clean_ = 0;
    } else if (window == window_ && ++clean_ >= limit_ && limit_ < most_) {
      ++limit_;
      clean_ = 0;
    }
  } else if (outcome == Outcome::kOverloaded && window == window_) {
    ++overloads_in_a_row_;
    limit_ = std::max(1, limit_ / 2);
    clean_ = 0;
    ++window_;
  }
}

void AdaptiveLimit::keep_quiet_until(TimePoint time) {
  quiet_until_ = std::max(quiet_until_, time);
}

}  // namespace vecframe::providers
