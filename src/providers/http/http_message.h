// Requests and answers of HTTP, and the limits under which they are exchanged.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe::providers {

struct HttpOptions {
  std::chrono::milliseconds connect_timeout{10'000};
  /// A transfer slower than this many bytes a second, for so long, is given up.
  std::int64_t low_speed = 1024;
  std::chrono::seconds low_speed_time{30};
  /// Of one exchange from its first connection to its last byte; 0: as long as it is fast enough.
  std::chrono::milliseconds total_timeout{0};
  int max_redirects = 6;
  std::int64_t max_header_bytes = 64 << 10;  ///< of one answer, all lines
  std::string user_agent = "vecframe";
  std::string ca_file;  ///< certificates to trust in place of the system's; empty: the system's
};

/// Sent one after the other, from memory that others may hold too.
using HttpUpload = std::vector<std::shared_ptr<const std::string>>;

struct HttpRequest {
  enum class Method : std::uint8_t { kGet, kHead, kPost };
  Method method = Method::kGet;
  std::string url;
  /// Sent as bearer token to the origin of `url`; never after a redirect elsewhere.
  std::string token;
  /// More of what is only for that origin: "Name: value".
  std::vector<std::string> secret_lines;
  std::int64_t range_start = 0;  ///< above 0: asks for the bytes from there on
  std::int64_t range_bytes = 0;  ///< above 0: asks for this many from range_start on
  /// If false, a redirect to another origin is not followed but returned. One that answers a kPost
  /// is always returned.
  bool follow_to_other_origins = true;
  HttpUpload upload;         ///< of kPost
  std::string content_type;  ///< of kPost
  /// If true, no status is an error, and the body of every answer is taken.
  bool any_status = false;
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

/// Takes the body of a 2xx answer, or of any if HttpRequest::any_status. What its methods throw
/// ends the exchange and comes out of it.
class HttpBody {
 public:
  virtual ~HttpBody() = default;
  /// Once, before the first byte, also of an empty body.
  virtual void begin(const HttpResponse& response) = 0;
  virtual void write(std::span<const std::byte> bytes) = 0;
};

/// A short body as text.
class TextBody final : public HttpBody {
 public:
  /// A longer body than `max_bytes` is an HttpError.
  TextBody(std::size_t max_bytes, std::string& text) : max_bytes_(max_bytes), text_(text) {}
  void begin(const HttpResponse& response) override;
  void write(std::span<const std::byte> bytes) override;

 private:
  std::size_t max_bytes_;
  std::string& text_;
};

}  // namespace vecframe::providers
