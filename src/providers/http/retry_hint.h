// How long a server asks to wait before the next request, in the dialects that servers speak.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "providers/http/http_message.h"

namespace vecframe::providers {

/// The first of: retry-after-ms, Retry-After (seconds or a date), the x-ratelimit-reset* headers,
/// "retry after 55 s" in the sentence `message`. Negative or unreadable values say nothing; none is
/// longer than kLongestRetryAfter. For answers that refuse a request for now.
std::optional<std::chrono::milliseconds> retry_hint(const HttpResponse& response,
                                                    std::string_view message = {});

/// A duration such as "6m0s", "1.5s" or "20ms"; a bare number is seconds.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace vecframe::providers
