// 128-bit content hashes (XXH3), for identity of files, models and recipes. Not cryptographic.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vecframe {

/// The hash itself; ordered by its bits.
struct Hash128 {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};

class Fingerprint {
 public:
  Fingerprint();
  ~Fingerprint();
  Fingerprint(Fingerprint&&) noexcept;
  Fingerprint& operator=(Fingerprint&&) noexcept;

  Fingerprint& add(std::span<const std::byte> bytes);
  /// Adds length and bytes, so that ("ab","c") and ("a","bc") differ.
  Fingerprint& add_field(std::string_view text);
  /// 32 lower-case hexadecimal digits.
  std::string hex() const;
  Hash128 digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string fingerprint_of(std::span<const std::byte> bytes);
Hash128 hash_of(std::span<const std::byte> bytes);

}  // namespace vecframe
