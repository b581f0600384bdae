#include "providers/http/content_digest.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace vecframe::providers {

struct ContentDigest::State {
  State() : context(EVP_MD_CTX_new()) {}
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  EVP_MD_CTX* context;
};

std::optional<ContentDigest> ContentDigest::for_etag(std::string_view etag, std::int64_t size) {
  const bool hexadecimal = std::all_of(etag.begin(), etag.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  const bool git = etag.size() == 40;
  if (!hexadecimal || (!git && etag.size() != 64)) return {};
  auto state = std::make_unique<State>();
  if (state->context == nullptr ||
      EVP_DigestInit_ex(state->context, git ? EVP_sha1() : EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL gives no digest");
  ContentDigest digest(std::move(state));
  if (git) {
    const std::string header = fmt::format("blob {}", size);
    // The terminating zero belongs to git's header.
    digest.add(std::as_bytes(std::span(header.c_str(), header.size() + 1)));
  }
  return digest;
}

ContentDigest::ContentDigest(std::unique_ptr<State> state) : state_(std::move(state)) {}
ContentDigest::~ContentDigest() = default;
ContentDigest::ContentDigest(ContentDigest&&) noexcept = default;
ContentDigest& ContentDigest::operator=(ContentDigest&&) noexcept = default;

void ContentDigest::add(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1)
    throw std::runtime_error("OpenSSL fails to update a digest");
}

std::string ContentDigest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context, raw.data(), &size) != 1)
    throw std::runtime_error("OpenSSL fails to finish a digest");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", raw[i]);
  return text;
}

}  // namespace vecframe::providers
