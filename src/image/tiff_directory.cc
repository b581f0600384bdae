#include "image/tiff_directory.h"

#include <algorithm>
#include <bit>

namespace vecframe::image {
namespace {

struct Endian {
  bool big;
  std::uint16_t u16(Bytes b, std::size_t o) const {
    return big ? load_be16(b, o) : load_le16(b, o);
  }
  std::uint32_t u32(Bytes b, std::size_t o) const {
    return big ? load_be32(b, o) : load_le32(b, o);
  }
  std::uint64_t u64(Bytes b, std::size_t o) const {
    const std::uint64_t first = u32(b, o), second = u32(b, o + 4);
    return big ? first << 32 | second : second << 32 | first;
  }
};

// Bytes of one value of a type; 0 for types that Pillow skips.
std::uint64_t unit_size(std::uint16_t type) {
  switch (type) {
    case 1:  // byte
    case 2:  // ASCII
    case 6:  // signed byte
    case 7:  // undefined
      return 1;
    case 3:  // short
    case 8:  // signed short
      return 2;
    case 4:   // long
    case 9:   // signed long
    case 11:  // float
    case 13:  // IFD offset
      return 4;
    case 5:   // rational
    case 10:  // signed rational
    case 12:  // double
    case 16:  // long8
      return 8;
    default:
      return 0;
  }
}

}  // namespace

std::optional<TiffDirectory> TiffDirectory::read(Bytes file, bool allow_bigtiff) {
  if (file.size() < 8) return std::nullopt;
  TiffDirectory directory;
  // The two mixed forms are invalid, but Pillow reads them by their first letters.
  if (has_prefix(file, {"MM\0\x2a", 4}) || has_prefix(file, {"MM\x2a\0", 4})) {
    directory.big_endian_ = true;
  } else if (has_prefix(file, {"II\x2a\0", 4}) || has_prefix(file, {"II\0\x2a", 4})) {
    directory.big_endian_ = false;
  } else if (has_prefix(file, {"II\x2b\0", 4}) || has_prefix(file, {"MM\0\x2b", 4})) {
    directory.big_endian_ = load_u8(file, 0) == 'M';
  } else {
    return std::nullopt;
  }
  const Endian endian{directory.big_endian_};
  // As Pillow: it looks for 43 in the third byte alone, so a big-endian BigTIFF is read as a TIFF.
  const bool big = load_u8(file, 2) == 0x2b;
  if (big && (!allow_bigtiff || file.size() < 16)) return std::nullopt;

  const std::uint64_t start = big ? endian.u64(file, 8) : endian.u32(file, 4);
  const std::size_t entry_size = big ? 20 : 12;
  const std::size_t inline_size = big ? 8 : 4;
  const std::size_t count_size = big ? 8 : 2;
  if (!contains(file, start, count_size)) return directory;
  std::uint64_t position = start;
  const std::uint64_t num_entries = big ? endian.u64(file, position) : endian.u16(file, position);
  position += count_size;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < num_entries; ++i, position += entry_size) {
    if (!contains(file, position, entry_size)) break;
    TiffTag tag;
    tag.tag = endian.u16(file, position);
    tag.type = endian.u16(file, position + 2);
    tag.count = big ? endian.u64(file, position + 4) : endian.u32(file, position + 4);
    const std::uint64_t unit = unit_size(tag.type);
    if (unit == 0 || tag.count == 0 || directory.find(tag.tag) != nullptr) continue;
    if (tag.count > file.size() / unit && tag.count > inline_size / unit) {
      total = file.size() + std::uint64_t{1};  // more than the file holds
      continue;
    }
    const std::uint64_t size = tag.count * unit;
    if (size <= inline_size) {
      tag.data = file.subspan(position + entry_size - inline_size, size);
    } else {
      const std::size_t at = position + entry_size - inline_size;
      const std::uint64_t offset = big ? endian.u64(file, at) : endian.u32(file, at);
      total += size;
      if (total > file.size()) continue;
      if (!contains(file, offset, size)) break;
      tag.data = file.subspan(offset, size);
    }
    directory.tags_.push_back(tag);
  }
  return directory;
}

const TiffTag* TiffDirectory::find(std::uint16_t tag) const {
  const auto found =
      std::find_if(tags_.begin(), tags_.end(), [&](const TiffTag& t) { return t.tag == tag; });
  return found == tags_.end() ? nullptr : &*found;
}

std::optional<double> TiffDirectory::number(const TiffTag& tag, std::uint64_t index) const {
  if (index >= tag.count) return std::nullopt;
  if (const auto whole = integer(tag, index)) return static_cast<double>(*whole);
  const Endian endian{big_endian_};
  const std::size_t at = index * unit_size(tag.type);
  switch (tag.type) {
    case 6:
      return static_cast<std::int8_t>(load_u8(tag.data, at));
    case 8:
      return static_cast<std::int16_t>(endian.u16(tag.data, at));
    case 9:
      return static_cast<std::int32_t>(endian.u32(tag.data, at));
    case 5: {
      const double denominator = endian.u32(tag.data, at + 4);
      if (denominator == 0) return std::nullopt;
      return endian.u32(tag.data, at) / denominator;
    }
    case 10: {
      const double denominator = static_cast<std::int32_t>(endian.u32(tag.data, at + 4));
      if (denominator == 0) return std::nullopt;
      return static_cast<std::int32_t>(endian.u32(tag.data, at)) / denominator;
    }
    case 11:
      return std::bit_cast<float>(endian.u32(tag.data, at));
    case 12:
      return std::bit_cast<double>(endian.u64(tag.data, at));
    default:
      return std::nullopt;
  }
}

std::optional<std::uint64_t> TiffDirectory::integer(const TiffTag& tag, std::uint64_t index) const {
  if (index >= tag.count) return std::nullopt;
  const Endian endian{big_endian_};
  const std::size_t at = index * unit_size(tag.type);
  switch (tag.type) {
    case 3:
      return endian.u16(tag.data, at);
    case 4:
    case 13:
      return endian.u32(tag.data, at);
    case 16:
      return endian.u64(tag.data, at);
    default:
      return std::nullopt;
  }
}

std::optional<std::uint64_t> TiffDirectory::integer(std::uint16_t tag) const {
  const TiffTag* found = find(tag);
  return found == nullptr ? std::nullopt : integer(*found, 0);
}

}  // namespace vecframe::image
