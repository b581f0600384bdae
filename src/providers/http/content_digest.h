// The checksums by which a hub names its files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vecframe::providers {

/// A digest of a content of known length, to compare with a hub's etag: 64 hexadecimal digits are
/// the SHA-256 of a large file, 40 are the name that git gives a blob, SHA-1 of "blob <size>\0" and
/// the content.
class ContentDigest {
 public:
  /// Nothing if `etag` is neither.
  static std::optional<ContentDigest> for_etag(std::string_view etag, std::int64_t size);
  ~ContentDigest();
  ContentDigest(ContentDigest&&) noexcept;
  ContentDigest& operator=(ContentDigest&&) noexcept;

  void add(std::span<const std::byte> bytes);
  /// Lower-case hexadecimal digits. Only once, after the last add().
  std::string finish();

 private:
  struct State;
  explicit ContentDigest(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vecframe::providers
