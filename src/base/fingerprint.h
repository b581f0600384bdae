// 128-bit content hashes (XXH3), for identity of files, models and recipes. Not cryptographic.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vecframe {

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

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string fingerprint_of(std::span<const std::byte> bytes);

}  // namespace vecframe
