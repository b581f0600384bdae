// Time of the calling thread: on the wall, or only while it held a core.
#pragma once

#include <ctime>

namespace vecframe::benchmarks {

/// kThread leaves out what other programs took of a shared machine. The threads measured here never
/// wait, so on a quiet machine both say the same.
enum class ClockKind { kWall, kThread };

inline double now_seconds(ClockKind kind) {
  timespec time{};
  clock_gettime(kind == ClockKind::kWall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace vecframe::benchmarks
