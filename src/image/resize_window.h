// Resampling of a picture of which only a part of the result is wanted, as when it is cropped next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "image/reduce.h"
#include "image/resize.h"

namespace vecframe::image {

/// The parts of the outermost pixels of a box that do not belong to it, 0 to less than 1.
struct Margins {
  double left = 0, top = 0, right = 0, bottom = 0;
};

/// What to evaluate: `source` of the input, without `margins`, is resized to `size`, of which
/// `window` is kept. The bytes are those of the whole result, cropped. Filter::kNearest heeds no
/// margins.
struct ResizeWindow {
  Box source;
  Size size;
  Box window;
  Filter filter = Filter::kBicubic;
  Resampler resampler = Resampler::kTorchvision;
  Margins margins = {};
};

/// Writes the window's rows, `stride` bytes apart, from `out` on.
void resize_window(const Image& image, const ResizeWindow& spec, std::uint8_t* out,
                   std::size_t stride);

/// Upper bound of the bytes resize_window() allocates.
std::uint64_t resize_window_bytes(const ResizeWindow& spec, int channels);

/// Puts in place of `spec.source`, a box of the whole picture, the same part of one of size
/// `reduced`.
void take_from_reduced(ResizeWindow& spec, const Whole& whole, Size reduced);

/// By how much both sides of the source are divided at least; 1 where nothing is averaged.
double shrink_of(const ResizeWindow& spec);

/// Rows that a WindowResizer takes best.
inline constexpr std::uint32_t kStripRows = 16;

/// The same window of a picture whose rows come one after the other. It allocates what
/// resize_window() does.
class WindowResizer {
 public:
  /// Whether it can: both sides change, and rows are resampled before columns.
  static bool takes(const ResizeWindow& spec);

  WindowResizer(const ResizeWindow& spec, int channels, std::uint8_t* out, std::size_t stride);
  ~WindowResizer();
  WindowResizer(const WindowResizer&) = delete;
  WindowResizer& operator=(const WindowResizer&) = delete;

  /// The rows of the picture that it reads: from the first to one past the last.
  std::uint32_t top() const;
  std::uint32_t bottom() const;
  /// The next of those rows, `stride` bytes apart, at most kStripRows of them; from the picture's
  /// left edge on.
  void take(const std::uint8_t* rows, std::size_t stride, std::uint32_t count) noexcept;

 private:
  struct Work;
  const ResizeWindow spec_;
  const std::unique_ptr<Work> work_;
};

}  // namespace vecframe::image
