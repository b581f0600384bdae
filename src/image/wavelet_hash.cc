#include "image/wavelet_hash.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "image/resize.h"

namespace vecframe::image {
namespace {

constexpr double kTap = 0.70710678118654757;  // of the Haar filters, each way

// A square whose level-n transform fills the top left corner of side `side >> n`.
struct Square {
  std::size_t side;
  std::vector<double> values;
  double& at(std::size_t y, std::size_t x) { return values[y * side + x]; }
};

// One level each way over the corner of side `corner`, columns first. Of a pair (x0, x1) the sum is
// tap x1 + tap x0, the difference -tap x1 + tap x0.
void decompose(Square& square, std::size_t corner) {
  const std::size_t half = corner / 2;
  std::vector<double> line(corner);
  for (std::size_t x = 0; x < corner; ++x) {
    for (std::size_t i = 0; i < half; ++i) {
      const double first = square.at(2 * i, x), second = square.at(2 * i + 1, x);
      line[i] = kTap * second + kTap * first;
      line[half + i] = -kTap * second + kTap * first;
    }
    for (std::size_t y = 0; y < corner; ++y) square.at(y, x) = line[y];
  }
  for (std::size_t y = 0; y < corner; ++y) {
    for (std::size_t i = 0; i < half; ++i) {
      const double first = square.at(y, 2 * i), second = square.at(y, 2 * i + 1);
      line[i] = kTap * second + kTap * first;
      line[half + i] = -kTap * second + kTap * first;
    }
    std::copy(line.begin(), line.end(), &square.at(y, 0));
  }
}

// The way back, rows first.
void compose(Square& square, std::size_t corner) {
  const std::size_t half = corner / 2;
  std::vector<double> line(corner);
  for (std::size_t y = 0; y < corner; ++y) {
    for (std::size_t i = 0; i < half; ++i) {
      const double sum = square.at(y, i), difference = square.at(y, half + i);
      line[2 * i] = kTap * sum + kTap * difference;
      line[2 * i + 1] = kTap * sum - kTap * difference;
    }
    std::copy(line.begin(), line.end(), &square.at(y, 0));
  }
  for (std::size_t x = 0; x < corner; ++x) {
    for (std::size_t i = 0; i < half; ++i) {
      const double sum = square.at(i, x), difference = square.at(half + i, x);
      line[2 * i] = kTap * sum + kTap * difference;
      line[2 * i + 1] = kTap * sum - kTap * difference;
    }
    for (std::size_t y = 0; y < corner; ++y) square.at(y, x) = line[y];
  }
}

void decompose_all(Square& square) {
  for (std::size_t corner = square.side; corner > 1; corner /= 2) decompose(square, corner);
}

void compose_all(Square& square) {
  for (std::size_t corner = 2; corner <= square.side; corner *= 2) compose(square, corner);
}

Square cell(const Image& picture, std::size_t side, std::size_t row, std::size_t column) {
  Square result{side, std::vector<double>(side * side)};
  for (std::size_t y = 0; y < side; ++y) {
    const std::uint8_t* pixels = picture.row(static_cast<std::uint32_t>(row * side + y));
    for (std::size_t x = 0; x < side; ++x) result.at(y, x) = pixels[column * side + x] / 255.0;
  }
  return result;
}

}  // namespace

void push_wavelet_hash(const Image& gray, std::size_t side, HashBits& bits) {
  const std::uint32_t natural = std::bit_floor(std::min(gray.width(), gray.height()));
  const std::uint32_t scale = std::max(natural, static_cast<std::uint32_t>(side));
  const Image picture = resize(gray, {scale, scale}, Filter::kLanczos, Resampler::kPillow13);
  const std::size_t cell_side = scale / side;

  Square low{side, std::vector<double>(side * side)};
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) {
      Square square = cell(picture, cell_side, y, x);
      decompose_all(square);
      low.at(y, x) = square.at(0, 0);
    }
  decompose_all(low);
  low.at(0, 0) = 0;
  compose_all(low);
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) {
      Square square = cell(picture, cell_side, y, x);
      decompose_all(square);
      square.at(0, 0) = low.at(y, x);
      compose_all(square);
      decompose_all(square);
      low.at(y, x) = square.at(0, 0);
    }
  bits.push_above(low.values, median(low.values));
}

}  // namespace vecframe::image
