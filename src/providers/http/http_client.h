// Exchanges one after the other, with every quantity bounded and every secret kept to its origin.
// HttpEngine has many at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/cancellation.h"
#include "providers/http/http_error.h"
#include "providers/http/http_message.h"

namespace vecframe::providers {

/// Keeps connections open between requests. One thread at a time.
class HttpClient {
 public:
  /// `cancellation` may be null; otherwise it outlives the client.
  HttpClient(HttpOptions options, const CancellationToken* cancellation);
  ~HttpClient();

  /// One request with its redirects, without retries. Answers of 408, 429 and 5xx are thrown as
  /// HttpError unless the request says any_status; every other status is returned. Bodies of other
  /// answers than 2xx are not read.
  /// Throws HttpError or Cancelled.
  HttpResponse exchange(const HttpRequest& request, HttpBody* body = nullptr);
  /// A small answer as text; `text` stays empty unless the status is 2xx. A longer body than
  /// `max_bytes` is an error.
  HttpResponse exchange_text(const HttpRequest& request, std::size_t max_bytes, std::string& text);

 private:
  struct Connections;

  HttpOptions options_;
  const CancellationToken* cancellation_;
  std::unique_ptr<Connections> connections_;
};

}  // namespace vecframe::providers
