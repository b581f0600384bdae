#include "columnar/integer_list.h"

#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include "columnar/array_view.h"

namespace vecframe::columnar {
namespace {

constexpr std::string_view kIntegers = "cCsSiIlL";

template <class T>
T value_at(const ArrowArray& array, std::int64_t at) {
  return static_cast<const T*>(array.buffers[1])[array.offset + at];
}

// The value at an index, which must fit.
std::optional<std::int64_t> integer_at(const ArrowArray& array, std::int64_t at, char format) {
  switch (format) {
    case 'c':
      return value_at<std::int8_t>(array, at);
    case 'C':
      return value_at<std::uint8_t>(array, at);
    case 's':
      return value_at<std::int16_t>(array, at);
    case 'S':
      return value_at<std::uint16_t>(array, at);
    case 'i':
      return value_at<std::int32_t>(array, at);
    case 'I':
      return value_at<std::uint32_t>(array, at);
    case 'l':
      return value_at<std::int64_t>(array, at);
    default:
      break;
  }
  const auto value = value_at<std::uint64_t>(array, at);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return static_cast<std::int64_t>(value);
}

}  // namespace

bool is_integer_list(const DataType& type) {
  if (!type.foreign || !type.foreign->extension_name().empty()) return false;
  const std::string& format = type.foreign->format();
  if (format != "+l" && format != "+L" && !format.starts_with("+w:")) return false;
  const std::string item = type.foreign->item_format();
  return item.size() == 1 && kIntegers.find(item) != std::string_view::npos;
}

std::optional<std::vector<std::int64_t>> integers_at(const ArrowArray& array, std::int64_t row,
                                                     const DataType& type) {
  const std::string& format = type.foreign->format();
  const std::int64_t at = array.offset + row;
  std::int64_t begin = 0, end = 0;
  if (format == "+l") {
    begin = static_cast<const std::int32_t*>(array.buffers[1])[at];
    end = static_cast<const std::int32_t*>(array.buffers[1])[at + 1];
  } else if (format == "+L") {
    begin = static_cast<const std::int64_t*>(array.buffers[1])[at];
    end = static_cast<const std::int64_t*>(array.buffers[1])[at + 1];
  } else {
    const std::int64_t size = std::atoll(format.c_str() + std::string_view("+w:").size());
    begin = at * size;
    end = begin + size;
  }
  const ArrowArray& items = *array.children[0];
  const char item = type.foreign->item_format()[0];
  std::vector<std::int64_t> values;
  for (std::int64_t i = begin; i < end; ++i) {
    if (!is_valid(items, i)) return std::nullopt;
    const auto value = integer_at(items, i, item);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace vecframe::columnar
