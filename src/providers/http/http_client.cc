#include "providers/http/http_client.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <new>
#include <optional>
#include <utility>

#include "providers/http/http_transfer.h"
#include "providers/http/url.h"

namespace vecframe::providers {
namespace {

constexpr int kPollMilliseconds = 100;  // how late a cancellation may be noticed

CURLcode perform(CURLM* multi, CURL* easy, const CancellationToken* cancellation) {
  struct Added {
    CURLM* multi;
    CURL* easy;
    ~Added() { curl_multi_remove_handle(multi, easy); }
  };
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) throw std::bad_alloc();
  const Added added{multi, easy};
  for (int running = 1; running > 0;) {
    if (cancellation != nullptr && cancellation->cancelled()) throw Cancelled();
    CURLMcode code = curl_multi_perform(multi, &running);
    if (code == CURLM_OK && running > 0)
      code = curl_multi_poll(multi, nullptr, 0, kPollMilliseconds, nullptr);
    if (code != CURLM_OK)
      throw HttpError(HttpError::Kind::kNetwork,
                      fmt::format("libcurl: {}", curl_multi_strerror(code)));
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE && message->easy_handle == easy) return message->data.result;
  }
  return CURLE_GOT_NOTHING;
}

}  // namespace

struct HttpClient::Connections {
  MultiHandle multi = make_multi();
};

HttpClient::HttpClient(HttpOptions options, const CancellationToken* cancellation)
    : options_(std::move(options)),
      cancellation_(cancellation),
      connections_(std::make_unique<Connections>()) {}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::exchange(const HttpRequest& request, HttpBody* body) {
  using Kind = HttpError::Kind;
  const std::optional<Origin> home = origin_of(request.url);
  if (!home)
    throw HttpError(Kind::kProtocol,
                    fmt::format("{} is not an http or https URL", shown_url(request.url)));
  std::string url = request.url;
  Origin at = *home;
  // Once away, the secrets stay away, even if a redirect leads back.
  bool with_secrets = true;
  HttpResponse response;
  for (int redirects = 0;; ++redirects) {
    HttpTransfer transfer(options_, request, url, with_secrets, body, std::move(response));
    const CURLcode code = perform(connections_->multi.get(), transfer.easy(), cancellation_);
    response = transfer.finish(code);
    if (!response.is_redirect() || request.method == HttpRequest::Method::kPost) return response;
    const std::optional<std::string> next = resolve_url(url, response.header("location"));
    const std::optional<Origin> there = next ? origin_of(*next) : std::nullopt;
    if (!there)
      throw HttpError(Kind::kProtocol,
                      fmt::format("{}: redirects to what is no http or https URL", shown_url(url)));
    if (*there != *home && !request.follow_to_other_origins) return response;
    if (at.scheme == "https" && there->scheme == "http")
      throw HttpError(Kind::kProtocol,
                      fmt::format("{}: redirects from https to http", shown_url(url)));
    if (redirects == options_.max_redirects)
      throw HttpError(Kind::kProtocol, fmt::format("{}: more than {} redirects",
                                                   shown_url(request.url), options_.max_redirects));
    with_secrets = with_secrets && *there == *home;
    url = *next;
    at = *there;
    std::erase_if(response.headers,
                  [](const auto& header) { return !header.first.starts_with("x-"); });
  }
}

HttpResponse HttpClient::exchange_text(const HttpRequest& request, std::size_t max_bytes,
                                       std::string& text) {
  text.clear();
  TextBody body(max_bytes, text);
  return exchange(request, &body);
}

}  // namespace vecframe::providers
