#include "image/resize.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "image/resize_kernels.h"
#include "image/resize_triangle.h"
#include "image/resize_weights.h"
#include "image/resize_window.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::image {
namespace {

enum class Passes : std::uint8_t { kNone, kHorizontal, kVertical, kBoth };

Passes passes_of(const ResizeWindow& spec) {
  const Margins& margins = spec.margins;
  const bool horizontal =
      spec.size.width != spec.source.width || margins.left > 0 || margins.right > 0;
  const bool vertical =
      spec.size.height != spec.source.height || margins.top > 0 || margins.bottom > 0;
  if (horizontal) return vertical ? Passes::kBoth : Passes::kHorizontal;
  return vertical ? Passes::kVertical : Passes::kNone;
}

bool vertical_first(const ResizeWindow& spec) {
  const auto [width, height] =
      std::pair<std::int64_t, std::int64_t>(spec.size.width, spec.size.height);
  return spec.resampler == Resampler::kPillow13 && height < spec.source.height &&
         spec.source.height - height > 2 * (spec.source.width - width);
}

Span horizontal_span(const ResizeWindow& spec) { return {spec.window.left, spec.window.width}; }
Span vertical_span(const ResizeWindow& spec) { return {spec.window.top, spec.window.height}; }

AxisWeights horizontal_weights(const ResizeWindow& spec) {
  return axis_weights(columns_of(spec), spec.size.width, horizontal_span(spec), spec.filter,
                      spec.resampler, true);
}

AxisWeights vertical_weights(const ResizeWindow& spec) {
  return axis_weights(rows_of(spec), spec.size.height, vertical_span(spec), spec.filter,
                      spec.resampler, false);
}

/// The input pixels of a row that the outputs of `weights` read. Starts at an even pixel, because
/// the kernel works on pairs that do.
struct Columns {
  std::uint32_t begin = 0;
  std::uint32_t count = 0;
};

/// Makes the first taps of `weights` relative to the columns it needs, of the `width` there are.
Columns trim(AxisWeights& weights, std::uint32_t width) {
  const std::uint32_t begin = weights.first.front();
  std::uint32_t end = 0;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    end = std::max(end, weights.end(i));
    weights.first[i] -= begin;
  }
  return {begin, std::min(end, width) - begin};
}

/// The source box of an image, as rows.
class Source {
 public:
  Source(const Image& image, Box box)
      : image_(image), box_(box), pixel_(static_cast<std::size_t>(bytes_per_pixel(image.mode()))) {}
  const std::uint8_t* at(std::uint32_t y, std::uint32_t x) const {
    return image_.row(box_.top + y) + (std::size_t{box_.left} + x) * pixel_;
  }
  std::size_t pixel_bytes() const { return pixel_; }
  int channels() const { return static_cast<int>(pixel_); }
  std::uint32_t height() const { return box_.height; }
  std::uint32_t width() const { return box_.width; }

 private:
  const Image& image_;
  Box box_;
  std::size_t pixel_;
};

/// The result, as rows.
struct Target {
  std::uint8_t* data;
  std::size_t stride;
  std::uint8_t* row(std::uint32_t y) const { return data + y * stride; }
};

/// Horizontal resampling of up to kBlockRows rows at a time.
class HorizontalPass {
 public:
  HorizontalPass(const ResizeWindow& spec, int channels)
      : weights_(horizontal_weights(spec)),
        columns_(trim(weights_, spec.source.width)),
        channels_(channels),
        scratch_(horizontal_scratch_bytes(columns_.count, channels)) {}

  Columns columns() const { return columns_; }

  /// `input(k)` and `output(k)` give row k of `rows`, the former from columns().begin on.
  template <class Input, class Output>
  void run(std::uint32_t rows, Input input, Output output) {
    std::array<const std::uint8_t*, kBlockRows> inputs;
    std::array<std::uint8_t*, kBlockRows> outputs{};
    for (std::uint32_t k = 0; k < kBlockRows; ++k) inputs[k] = input(std::min(k, rows - 1));
    for (std::uint32_t k = 0; k < rows; ++k) outputs[k] = output(k);
    horizontal_pass(inputs.data(), columns_.count, channels_, weights_, scratch_.data(),
                    outputs.data(), rows);
  }

 private:
  AxisWeights weights_;
  Columns columns_;
  int channels_;
  tensor::AlignedBuffer<std::uint8_t> scratch_;
};

/// Vertical resampling, one output row at a time.
class VerticalPass {
 public:
  explicit VerticalPass(const ResizeWindow& spec)
      : weights_(vertical_weights(spec)),
        last_(spec.source.height - 1),
        taps_(2 * std::size_t{weights_.stride}) {
    for (std::uint32_t i = 0; i < size(); ++i) bottom_ = std::max(bottom_, end(i));
  }

  std::uint32_t first(std::uint32_t i) const { return weights_.first[i]; }
  /// One past the last input row that output `i` needs.
  std::uint32_t end(std::uint32_t i) const { return std::min(weights_.end(i), last_ + 1); }
  /// One past the last input row that any output needs.
  std::uint32_t bottom() const { return bottom_; }
  std::uint32_t size() const { return weights_.size(); }

  /// `input(y)` gives input row y, `bytes` of it.
  template <class Input>
  void run(std::uint32_t i, std::size_t bytes, Input input, std::uint8_t* output) {
    for (std::uint32_t k = 0; k < 2 * weights_.pairs[i]; ++k)
      taps_[k] = input(std::min(weights_.first[i] + k, last_));  // past the end: weight 0
    vertical_pass(taps_.data(), bytes, weights_, i, output);
  }

 private:
  AxisWeights weights_;
  std::uint32_t last_;
  std::uint32_t bottom_ = 0;
  std::vector<const std::uint8_t*> taps_;
};

void resize_horizontally(const Source& source, const ResizeWindow& spec, Target target) {
  HorizontalPass pass(spec, source.channels());
  const std::uint32_t left = pass.columns().begin;
  for (std::uint32_t y = 0; y < spec.window.height; y += kBlockRows)
    pass.run(
        std::min(kBlockRows, spec.window.height - y),
        [&](std::uint32_t k) { return source.at(spec.window.top + y + k, left); },
        [&](std::uint32_t k) { return target.row(y + k); });
}

void resize_vertically(const Source& source, const ResizeWindow& spec, Target target) {
  VerticalPass pass(spec);
  for (std::uint32_t i = 0; i < pass.size(); ++i)
    pass.run(
        i, spec.window.width * source.pixel_bytes(),
        [&](std::uint32_t y) { return source.at(y, spec.window.left); }, target.row(i));
}

/// Rows between the passes that must be held at once, so that an output row finds all its taps
/// although the rows come in blocks.
std::uint64_t ring_rows(const ResizeWindow& spec) {
  const std::uint64_t taps = max_taps(spec.source.height, spec.size.height, spec.filter);
  return taps + kBlockRows;
}

/// Both passes, over rows that come one after the other.
class HorizontalFirst {
 public:
  HorizontalFirst(const ResizeWindow& spec, int channels, Target target)
      : horizontal_(spec, channels),
        vertical_(spec),
        target_(target),
        row_bytes_(spec.window.width * static_cast<std::size_t>(channels)),
        ring_(static_cast<std::uint32_t>(ring_rows(spec))),
        rows_(ring_ * row_bytes_),
        ready_(vertical_.first(0)) {}

  std::uint32_t top() const { return vertical_.first(0); }
  std::uint32_t bottom() const { return vertical_.bottom(); }
  Columns columns() const { return horizontal_.columns(); }

  /// The next rows, from top() on, no more than kBlockRows: `input(k)` gives row k of them, from
  /// columns().begin on.
  template <class Input>
  void take(std::uint32_t count, Input input) {
    const auto slot = [&](std::uint32_t y) { return rows_.data() + y % ring_ * row_bytes_; };
    horizontal_.run(count, input, [&](std::uint32_t k) { return slot(ready_ + k); });
    ready_ += count;
    for (; next_ < vertical_.size() && vertical_.end(next_) <= ready_; ++next_)
      vertical_.run(next_, row_bytes_, slot, target_.row(next_));
  }

 private:
  HorizontalPass horizontal_;
  VerticalPass vertical_;
  const Target target_;
  const std::size_t row_bytes_;
  const std::uint32_t ring_;
  tensor::AlignedBuffer<std::uint8_t> rows_;  // those between the passes, by row modulo ring_
  std::uint32_t ready_;                       // rows before this one have been through
  std::uint32_t next_ = 0;                    // output row
};

void resize_horizontal_first(const Source& source, const ResizeWindow& spec, Target target) {
  HorizontalFirst passes(spec, source.channels(), target);
  const std::uint32_t left = passes.columns().begin;
  for (std::uint32_t y = passes.top(); y < passes.bottom(); y += kBlockRows)
    passes.take(std::min(kBlockRows, passes.bottom() - y),
                [&](std::uint32_t k) { return source.at(y + k, left); });
}

void resize_vertical_first(const Source& source, const ResizeWindow& spec, Target target) {
  HorizontalPass horizontal(spec, source.channels());
  VerticalPass vertical(spec);
  const std::uint32_t left = horizontal.columns().begin;
  const std::size_t row_bytes = horizontal.columns().count * source.pixel_bytes();
  tensor::AlignedBuffer<std::uint8_t> block(kBlockRows * row_bytes);
  for (std::uint32_t y = 0; y < vertical.size(); y += kBlockRows) {
    const std::uint32_t count = std::min(kBlockRows, vertical.size() - y);
    for (std::uint32_t k = 0; k < count; ++k)
      vertical.run(
          y + k, row_bytes, [&](std::uint32_t row) { return source.at(row, left); },
          block.data() + k * row_bytes);
    horizontal.run(
        count, [&](std::uint32_t k) { return block.data() + k * row_bytes; },
        [&](std::uint32_t k) { return target.row(y + k); });
  }
}

void copy(const Source& source, const ResizeWindow& spec, Target target) {
  for (std::uint32_t y = 0; y < spec.window.height; ++y)
    std::memcpy(target.row(y), source.at(spec.window.top + y, spec.window.left),
                spec.window.width * source.pixel_bytes());
}

void resize_nearest(const Source& source, const ResizeWindow& spec, Target target) {
  const std::size_t pixel = source.pixel_bytes();
  const auto xs = nearest_positions(source.width(), spec.size.width, horizontal_span(spec));
  const auto ys = nearest_positions(source.height(), spec.size.height, vertical_span(spec));
  for (std::uint32_t y = 0; y < spec.window.height; ++y) {
    const std::uint8_t* from = source.at(ys[y], 0);
    std::uint8_t* to = target.row(y);
    for (std::uint32_t x = 0; x < spec.window.width; ++x)
      for (std::size_t c = 0; c < pixel; ++c) to[x * pixel + c] = from[xs[x] * pixel + c];
  }
}

}  // namespace

void resize_window(const Image& image, const ResizeWindow& spec, std::uint8_t* out,
                   std::size_t stride) {
  assert(bytes_per_sample(image.mode()) == 1);
  assert(spec.window.width > 0 && spec.window.height > 0);
  const Source source(image, spec.source);
  const Target target{out, stride};
  const Passes passes = passes_of(spec);
  if (passes == Passes::kNone) return copy(source, spec, target);
  if (spec.filter == Filter::kNearest) return resize_nearest(source, spec, target);
  if (spec.resampler == Resampler::kImageRs)
    return resize_window_triangle(image, spec, out, stride);
  if (passes == Passes::kHorizontal) return resize_horizontally(source, spec, target);
  if (passes == Passes::kVertical) return resize_vertically(source, spec, target);
  if (vertical_first(spec)) return resize_vertical_first(source, spec, target);
  resize_horizontal_first(source, spec, target);
}

struct WindowResizer::Work {
  HorizontalFirst passes;
  std::size_t left;  // bytes of a row before those that are read
};

static_assert(kStripRows == kBlockRows);

bool WindowResizer::takes(const ResizeWindow& spec) {
  return passes_of(spec) == Passes::kBoth && spec.filter != Filter::kNearest &&
         spec.resampler != Resampler::kFloat && spec.resampler != Resampler::kImageRs &&
         !vertical_first(spec);
}

WindowResizer::WindowResizer(const ResizeWindow& spec, int channels, std::uint8_t* out,
                             std::size_t stride)
    : spec_(spec), work_(new Work{HorizontalFirst(spec, channels, Target{out, stride}), 0}) {
  work_->left = (std::size_t{spec.source.left} + work_->passes.columns().begin) *
                static_cast<std::size_t>(channels);
}

WindowResizer::~WindowResizer() = default;

std::uint32_t WindowResizer::top() const { return spec_.source.top + work_->passes.top(); }
std::uint32_t WindowResizer::bottom() const { return spec_.source.top + work_->passes.bottom(); }

void WindowResizer::take(const std::uint8_t* rows, std::size_t stride,
                         std::uint32_t count) noexcept {
  work_->passes.take(count, [&](std::uint32_t k) { return rows + k * stride + work_->left; });
}

std::uint64_t resize_window_bytes(const ResizeWindow& spec, int channels) {
  const Passes passes = passes_of(spec);
  if (passes == Passes::kNone) return 0;
  if (spec.filter == Filter::kNearest)
    return sizeof(std::uint32_t) * (std::uint64_t{spec.window.width} + spec.window.height);
  if (spec.resampler == Resampler::kImageRs) return resize_window_triangle_bytes(spec, channels);
  constexpr std::uint64_t kPadding = tensor::kAlignment;  // of each aligned buffer
  const auto pixel = static_cast<std::uint64_t>(channels);
  std::uint64_t bytes = 0;
  if (passes != Passes::kVertical)
    bytes +=
        axis_weights_bytes(spec.source.width, spec.size.width, horizontal_span(spec), spec.filter) +
        horizontal_scratch_bytes(spec.source.width, channels) + kPadding;
  if (passes != Passes::kHorizontal) {
    const std::uint64_t taps = max_taps(spec.source.height, spec.size.height, spec.filter) + 2;
    bytes +=
        axis_weights_bytes(spec.source.height, spec.size.height, vertical_span(spec), spec.filter) +
        taps * sizeof(const std::uint8_t*);
  }
  if (passes == Passes::kBoth)
    bytes += kPadding + (vertical_first(spec) ? kBlockRows * pixel * spec.source.width
                                              : ring_rows(spec) * pixel * spec.window.width);
  return bytes;
}

void take_from_reduced(ResizeWindow& spec, const Whole& whole, Size reduced) {
  if (whole.step == 1) return;
  const auto take = [&](std::uint32_t& first, std::uint32_t& count, std::uint32_t side,
                        bool edge_first, double& before, double& after) {
    const double step = whole.step;
    // Where the whole picture begins.
    const double offset =
        edge_first ? std::ceil(side / step) - static_cast<double>(side) / step : 0.0;
    const double begin = offset + first / step;
    const double end = offset + (static_cast<double>(first) + count) / step;
    first = static_cast<std::uint32_t>(begin);
    count = static_cast<std::uint32_t>(std::ceil(end)) - first;
    before = begin - first;
    after = first + static_cast<double>(count) - end;
  };
  assert(reduced.width == (whole.size.width + whole.step - 1) / whole.step);
  assert(reduced.height == (whole.size.height + whole.step - 1) / whole.step);
  static_cast<void>(reduced);
  Box& box = spec.source;
  take(box.left, box.width, whole.size.width, whole.left, spec.margins.left, spec.margins.right);
  take(box.top, box.height, whole.size.height, whole.top, spec.margins.top, spec.margins.bottom);
}

double shrink_of(const ResizeWindow& spec) {
  if (spec.filter == Filter::kNearest) return 1;
  return std::min(static_cast<double>(spec.source.width) / spec.size.width,
                  static_cast<double>(spec.source.height) / spec.size.height);
}

Image resize(const Image& image, Box box, Size size, Filter filter, Resampler resampler) {
  Image result(image.mode(), size);
  const Box whole{0, 0, size.width, size.height};
  resize_window(image, {box, size, whole, filter, resampler}, result.row(0), result.row_bytes());
  return result;
}

Image resize(const Image& image, Size size, Filter filter, Resampler resampler) {
  return resize(image, {0, 0, image.width(), image.height()}, size, filter, resampler);
}

}  // namespace vecframe::image
