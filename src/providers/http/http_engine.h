// Many exchanges at a time on one thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/cancellation.h"
#include "providers/http/http_error.h"
#include "providers/http/http_message.h"

namespace vecframe::providers {

/// What became of a request: an answer of whatever status, or why there is none.
struct HttpOutcome {
  HttpResponse response;
  std::string body;
  std::optional<HttpError> error;
  bool cancelled = false;
};

struct HttpEngineOptions {
  HttpOptions http;
  /// Requests that wait or are under way.
  std::size_t capacity = 64;
  /// Connections to one host, kept for the next request. HTTP/1.1: large uploads side by side share
  /// a connection of HTTP/2 badly.
  long connections_per_host = 64;
};

/// Thread-safe. Redirects are not followed: they are answers. No retries.
class HttpEngine {
 public:
  using Clock = std::chrono::steady_clock;
  /// Called once, on the engine's thread or from the destructor; may submit, must not throw.
  using Completion = std::function<void(HttpOutcome)>;

  /// `cancellation` may be null; otherwise it outlives the engine, and as soon as it is raised
  /// every request ends as cancelled. `on_time` is called on the engine's thread when wake_at()
  /// asks for it, and once after the cancellation.
  HttpEngine(HttpEngineOptions options, const CancellationToken* cancellation,
             std::function<void()> on_time = {});
  /// Ends what is under way as cancelled.
  ~HttpEngine();

  /// Begins an exchange. Of a 2xx answer with a longer body than `max_body` nothing is kept and the
  /// outcome is an error; of other answers the first 64 KiB are kept. False, and no completion, if
  /// the engine is full.
  [[nodiscard]] bool submit(HttpRequest request, std::size_t max_body, Completion done);
  /// Calls on_time once at `time` or soon after; of several times that are asked for the first one
  /// counts.
  void wake_at(Clock::time_point time);

 private:
  struct Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace vecframe::providers
