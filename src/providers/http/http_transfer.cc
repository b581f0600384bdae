#include "providers/http/http_transfer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include "providers/http/http_error.h"
#include "providers/http/url.h"

namespace vecframe::providers {
namespace {

constexpr std::size_t kMaxDiscarded = 64 << 10;

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
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      kind = Kind::kUntrusted;
      break;
    default:
      break;
  }
  const std::optional<Origin> origin = origin_of(url);
  const std::string where = kind == Kind::kConnect && origin ? origin->host : shown_url(url);
  return {kind, fmt::format("{}: {}", where, curl_easy_strerror(code))};
}

}  // namespace

MultiHandle make_multi() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  MultiHandle multi(curl_multi_init());
  if (!multi) throw std::bad_alloc();
  return multi;
}

HttpTransfer::HttpTransfer(const HttpOptions& options, const HttpRequest& request,
                           const std::string& url, bool with_secrets, HttpBody* body,
                           HttpResponse inherited)
    : options_(options),
      request_(request),
      url_(url),
      body_(body),
      inherited_(std::move(inherited)),
      easy_(curl_easy_init()) {
  if (!easy_) throw std::bad_alloc();
  configure(with_secrets);
}

HttpResponse HttpTransfer::finish(CURLcode code) {
  if (thrown_) std::rethrow_exception(thrown_);
  if (too_many_headers_)
    throw HttpError(HttpError::Kind::kProtocol,
                    fmt::format("{}: more than {} bytes of headers", shown_url(url_),
                                options_.max_header_bytes));
  if (code != CURLE_OK && !body_refused_) throw to_error(code, url_);
  finish_headers();
  if (try_later(response_.status) && !request_.any_status)
    throw HttpError(
        HttpError::Kind::kStatus,
        fmt::format("{}: the server answers with status {}", shown_url(url_), response_.status),
        parse_retry_after(response_.header("retry-after")));
  if (wants_body() && !begun_ && request_.method != HttpRequest::Method::kHead)
    body_->begin(response_);
  return std::move(response_);
}

template <class Value>
void HttpTransfer::set(CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy_.get(), option, value); code != CURLE_OK)
    throw HttpError(HttpError::Kind::kProtocol,
                    fmt::format("libcurl: {}", curl_easy_strerror(code)));
}

void HttpTransfer::add_line(const std::string& line) {
  curl_slist* longer = curl_slist_append(lines_.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)lines_.release();
  lines_.reset(longer);
}

void HttpTransfer::configure(bool with_secrets) {
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);  // by HttpClient, which knows whose the secrets are
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options_.low_speed));
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.low_speed_time.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_timeout.count()));
  set(CURLOPT_NOPROGRESS, 1L);
  set(CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  if (request_.method == HttpRequest::Method::kHead) set(CURLOPT_NOBODY, 1L);
  if (request_.method == HttpRequest::Method::kPost) configure_upload();
  // Checksums and sizes are of the bytes as stored, and nothing unpacks to more than was sent.
  add_line("Accept-Encoding: identity");
  if (request_.range_bytes > 0) {
    add_line(fmt::format("Range: bytes={}-{}", request_.range_start,
                         request_.range_start + request_.range_bytes - 1));
  } else if (request_.range_start > 0) {
    add_line(fmt::format("Range: bytes={}-", request_.range_start));
  }
  if (with_secrets) {
    if (!request_.token.empty()) add_line("Authorization: Bearer " + request_.token);
    for (const std::string& line : request_.secret_lines) add_line(line);
  }
  set(CURLOPT_HTTPHEADER, lines_.get());
  set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // no secrets for a proxy
}

void HttpTransfer::configure_upload() {
  curl_off_t bytes = 0;
  for (const auto& part : request_.upload) bytes += static_cast<curl_off_t>(part->size());
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, bytes);
  set(CURLOPT_READFUNCTION, &HttpTransfer::on_read);
  set(CURLOPT_READDATA, this);
  // libcurl reads again from the start when a kept connection turns out to be closed.
  set(CURLOPT_SEEKFUNCTION, &HttpTransfer::on_seek);
  set(CURLOPT_SEEKDATA, this);
  add_line("Content-Type: " + request_.content_type);
  // Many servers leave a question whether to send unanswered, which costs a second.
  add_line("Expect:");
}

bool HttpTransfer::wants_body() const {
  return body_ != nullptr &&
         (request_.any_status || (response_.status >= 200 && response_.status < 300));
}

void HttpTransfer::finish_headers() {
  if (finished_) return;
  finished_ = true;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  response_.headers.insert(inherited_.headers.begin(), inherited_.headers.end());
}

void HttpTransfer::take_header(std::string_view line) {
  header_bytes_ += static_cast<std::int64_t>(line.size());
  if (line.starts_with("HTTP/")) response_.headers.clear();  // after a 1xx answer
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name = trimmed(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  response_.headers.insert_or_assign(std::move(name), trimmed(line.substr(colon + 1)));
}

std::size_t HttpTransfer::read_upload(char* to, std::size_t most) {
  while (upload_part_ < request_.upload.size()) {
    const std::string& part = *request_.upload[upload_part_];
    if (const std::size_t left = part.size() - upload_offset_; left > 0) {
      const std::size_t bytes = std::min(left, most);
      std::memcpy(to, part.data() + upload_offset_, bytes);
      upload_offset_ += bytes;
      return bytes;
    }
    ++upload_part_;
    upload_offset_ = 0;
  }
  return 0;
}

bool HttpTransfer::seek_upload(std::int64_t position) {
  upload_part_ = 0;
  upload_offset_ = 0;
  for (const auto& part : request_.upload) {
    const auto size = static_cast<std::int64_t>(part->size());
    if (position <= size) {
      upload_offset_ = static_cast<std::size_t>(position);
      return true;
    }
    position -= size;
    ++upload_part_;
  }
  return position == 0;
}

// Exceptions must not cross libcurl, which is C: they wait in thrown_.
std::size_t HttpTransfer::on_header(char* data, std::size_t size, std::size_t count,
                                    void* user) noexcept {
  auto& self = *static_cast<HttpTransfer*>(user);
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

std::size_t HttpTransfer::on_body(char* data, std::size_t size, std::size_t count,
                                  void* user) noexcept {
  auto& self = *static_cast<HttpTransfer*>(user);
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

std::size_t HttpTransfer::on_read(char* to, std::size_t size, std::size_t count,
                                  void* user) noexcept {
  return static_cast<HttpTransfer*>(user)->read_upload(to, size * count);
}

int HttpTransfer::on_seek(void* user, curl_off_t offset, int origin) noexcept {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  return static_cast<HttpTransfer*>(user)->seek_upload(offset) ? CURL_SEEKFUNC_OK
                                                               : CURL_SEEKFUNC_FAIL;
}

}  // namespace vecframe::providers
