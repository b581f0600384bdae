// What a hub says of one model: its files at a revision, and of each the size and the checksum.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "providers/http/blob_download.h"
#include "providers/http/http_client.h"
#include "providers/http/hub_error.h"
#include "providers/http/hub_files.h"
#include "providers/http/hub_settings.h"
#include "providers/http/retry.h"

namespace vecframe::providers {

/// What is downloaded just now. Comes on the calling thread, as often as data do.
struct HubProgress {
  std::string file;
  std::int64_t done = 0;      ///< bytes of all files that are in the cache by now
  std::int64_t total = 0;     ///< bytes of all files of the model; grows once when an index is read
  std::int64_t received = 0;  ///< bytes that came over the network in this call
};

struct HubOptions {
  HttpOptions http;
  RetryPolicy retry;
  bool with_tokenizer = false;  ///< a cached snapshot without one is not enough
  std::function<void(const HubProgress&)> progress;
  const CancellationToken* cancellation = nullptr;
};

/// What the hub says of a revision.
struct HubRevision {
  std::string commit;
  std::vector<std::string> files;
};
/// Reads the answer of /api/models/{id}/revision/{revision}. Throws HubError.
HubRevision parse_revision(const std::string& json);

/// choose_files() of a repository that can be used. Throws HubError for others.
HubFileChoice choose_usable_files(const HubRevision& revision);

/// Asks the hub about one model. One thread at a time.
class HubRepository {
 public:
  /// The arguments outlive the object.
  HubRepository(const HubId& id, const HubSettings& settings, const HubOptions& options);

  /// Throws HubError, HttpError, Cancelled, as all that asks.
  HubRevision ask_revision();
  /// Size and checksum, which the hub tells before it redirects to where the bytes are.
  BlobSource ask_file(const std::string& commit, const std::string& name);

  /// `error` as a sentence about this hub.
  HubError explain(const HttpError& error) const;
  HttpClient& client() { return client_; }

 private:
  std::string file_url(const std::string& commit, const std::string& name) const;
  void check(const HttpResponse& response) const;

  const HubId& id_;
  const HubSettings& settings_;
  const HubOptions& options_;
  HttpClient client_;
};

}  // namespace vecframe::providers
