#include "image/palette.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace vecframe::image {
namespace {

constexpr std::size_t kMostColours = 256;
constexpr std::size_t kCells = 1u << 15;  // 5 bits a channel

/// One pixel's colour, or that it is clear.
struct Pixel {
  Colour colour;
  bool clear;
};

template <int kChannels>
Pixel pixel_at(const std::uint8_t* in) {
  if constexpr (kChannels == 1) return {{in[0], in[0], in[0]}, false};
  if constexpr (kChannels == 2) return {{in[0], in[0], in[0]}, in[1] == 0};
  if constexpr (kChannels == 3) return {{in[0], in[1], in[2]}, false};
  return {{in[0], in[1], in[2]}, in[3] == 0};
}

std::size_t cell_of(Colour colour) {
  return static_cast<std::size_t>(colour[0] >> 3) << 10 |
         static_cast<std::size_t>(colour[1] >> 3) << 5 | colour[2] >> 3;
}

/// Up to 256 colours, found by hashing.
class ExactColours {
 public:
  ExactColours() { slots_.fill(kEmpty); }

  /// The colour's index; none where it would be one too many.
  std::optional<std::uint8_t> index_of(Colour colour, std::size_t most) {
    const std::uint32_t key =
        std::uint32_t{colour[0]} << 16 | std::uint32_t{colour[1]} << 8 | colour[2];
    for (std::size_t at = key * 2654435761u >> (32 - kSlotBits);; at = (at + 1) % slots_.size()) {
      if (slots_[at] == kEmpty) {
        if (colours_.size() >= most) return std::nullopt;
        slots_[at] = static_cast<std::uint16_t>(colours_.size());
        colours_.push_back(colour);
      }
      if (colours_[slots_[at]] == colour) return static_cast<std::uint8_t>(slots_[at]);
    }
  }
  std::vector<Colour> take() { return std::move(colours_); }

 private:
  static constexpr int kSlotBits = 11;
  static constexpr std::uint16_t kEmpty = 0xFFFF;
  std::array<std::uint16_t, 1u << kSlotBits> slots_;
  std::vector<Colour> colours_;
};

/// The pixels of one cell of the histogram.
struct Cell {
  std::array<std::uint64_t, 3> sum{};
  std::uint64_t count = 0;
  std::size_t number = 0;

  Colour mean() const {
    Colour colour;
    for (std::size_t c = 0; c < 3; ++c)
      colour[c] = static_cast<std::uint8_t>((sum[c] + count / 2) / count);
    return colour;
  }
};

/// A run of cells that will be one colour.
struct ColourBox {
  std::size_t begin, end;
  std::uint64_t count = 0;
  std::size_t axis = 0;  ///< the longest
  int extent = 0;        ///< along it
};

ColourBox measured(const std::vector<Cell>& cells, std::size_t begin, std::size_t end) {
  ColourBox box{begin, end};
  for (std::size_t i = begin; i < end; ++i) box.count += cells[i].count;
  for (std::size_t c = 0; c < 3; ++c) {
    int lowest = 255, highest = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const int value = cells[i].mean()[c];
      lowest = std::min(lowest, value);
      highest = std::max(highest, value);
    }
    if (highest - lowest > box.extent) {
      box.extent = highest - lowest;
      box.axis = c;
    }
  }
  return box;
}

std::vector<Colour> median_cut(std::vector<Cell>& cells, std::size_t most) {
  std::vector<ColourBox> boxes{measured(cells, 0, cells.size())};
  while (boxes.size() < most) {
    const auto weight = [](const ColourBox& box) {
      return box.end - box.begin < 2 ? 0 : box.count * static_cast<std::uint64_t>(box.extent);
    };
    const auto largest = std::max_element(
        boxes.begin(), boxes.end(),
        [&](const ColourBox& a, const ColourBox& b) { return weight(a) < weight(b); });
    if (weight(*largest) == 0) break;
    const ColourBox box = *largest;
    const auto at = [&](std::size_t i) { return cells.begin() + static_cast<std::ptrdiff_t>(i); };
    std::sort(at(box.begin), at(box.end), [&](const Cell& a, const Cell& b) {
      const int x = a.mean()[box.axis], y = b.mean()[box.axis];
      return x != y ? x < y : a.number < b.number;
    });
    std::uint64_t below = cells[box.begin].count;
    std::size_t middle = box.begin + 1;
    while (middle + 1 < box.end && 2 * (below + cells[middle].count) <= box.count)
      below += cells[middle++].count;
    *largest = measured(cells, box.begin, middle);
    boxes.push_back(measured(cells, middle, box.end));
  }
  std::vector<Colour> palette;
  for (const ColourBox& box : boxes) {
    Cell all;
    for (std::size_t i = box.begin; i < box.end; ++i) {
      for (std::size_t c = 0; c < 3; ++c) all.sum[c] += cells[i].sum[c];
      all.count += cells[i].count;
    }
    palette.push_back(all.mean());
  }
  return palette;
}

std::uint8_t nearest(const std::vector<Colour>& palette, Colour colour) {
  int best = std::numeric_limits<int>::max();
  std::size_t index = 0;
  for (std::size_t i = 0; i < palette.size(); ++i) {
    int distance = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      const int difference = palette[i][c] - colour[c];
      distance += difference * difference;
    }
    if (distance < best) {
      best = distance;
      index = i;
    }
  }
  return static_cast<std::uint8_t>(index);
}

template <int kChannels>
bool keep_exact(const Image& image, IndexedImage& result, std::size_t most) {
  ExactColours colours;
  const std::uint8_t* in = image.pixels().data();
  bool any_clear = false;
  for (std::size_t i = 0; i < result.indices.size(); ++i, in += kChannels) {
    const Pixel pixel = pixel_at<kChannels>(in);
    any_clear |= pixel.clear;
    if (pixel.clear) continue;
    const auto index = colours.index_of(pixel.colour, most);
    if (!index) return false;
    result.indices[i] = *index;
  }
  result.palette = colours.take();
  if (any_clear) result.transparent = static_cast<int>(result.palette.size());
  return true;
}

template <int kChannels>
void cut(const Image& image, IndexedImage& result, std::size_t most) {
  std::vector<Cell> histogram(kCells);
  const std::uint8_t* in = image.pixels().data();
  bool any_clear = false;
  for (std::size_t i = 0; i < result.indices.size(); ++i, in += kChannels) {
    const Pixel pixel = pixel_at<kChannels>(in);
    any_clear |= pixel.clear;
    if (pixel.clear) continue;
    Cell& cell = histogram[cell_of(pixel.colour)];
    for (std::size_t c = 0; c < 3; ++c) cell.sum[c] += pixel.colour[c];
    ++cell.count;
  }
  std::vector<Cell> used;
  used.reserve(static_cast<std::size_t>(std::count_if(
      histogram.begin(), histogram.end(), [](const Cell& cell) { return cell.count > 0; })));
  for (std::size_t number = 0; number < kCells; ++number) {
    if (histogram[number].count == 0) continue;
    used.push_back(histogram[number]);
    used.back().number = number;
  }
  result.palette = median_cut(used, most);
  if (any_clear) result.transparent = static_cast<int>(result.palette.size());
  std::vector<std::uint8_t> index_of_cell(kCells);
  for (const Cell& cell : used) index_of_cell[cell.number] = nearest(result.palette, cell.mean());
  in = image.pixels().data();
  for (std::size_t i = 0; i < result.indices.size(); ++i, in += kChannels)
    result.indices[i] = index_of_cell[cell_of(pixel_at<kChannels>(in).colour)];
}

template <int kChannels>
IndexedImage reduce(const Image& image) {
  IndexedImage result;
  result.indices.resize(std::size_t{image.width()} * image.height());
  // A clear colour takes a place of its own.
  const std::size_t most = kMostColours - (kChannels % 2 == 0 ? 1 : 0);
  if (!keep_exact<kChannels>(image, result, most)) cut<kChannels>(image, result, most);
  if (result.transparent >= 0) {
    result.palette.push_back({0, 0, 0});
    const std::uint8_t* in = image.pixels().data();
    for (std::size_t i = 0; i < result.indices.size(); ++i, in += kChannels)
      if (pixel_at<kChannels>(in).clear)
        result.indices[i] = static_cast<std::uint8_t>(result.transparent);
  }
  return result;
}

IndexedImage grays(const Image& image) {
  IndexedImage result;
  for (std::size_t i = 0; i < kMostColours; ++i) {
    const auto value = static_cast<std::uint8_t>(i);
    result.palette.push_back({value, value, value});
  }
  result.indices.assign(image.pixels().begin(), image.pixels().end());
  return result;
}

}  // namespace

IndexedImage reduce_to_palette(const Image& image) {
  switch (num_channels(image.mode())) {
    case 1:
      return grays(image);
    case 2:
      return reduce<2>(image);
    case 3:
      return reduce<3>(image);
    default:
      return reduce<4>(image);
  }
}

}  // namespace vecframe::image
