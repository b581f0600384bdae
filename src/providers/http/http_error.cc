#include "providers/http/http_error.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

namespace vecframe::providers {

std::optional<std::chrono::milliseconds> parse_retry_after(const std::string& value) {
  using std::chrono::milliseconds;
  constexpr double longest = std::chrono::duration<double>(kLongestRetryAfter).count();
  double seconds = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, seconds);
  if (!value.empty() && stop == end && error != std::errc::invalid_argument) {
    // Where there are more digits than a double has room for, `seconds` stays as it was.
    if (error == std::errc::result_out_of_range) seconds = longest;
    if (!(seconds >= 0)) return {};
    return milliseconds(std::llround(std::min(seconds, longest) * 1000));
  }
  const std::time_t date = curl_getdate(value.c_str(), nullptr);
  if (date < 0) return {};
  const std::chrono::seconds wait(std::max<std::int64_t>(0, date - std::time(nullptr)));
  return std::min<milliseconds>(wait, kLongestRetryAfter);
}

}  // namespace vecframe::providers
