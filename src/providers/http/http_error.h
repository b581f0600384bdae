// Why an HTTP exchange gave no answer that can be used.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace vecframe::providers {

/// what() names the origin or the shown_url(), never a query, a token or a body.
class HttpError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t {
    kConnect,    ///< nobody answers there: unknown host, refused, no route
    kNetwork,    ///< the connection broke, or stalled
    kStatus,     ///< the server says that it cannot answer now: 408, 429, 5xx
    kProtocol,   ///< the answer breaks a rule or a limit; asking again would not help
    kUntrusted,  ///< the server's certificate proves nothing
  };

  HttpError(Kind kind, const std::string& message,
            std::optional<std::chrono::milliseconds> retry_after = {})
      : std::runtime_error(message), kind_(kind), retry_after_(retry_after) {}

  Kind kind() const { return kind_; }
  /// Whether the same request may succeed a little later.
  bool transient() const { return kind_ <= Kind::kStatus; }
  /// How long the server asks to wait (Retry-After).
  std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }

 private:
  Kind kind_;
  std::optional<std::chrono::milliseconds> retry_after_;
};

/// The value of a Retry-After header, a number of seconds or a date; nothing if it is neither. A
/// date that has passed is 0, and nothing is longer than kLongestRetryAfter.
std::optional<std::chrono::milliseconds> parse_retry_after(const std::string& value);

inline constexpr std::chrono::hours kLongestRetryAfter{24 * 365};

}  // namespace vecframe::providers
