// Resampling of a picture of which only a part of the result is wanted, as when it is cropped next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "image/resize.h"

namespace vecframe::image {

/// What to evaluate: `source` of the input is resized to `size`, of which `window` is kept. The
/// bytes are those of the whole result, cropped.
struct ResizeWindow {
  Box source;
  Size size;
  Box window;
  Filter filter = Filter::kBicubic;
  Resampler resampler = Resampler::kTorchvision;
};

/// Writes the window's rows, `stride` bytes apart, from `out` on.
void resize_window(const Image& image, const ResizeWindow& spec, std::uint8_t* out,
                   std::size_t stride);

/// Upper bound of the bytes resize_window() allocates.
std::uint64_t resize_window_bytes(const ResizeWindow& spec, int channels);

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
