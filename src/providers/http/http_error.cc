#include "providers/http/http_error.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <ctime>

namespace vecframe::providers {

std::optional<std::chrono::seconds> parse_retry_after(const std::string& value) {
  std::int64_t seconds = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, seconds);
  if (!value.empty() && error == std::errc() && stop == end && seconds >= 0)
    return std::chrono::seconds(seconds);
  const std::time_t date = curl_getdate(value.c_str(), nullptr);
  if (date < 0) return {};
  return std::chrono::seconds(std::max<std::int64_t>(0, date - std::time(nullptr)));
}

}  // namespace vecframe::providers
