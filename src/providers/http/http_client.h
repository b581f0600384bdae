// GET and HEAD over libcurl, with every quantity bounded and every secret kept to its origin.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/cancellation.h"
#include "providers/http/http_error.h"

namespace vecframe::providers {

struct HttpOptions {
  std::chrono::milliseconds connect_timeout{10'000};
  /// A transfer slower than this many bytes a second, for so long, is given up.
  std::int64_t low_speed = 1024;
  std::chrono::seconds low_speed_time{30};
  int max_redirects = 6;
  std::int64_t max_header_bytes = 64 << 10;  ///< of one answer, all lines
  std::string user_agent = "vecframe";
  std::string ca_file;  ///< certificates to trust in place of the system's; empty: the system's
};

struct HttpRequest {
  enum class Method : std::uint8_t { kGet, kHead };
  Method method = Method::kGet;
  std::string url;
  /// Sent as bearer token to the origin of `url`; never after a redirect elsewhere.
  std::string token;
  std::int64_t range_start = 0;  ///< above 0: asks for the bytes from there on
  std::int64_t range_bytes = 0;  ///< above 0: asks for this many from range_start on
  /// If false, a redirect to another origin is not followed but returned.
  bool follow_to_other_origins = true;
};

struct HttpResponse {
  int status = 0;
  /// Names in lower case. Of the last answer, and where it is silent, the x-* headers of earlier
  /// answers on the way of redirects: a hub names a file's checksum where it redirects.
  std::map<std::string, std::string, std::less<>> headers;
  bool is_redirect() const;
  /// Position of the first byte of a partial answer, by its Content-Range; nothing if it does not
  /// say.
  std::optional<std::int64_t> range_begin() const;
  /// "" if there is none.
  std::string header(std::string_view name) const;
};

/// Takes the body of a 2xx answer. What its methods throw ends the exchange and comes out of it.
class HttpBody {
 public:
  virtual ~HttpBody() = default;
  /// Once, before the first byte, also of an empty body.
  virtual void begin(const HttpResponse& response) = 0;
  virtual void write(std::span<const std::byte> bytes) = 0;
};

/// Keeps connections open between requests. One thread at a time.
class HttpClient {
 public:
  /// `cancellation` may be null; otherwise it outlives the client.
  HttpClient(HttpOptions options, const CancellationToken* cancellation);
  ~HttpClient();

  /// One request with its redirects, without retries. Answers of 408, 429 and 5xx are thrown as
  /// HttpError; every other status is returned. Bodies of other answers than 2xx are not read.
  /// Throws HttpError or Cancelled.
  HttpResponse exchange(const HttpRequest& request, HttpBody* body = nullptr);
  /// A small answer as text; `text` stays empty unless the status is 2xx. A longer body than
  /// `max_bytes` is an error.
  HttpResponse exchange_text(const HttpRequest& request, std::size_t max_bytes, std::string& text);

 private:
  class Transfer;
  struct Connections;

  HttpOptions options_;
  const CancellationToken* cancellation_;
  std::unique_ptr<Connections> connections_;
};

}  // namespace vecframe::providers
