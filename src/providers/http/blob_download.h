// One file of the hub into the cache: resumed where an earlier attempt ended, and believed only
// with its checksum.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/cancellation.h"
#include "providers/http/http_client.h"
#include "providers/http/retry.h"

namespace vecframe::providers {

struct BlobSource {
  std::string name;  ///< for messages
  std::string url;
  std::string token;  ///< for the origin of `url` alone
  std::string etag;   ///< 40 or 64 hexadecimal digits
  std::int64_t size = 0;
};

/// Brings `source` to `blob`, through `blob`.incomplete beside it, under the lock file `lock`. Does
/// nothing if `blob` is there in its full size. `progress` (may be empty) gets the bytes that are
/// there so far; they fall to 0 where the server cannot resume. Throws HttpError, HubError,
/// Cancelled; after all but a wrong checksum the incomplete file stays, for the next attempt.
void download_blob(HttpClient& client, const RetryPolicy& retry, const BlobSource& source,
                   const std::filesystem::path& blob, const std::filesystem::path& lock,
                   const std::function<void(std::int64_t)>& progress,
                   const CancellationToken* cancellation);

}  // namespace vecframe::providers
