#include "providers/http/http_message.h"

#include <fmt/core.h>

#include <charconv>

#include "providers/http/http_error.h"

namespace vecframe::providers {

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

void TextBody::begin(const HttpResponse&) { text_.clear(); }

void TextBody::write(std::span<const std::byte> bytes) {
  if (bytes.size() > max_bytes_ - text_.size())
    throw HttpError(HttpError::Kind::kProtocol,
                    fmt::format("the answer is longer than {} bytes", max_bytes_));
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace vecframe::providers
