#include "providers/http/fetch_url.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/row_error.h"
#include "providers/http/http_client.h"
#include "providers/http/retry.h"

namespace vecframe::providers {
namespace {

// What ends an exchange early: the row's error.
struct Refused {
  RowError error;
};

class Body final : public HttpBody {
 public:
  explicit Body(const std::function<bool(std::int64_t)>& reserve) : reserve_(reserve) {}

  void begin(const HttpResponse& response) override {
    bytes_.clear();
    std::int64_t length = kUnknownLength;
    const std::string text = response.header("content-length");
    if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), length);
    limit_ = std::clamp<std::int64_t>(length, 0, std::int64_t{1} << 40);
    if (!reserve_(limit_))
      throw Refused{{Stage::kRead, ErrorCode::kOverBudget, "the answer is too large"}};
    bytes_.reserve(static_cast<std::size_t>(text.empty() ? 0 : limit_));
  }

  void write(std::span<const std::byte> bytes) override {
    if (static_cast<std::int64_t>(bytes_.size() + bytes.size()) > limit_)
      throw Refused{{Stage::kRead, ErrorCode::kOverBudget,
                     "the answer is longer than " + std::to_string(limit_) + " bytes"}};
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  const std::function<bool(std::int64_t)>& reserve_;
  std::int64_t limit_ = 0;
  std::vector<std::byte> bytes_;
};

RowError status_error(int status) {
  const std::string message = "the server answers " + std::to_string(status);
  if (status == 404 || status == 410) return {Stage::kRead, ErrorCode::kNotFound, message};
  if (status == 401 || status == 403) return {Stage::kRead, ErrorCode::kPermissionDenied, message};
  return {Stage::kRead, ErrorCode::kIoError, message};
}

// Connections stay open between the requests of a thread, as long as the run.
HttpClient& client_of_thread(const CancellationToken& cancellation) {
  struct Kept {
    const CancellationToken* token = nullptr;
    std::unique_ptr<HttpClient> client;
  };
  thread_local Kept kept;
  if (kept.token != &cancellation) {
    kept.client = std::make_unique<HttpClient>(HttpOptions(), &cancellation);
    kept.token = &cancellation;
  }
  return *kept.client;
}

}  // namespace

Result<std::vector<std::byte>> fetch_url(const std::string& url,
                                         const std::function<bool(std::int64_t)>& reserve,
                                         const CancellationToken& cancellation) {
  HttpRequest request;
  request.url = url;
  try {
    return with_retries(RetryPolicy(), &cancellation, [&]() -> Result<std::vector<std::byte>> {
      Body body(reserve);
      const HttpResponse response = client_of_thread(cancellation).exchange(request, &body);
      if (response.status / 100 != 2) return status_error(response.status);
      return body.take();
    });
  } catch (const Refused& refused) {
    return refused.error;
  } catch (const HttpError& error) {
    return RowError{Stage::kRead, ErrorCode::kIoError, error.what()};
  }
}

}  // namespace vecframe::providers
