// When to ask again, and how long to wait before.
#pragma once

#include <vecframe/error.h>

#include <chrono>
#include <random>

#include "base/cancellation.h"
#include "providers/http/http_error.h"

namespace vecframe::providers {

struct RetryPolicy {
  int attempts = 5;
  /// Where nobody answers, waiting rarely helps, and a user at a terminal wants to know.
  int connect_attempts = 2;
  std::chrono::milliseconds first_delay{500};  ///< doubles with every attempt
  std::chrono::milliseconds max_delay{8000};
  /// A server that wants a longer pause gets none: its answer becomes the error.
  std::chrono::seconds max_retry_after{120};
};

/// The attempts at one request.
class RetrySchedule {
 public:
  /// `cancellation` may be null.
  RetrySchedule(const RetryPolicy& policy, const CancellationToken* cancellation);

  /// After a failed attempt: waits and returns if there is another one to make, otherwise throws
  /// `error` again. Throws Cancelled as soon as the token fires.
  void wait_or_throw(const HttpError& error);
  /// The last attempt got somewhere: the count starts again.
  void made_progress() { failures_ = 0; }

 private:
  RetryPolicy policy_;
  const CancellationToken* cancellation_;
  int failures_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

/// attempt(), again while it throws transient errors and the policy allows.
template <class Attempt>
auto with_retries(const RetryPolicy& policy, const CancellationToken* cancellation,
                  Attempt attempt) {
  RetrySchedule schedule(policy, cancellation);
  for (;;) {
    try {
      return attempt();
    } catch (const HttpError& error) {
      schedule.wait_or_throw(error);
    }
  }
}

}  // namespace vecframe::providers
