// How many requests a server gets at a time, and when it gets none. No threads and no clock: the
// caller has both.
#pragma once

#include <chrono>
#include <cstdint>

namespace vecframe::providers {

/// Grows by one after every window of as many successes, halves when the server is overloaded. The
/// first request goes alone: a wrong key costs one. Not thread-safe.
class AdaptiveLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit AdaptiveLimit(int most);

  bool may_send(TimePoint now) const { return in_flight_ < limit_ && now >= quiet_until_; }
  /// Counts a request as in flight. What it returns goes into end().
  [[nodiscard]] std::int64_t begin();

  enum class Outcome : std::uint8_t {
    kSuccess,
    kOverloaded,  ///< 429, 503, a time-out: less would have been better
    kOther,       ///< says nothing of the load
  };
  /// Requests that began before the limit was halved do not halve it again.
  void end(std::int64_t window, Outcome outcome);

  /// Nothing is sent before `time`; an earlier time than before changes nothing.
  void keep_quiet_until(TimePoint time);
  TimePoint quiet_until() const { return quiet_until_; }

  int limit() const { return limit_; }
  int in_flight() const { return in_flight_; }
  /// Successes so far.
  std::int64_t successes() const { return successes_; }
  /// Overloads since the last success.
  int overloads_in_a_row() const { return overloads_in_a_row_; }

 private:
  const int most_;
  int limit_ = 1;
  int in_flight_ = 0;
  int clean_ = 0;  // successes since the limit changed
  std::int64_t window_ = 0;
  std::int64_t successes_ = 0;
  int overloads_in_a_row_ = 0;
  TimePoint quiet_until_{};
};

}  // namespace vecframe::providers
