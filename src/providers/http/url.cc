#include "providers/http/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>

namespace vecframe::providers {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using ParsedUrl = std::unique_ptr<CURLU, FreeUrl>;

ParsedUrl parse(const std::string& url) {
  ParsedUrl parsed(curl_url());
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  return parsed;
}

std::string part(const ParsedUrl& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_http(const ParsedUrl& url) {
  const std::string scheme = lower(part(url, CURLUPART_SCHEME));
  return scheme == "http" || scheme == "https";
}

}  // namespace

std::optional<Origin> origin_of(const std::string& url) {
  const ParsedUrl parsed = parse(url);
  if (!parsed || !is_http(parsed)) return {};
  Origin origin{lower(part(parsed, CURLUPART_SCHEME)), lower(part(parsed, CURLUPART_HOST)),
                part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if (origin.host.empty()) return {};
  return origin;
}

std::optional<std::string> resolve_url(const std::string& base, const std::string& location) {
  const ParsedUrl parsed = parse(base);
  // Setting a relative URL on a parsed one resolves it.
  if (!parsed || location.empty() ||
      curl_url_set(parsed.get(), CURLUPART_URL, location.c_str(), CURLU_URLENCODE) != CURLUE_OK ||
      !is_http(parsed))
    return {};
  return part(parsed, CURLUPART_URL);
}

std::string shown_url(const std::string& url) {
  const ParsedUrl parsed = parse(url);
  if (!parsed) return "(not a URL)";
  for (const CURLUPart secret :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT})
    curl_url_set(parsed.get(), secret, nullptr, 0);
  std::string shown = part(parsed, CURLUPART_URL);
  if (part(parsed, CURLUPART_PATH) == "/" && shown.ends_with('/')) shown.pop_back();
  return shown;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (byte < 128 && std::isalnum(byte) != 0) || c == '-' || c == '.' ||
                            c == '_' || c == '~' || keep.find(c) != std::string_view::npos;
    if (unreserved) {
      encoded += c;
    } else {
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace vecframe::providers
