#include "providers/http/retry.h"

#include <algorithm>
#include <thread>

namespace vecframe::providers {

RetrySchedule::RetrySchedule(const RetryPolicy& policy, const CancellationToken* cancellation)
    : policy_(policy), cancellation_(cancellation) {}

void RetrySchedule::wait_or_throw(const HttpError& error) {
  using std::chrono::milliseconds;
  ++failures_;
  const int attempts =
      error.kind() == HttpError::Kind::kConnect ? policy_.connect_attempts : policy_.attempts;
  if (!error.transient() || failures_ >= attempts) throw error;

  const milliseconds full =
      std::min(policy_.max_delay, policy_.first_delay * (1 << std::min(failures_ - 1, 16)));
  // Half of the delay is random, so that clients that failed together do not return together.
  milliseconds delay(
      std::uniform_int_distribution<milliseconds::rep>(full.count() / 2, full.count())(random_));
  if (error.retry_after()) {
    if (*error.retry_after() > policy_.max_retry_after) throw error;
    delay = std::max<milliseconds>(delay, *error.retry_after());
  }
  const auto until = std::chrono::steady_clock::now() + delay;
  while (std::chrono::steady_clock::now() < until) {
    if (cancellation_ != nullptr && cancellation_->cancelled()) throw Cancelled();
    std::this_thread::sleep_until(
        std::min(until, std::chrono::steady_clock::now() + milliseconds(50)));
  }
}

}  // namespace vecframe::providers
