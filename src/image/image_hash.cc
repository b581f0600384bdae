#include "image/image_hash.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <span>
#include <string>

#include "image/color_hash.h"
#include "image/convert.h"
#include "image/cosine_transform.h"
#include "image/hash_bits.h"
#include "image/resize.h"
#include "image/wavelet_hash.h"

namespace vecframe::image {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"phash",          "phash_simple", "dhash",
                                                    "dhash_vertical", "ahash",        "whash",
                                                    "crop_resistant", "colorhash"};

constexpr std::int64_t kSmallestHash = 2, kLargestHash = 256;
constexpr std::int64_t kLargestBinbits = 32, kLargestSegments = 64;
// phash looks at the lowest quarter of the frequencies.
constexpr std::size_t kOversampling = 4;

struct Gray {
  std::size_t width;
  std::vector<double> values;
  double at(std::size_t y, std::size_t x) const { return values[y * width + x]; }
};

Gray shrunk(const Image& gray, Box box, std::size_t width, std::size_t height) {
  const Size size{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
  const Image small = resize(gray, box, size, Filter::kLanczos, Resampler::kPillow13);
  return {width, {small.pixels().begin(), small.pixels().end()}};
}

void push_perceptual(const Image& gray, Box box, std::size_t side, HashBits& bits) {
  const std::size_t length = kOversampling * side;
  Gray picture = shrunk(gray, box, length, length);
  const CosineTransform transform(length);
  std::vector<double> column(length);
  for (std::size_t x = 0; x < length; ++x) {
    for (std::size_t y = 0; y < length; ++y) column[y] = picture.at(y, x);
    transform.apply(column);
    for (std::size_t y = 0; y < side; ++y) picture.values[y * length + x] = column[y];
  }
  std::vector<double> low;
  for (std::size_t y = 0; y < side; ++y) {
    const std::span<double> row(picture.values.data() + y * length, length);
    transform.apply(row);
    low.insert(low.end(), row.begin(), row.begin() + static_cast<std::ptrdiff_t>(side));
  }
  bits.push_above(low, median(low));
}

// numpy's order of summation along a row: eight sums side by side, halves of what is longer than
// 128.
double numpy_sum(std::span<const double> values) {
  const std::size_t n = values.size();
  if (n < 8) return std::accumulate(values.begin(), values.end(), 0.0);
  if (n > 128) {
    const std::size_t half = n / 2 - n / 2 % 8;
    return numpy_sum(values.first(half)) + numpy_sum(values.subspan(half));
  }
  std::array<double, 8> s;
  std::copy_n(values.begin(), 8, s.begin());
  std::size_t i = 8;
  for (; i < n - n % 8; i += 8)
    for (std::size_t j = 0; j < 8; ++j) s[j] += values[i + j];
  double sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
  for (; i < n; ++i) sum += values[i];
  return sum;
}

void push_perceptual_simple(const Image& gray, Box box, std::size_t side, HashBits& bits) {
  const std::size_t length = kOversampling * side;
  Gray picture = shrunk(gray, box, length, length);
  const CosineTransform transform(length);
  std::vector<double> low;
  double sum = 0;
  for (std::size_t y = 0; y < side; ++y) {
    const std::span<double> row(picture.values.data() + y * length, length);
    transform.apply(row);
    const std::span<const double> kept = row.subspan(1, side);
    sum += numpy_sum(kept);
    low.insert(low.end(), kept.begin(), kept.end());
  }
  bits.push_above(low, sum / static_cast<double>(side * side));
}

void push_difference(const Image& gray, Box box, std::size_t side, HashBits& bits) {
  const Gray picture = shrunk(gray, box, side + 1, side);
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) bits.push(picture.at(y, x + 1) > picture.at(y, x));
}

void push_difference_vertical(const Image& gray, Box box, std::size_t side, HashBits& bits) {
  const Gray picture = shrunk(gray, box, side, side + 1);
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) bits.push(picture.at(y + 1, x) > picture.at(y, x));
}

// Sums of bytes are exact, in any order.
void push_average(const Image& gray, Box box, std::size_t side, HashBits& bits) {
  const Gray picture = shrunk(gray, box, side, side);
  const double sum = std::accumulate(picture.values.begin(), picture.values.end(), 0.0);
  bits.push_above(picture.values, sum / static_cast<double>(side * side));
}

void push_crop_resistant(const Image& gray, std::size_t side, std::uint32_t segments,
                         HashBits& bits) {
  const auto edge = [segments](std::uint32_t i, std::uint32_t length) {
    return static_cast<std::uint32_t>(std::uint64_t{i} * length / segments);
  };
  for (std::uint32_t row = 0; row < segments; ++row)
    for (std::uint32_t column = 0; column < segments; ++column) {
      Box box{edge(column, gray.width()), edge(row, gray.height()), 0, 0};
      box.width = edge(column + 1, gray.width()) - box.left;
      box.height = edge(row + 1, gray.height()) - box.top;
      if (box.width == 0 || box.height == 0)
        bits.skip(side * side);
      else
        push_perceptual(gray, box, side, bits);
    }
}

std::size_t hash_bits(HashMethod method, const HashOptions& options) {
  const auto cells = static_cast<std::size_t>(options.hash_size * options.hash_size);
  if (method == HashMethod::kColor) return kColorBins * static_cast<std::size_t>(options.binbits);
  if (method == HashMethod::kCropResistant)
    return cells * static_cast<std::size_t>(options.segments * options.segments);
  return cells;
}

void check_range(std::string_view name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most)
    throw RequestError(
        fmt::format("image_hash: {}={} is out of range; use {} to {}", name, value, least, most));
}

}  // namespace

std::string_view to_string(HashMethod method) { return kNames[static_cast<std::size_t>(method)]; }

HashMethod parse_hash_method(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<HashMethod>(i);
  const std::string nearest = nearest_name(name, {kNames.begin(), kNames.end()});
  throw RequestError(fmt::format("image_hash: method='{}' does not exist; {}", name,
                                 nearest.empty()
                                     ? fmt::format("there are {}", fmt::join(kNames, ", "))
                                     : fmt::format("did you mean '{}'?", nearest)));
}

void check(HashMethod method, const HashOptions& options) {
  check_range("hash_size", options.hash_size, kSmallestHash, kLargestHash);
  check_range("binbits", options.binbits, 1, kLargestBinbits);
  check_range("segments", options.segments, 1, kLargestSegments);
  if (method == HashMethod::kWavelet &&
      !std::has_single_bit(static_cast<std::uint64_t>(options.hash_size)))
    throw RequestError(fmt::format(
        "image_hash: hash_size={} is not a power of two, which method='whash' needs; use {}",
        options.hash_size, std::bit_floor(static_cast<std::uint64_t>(options.hash_size))));
}

std::size_t hash_bytes(HashMethod method, const HashOptions& options) {
  return (hash_bits(method, options) + 7) / 8;
}

Result<std::vector<std::byte>> image_hash(const Image& image, HashMethod method,
                                          const HashOptions& options) {
  if (image.width() == 0 || image.height() == 0)
    return RowError{Stage::kPrepare, ErrorCode::kUnsupported,
                    "a picture without pixels has no hash"};
  HashBits bits(hash_bits(method, options));
  const auto side = static_cast<std::size_t>(options.hash_size);
  if (method == HashMethod::kColor) {
    push_color_hash(image, static_cast<std::size_t>(options.binbits), bits);
    return bits.take();
  }
  const Image gray = converted(image, Mode::kL);
  const Box whole{0, 0, gray.width(), gray.height()};
  switch (method) {
    case HashMethod::kPerceptual:
      push_perceptual(gray, whole, side, bits);
      break;
    case HashMethod::kPerceptualSimple:
      push_perceptual_simple(gray, whole, side, bits);
      break;
    case HashMethod::kDifference:
      push_difference(gray, whole, side, bits);
      break;
    case HashMethod::kDifferenceVertical:
      push_difference_vertical(gray, whole, side, bits);
      break;
    case HashMethod::kAverage:
      push_average(gray, whole, side, bits);
      break;
    case HashMethod::kWavelet:
      push_wavelet_hash(gray, side, bits);
      break;
    case HashMethod::kCropResistant:
      push_crop_resistant(gray, side, static_cast<std::uint32_t>(options.segments), bits);
      break;
    case HashMethod::kColor:
      break;
  }
  return bits.take();
}

}  // namespace vecframe::image
