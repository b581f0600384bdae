#include "providers/http/http_client.h"

#include <curl/curl.h>
#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <exception>
#include <mutex>
#include <new>
#include <utility>

#include "providers/http/url.h"

namespace vecframe::providers {
namespace {

constexpr int kPollMilliseconds = 100;  // how late a cancellation may be noticed
constexpr std::size_t kMaxDiscarded = 64 << 10;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void add_line(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

bool try_later(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

// Curl's own sentences name hosts at most, but its buffer may quote an answer; the plain text of
// the code never does.
HttpError to_error(CURLcode code, const std::string& url) {
  using Kind = HttpError::Kind;
  Kind kind = Kind::kProtocol;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      kind = Kind::kConnect;
      break;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      kind = Kind::kNetwork;
      break;
    default:
      break;
  }
  const std::optional<Origin> origin = origin_of(url);
  const std::string where = kind == Kind::kConnect && origin ? origin->host : shown_url(url);
  return {kind, fmt::format("{}: {}", where, curl_easy_strerror(code))};
}

class TextBody final : public HttpBody {
 public:
  TextBody(std::size_t max_bytes, std::string& text) : max_bytes_(max_bytes), text_(text) {}
  void begin(const HttpResponse&) override { text_.clear(); }
  void write(std::span<const std::byte> bytes) override {
    if (bytes.size() > max_bytes_ - text_.size())
      throw HttpError(HttpError::Kind::kProtocol,
                      fmt::format("the answer is longer than {} bytes", max_bytes_));
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

 private:
  std::size_t max_bytes_;
  std::string& text_;
};

}  // namespace

bool HttpResponse::is_redirect() const {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::optional<std::int64_t> HttpResponse::range_begin() const {
  // "bytes 100-199/200"
  const std::string text = header("content-range");
  std::string_view value = text;
  constexpr std::string_view unit = "bytes ";
  if (!value.starts_with(unit)) return {};
  value.remove_prefix(unit.size());
  std::int64_t begin = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, begin);
  if (error != std::errc() || stop == end || *stop != '-') return {};
  return begin;
}

std::string HttpResponse::header(std::string_view name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

struct HttpClient::Connections {
  Connections() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi = curl_multi_init();
    if (multi == nullptr) throw std::bad_alloc();
  }
  ~Connections() { curl_multi_cleanup(multi); }
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  CURLM* multi = nullptr;
};

// One request and its answer, without redirects.
class HttpClient::Transfer {
 public:
  Transfer(const HttpOptions& options, HttpBody* body, HttpResponse inherited)
      : options_(options), body_(body), inherited_(std::move(inherited)) {}

  HttpResponse run(CURLM* multi, const HttpRequest& request, const std::string& url,
                   bool with_token, const CancellationToken* cancellation) {
    Easy easy(curl_easy_init());
    if (!easy) throw std::bad_alloc();
    easy_ = easy.get();
    HeaderList lines;
    configure(request, url, with_token, lines);
    const CURLcode code = perform(multi, cancellation);
    if (thrown_) std::rethrow_exception(thrown_);
    if (too_many_headers_)
      throw HttpError(HttpError::Kind::kProtocol,
                      fmt::format("{}: more than {} bytes of headers", shown_url(url),
                                  options_.max_header_bytes));
    if (code != CURLE_OK && !body_refused_) throw to_error(code, url);
    finish_headers();
    if (try_later(response_.status))
      throw HttpError(
          HttpError::Kind::kStatus,
          fmt::format("{}: the server answers with status {}", shown_url(url), response_.status),
          parse_retry_after(response_.header("retry-after")));
    if (wants_body() && !begun_ && request.method == HttpRequest::Method::kGet)
      body_->begin(response_);
    return std::move(response_);
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    if (const CURLcode code = curl_easy_setopt(easy_, option, value); code != CURLE_OK)
      throw HttpError(HttpError::Kind::kProtocol,
                      fmt::format("libcurl: {}", curl_easy_strerror(code)));
  }

  void configure(const HttpRequest& request, const std::string& url, bool with_token,
                 HeaderList& lines) {
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);  // by exchange(), which knows whose the token is
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
    set(CURLOPT_USERAGENT, options_.user_agent.c_str());
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options_.low_speed));
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.low_speed_time.count()));
    set(CURLOPT_NOPROGRESS, 1L);
    if (request.method == HttpRequest::Method::kHead) set(CURLOPT_NOBODY, 1L);
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_WRITEDATA, this);
    // Checksums and sizes are of the bytes as stored.
    add_line(lines, "Accept-Encoding: identity");
    if (request.range_bytes > 0) {
      add_line(lines, fmt::format("Range: bytes={}-{}", request.range_start,
                                  request.range_start + request.range_bytes - 1));
    } else if (request.range_start > 0) {
      add_line(lines, fmt::format("Range: bytes={}-", request.range_start));
    }
    if (with_token) add_line(lines, "Authorization: Bearer " + request.token);
    set(CURLOPT_HTTPHEADER, lines.get());
    set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // no token for a proxy
  }

  CURLcode perform(CURLM* multi, const CancellationToken* cancellation) {
    struct Added {
      CURLM* multi;
      CURL* easy;
      ~Added() { curl_multi_remove_handle(multi, easy); }
    };
    if (curl_multi_add_handle(multi, easy_) != CURLM_OK) throw std::bad_alloc();
    const Added added{multi, easy_};
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
      if (message->msg == CURLMSG_DONE && message->easy_handle == easy_)
        return message->data.result;
    }
    return CURLE_GOT_NOTHING;
  }

  bool wants_body() const {
    return body_ != nullptr && response_.status >= 200 && response_.status < 300;
  }

  void finish_headers() {
    if (finished_) return;
    finished_ = true;
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    response_.headers.insert(inherited_.headers.begin(), inherited_.headers.end());
  }

  void take_header(std::string_view line) {
    header_bytes_ += static_cast<std::int64_t>(line.size());
    if (line.starts_with("HTTP/")) response_.headers.clear();  // after a 1xx answer
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name = trimmed(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    response_.headers.insert_or_assign(std::move(name), trimmed(line.substr(colon + 1)));
  }

  // Exceptions must not cross libcurl, which is C: they wait in thrown_.
  static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                               void* user) noexcept {
    auto& self = *static_cast<Transfer*>(user);
    const std::size_t bytes = size * count;
    try {
      self.take_header({data, bytes});
    } catch (...) {
      self.thrown_ = std::current_exception();
      return 0;
    }
    self.too_many_headers_ = self.header_bytes_ > self.options_.max_header_bytes;
    return self.too_many_headers_ ? 0 : bytes;
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) noexcept {
    auto& self = *static_cast<Transfer*>(user);
    const std::size_t bytes = size * count;
    try {
      self.finish_headers();
      if (!self.wants_body()) {
        // Reading a short one to its end keeps the connection; a long one is not worth it.
        self.discarded_ += bytes;
        self.body_refused_ = self.discarded_ > kMaxDiscarded;
        return self.body_refused_ ? 0 : bytes;
      }
      if (!self.begun_) {
        self.begun_ = true;
        self.body_->begin(self.response_);
      }
      self.body_->write(std::as_bytes(std::span(data, bytes)));
    } catch (...) {
      self.thrown_ = std::current_exception();
      return 0;
    }
    return bytes;
  }

  const HttpOptions& options_;
  HttpBody* body_;
  HttpResponse inherited_;
  HttpResponse response_;
  CURL* easy_ = nullptr;
  std::int64_t header_bytes_ = 0;
  bool finished_ = false;
  bool begun_ = false;
  bool body_refused_ = false;
  std::size_t discarded_ = 0;
  bool too_many_headers_ = false;
  std::exception_ptr thrown_;
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
  // Once away, the token stays away, even if a redirect leads back.
  bool with_token = !request.token.empty();
  HttpResponse response;
  for (int redirects = 0;; ++redirects) {
    Transfer transfer(options_, body, std::move(response));
    response = transfer.run(connections_->multi, request, url, with_token, cancellation_);
    if (!response.is_redirect()) return response;
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
    with_token = with_token && *there == *home;
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
