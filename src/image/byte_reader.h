// Bounded reads of integers from untrusted bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace vecframe::image {

using Bytes = std::span<const std::byte>;

/// Reads are unchecked: the caller has compared `offset` with the size.
inline std::uint8_t load_u8(Bytes bytes, std::size_t offset) {
  return std::to_integer<std::uint8_t>(bytes[offset]);
}
inline std::uint16_t load_be16(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(load_u8(bytes, offset) << 8 | load_u8(bytes, offset + 1));
}
inline std::uint16_t load_le16(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(load_u8(bytes, offset + 1) << 8 | load_u8(bytes, offset));
}
inline std::uint32_t load_be32(Bytes bytes, std::size_t offset) {
  return std::uint32_t{load_be16(bytes, offset)} << 16 | load_be16(bytes, offset + 2);
}
inline std::uint32_t load_le32(Bytes bytes, std::size_t offset) {
  return std::uint32_t{load_le16(bytes, offset + 2)} << 16 | load_le16(bytes, offset);
}
inline std::uint32_t load_le24(Bytes bytes, std::size_t offset) {
  return std::uint32_t{load_u8(bytes, offset + 2)} << 16 | load_le16(bytes, offset);
}

/// Whether `size` bytes can be read at `offset`, for any two numbers.
inline bool contains(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

inline bool has_prefix(Bytes bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() &&
         std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

inline const unsigned char* as_uchar(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace vecframe::image
