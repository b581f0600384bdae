// What a committed row remembers of its input: which file, in which state, and whether it failed.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/file_version.h"

namespace vecframe::job {

/// 16 bytes. Two of 10^9 different paths have the same 96 bits with a probability of 1e-11; a
/// changed file passes for unchanged with one of 5e-10.
struct InputKey {
  std::uint64_t path_high = 0;
  std::uint32_t path_low = 0;
  std::uint32_t version = 0;  ///< its lowest bit is set if the row failed

  bool failed() const { return (version & 1) != 0; }
  InputKey with_failed(bool failed) const {
    return {path_high, path_low, (version & ~std::uint32_t{1}) | (failed ? 1U : 0U)};
  }
  bool same_path(const InputKey& other) const {
    return path_high == other.path_high && path_low == other.path_low;
  }
  bool same_version(const InputKey& other) const { return (version | 1) == (other.version | 1); }
  auto operator<=>(const InputKey&) const = default;
};
static_assert(sizeof(InputKey) == 16);

InputKey key_of(std::string_view path, const storage::FileVersion& version);
/// By the file's content in place of size and time; reads all of it.
InputKey key_of_content(const std::string& path);

/// 32 hexadecimal digits.
std::string to_hex(const InputKey& key);
/// Throws RunError for anything else.
InputKey key_from_hex(std::string_view hex);

}  // namespace vecframe::job
