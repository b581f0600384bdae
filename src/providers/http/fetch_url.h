// Pictures of a column of URLs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/result.h"

namespace vecframe::providers {

/// The largest answer that is taken where the server does not say its length.
inline constexpr std::int64_t kUnknownLength = std::int64_t{20} << 20;

/// The body of a GET, with a few retries of what may pass. `reserve` is asked for the bytes before
/// they come: the length the server says, or kUnknownLength. Errors (stage read): not_found,
/// permission_denied, over_budget, io_error. Thread-safe.
Result<std::vector<std::byte>> fetch_url(const std::string& url,
                                         const std::function<bool(std::int64_t)>& reserve,
                                         const CancellationToken& cancellation);

}  // namespace vecframe::providers
