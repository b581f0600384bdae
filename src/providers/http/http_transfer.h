// One request and its answer on a libcurl handle, without redirects. For HttpClient and HttpEngine,
// which drive it.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "providers/http/http_message.h"

namespace vecframe::providers {

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using EasyHandle = std::unique_ptr<CURL, FreeEasy>;
using MultiHandle = std::unique_ptr<CURLM, FreeMulti>;

/// Makes libcurl ready for this process first, if it is not.
MultiHandle make_multi();

/// All that it refers to outlives it. Does not move: libcurl knows its address.
class HttpTransfer {
 public:
  /// `body` may be null. `inherited`: what came before on the way of redirects.
  HttpTransfer(const HttpOptions& options, const HttpRequest& request, const std::string& url,
               bool with_secrets, HttpBody* body, HttpResponse inherited = {});
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  CURL* easy() const { return easy_.get(); }
  /// The answer, once libcurl is done with easy(). Throws HttpError, also for the statuses 408,
  /// 429 and 5xx unless HttpRequest::any_status, and what the body threw.
  HttpResponse finish(CURLcode code);

 private:
  void configure(bool with_secrets);
  void configure_upload();
  void add_line(const std::string& line);
  template <class Value>
  void set(CURLoption option, Value value);
  bool wants_body() const;
  void finish_headers();
  void take_header(std::string_view line);
  std::size_t read_upload(char* to, std::size_t most);
  bool seek_upload(std::int64_t position);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                               void* user) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) noexcept;
  static std::size_t on_read(char* to, std::size_t size, std::size_t count, void* user) noexcept;
  static int on_seek(void* user, curl_off_t offset, int origin) noexcept;

  const HttpOptions& options_;
  const HttpRequest& request_;
  const std::string url_;
  HttpBody* body_;
  HttpResponse inherited_;
  HttpResponse response_;
  std::unique_ptr<curl_slist, FreeList> lines_;
  EasyHandle easy_;
  std::size_t upload_part_ = 0, upload_offset_ = 0;  // what libcurl reads next
  std::int64_t header_bytes_ = 0;
  bool finished_ = false;
  bool begun_ = false;
  bool body_refused_ = false;
  std::size_t discarded_ = 0;
  bool too_many_headers_ = false;
  std::exception_ptr thrown_;
};

}  // namespace vecframe::providers
