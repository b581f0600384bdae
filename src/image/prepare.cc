#include "image/prepare.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <string>

#include "image/patch_fit.h"
#include "image/prepare_rows.h"
#include "image/resize_float.h"
#include "image/resize_window.h"

namespace vecframe::image {
namespace {

/// Longest side a picture may be resized to: past it Pillow's own sizes are no longer exact in its
/// float32 boxes, and nothing a picture shows is left.
constexpr std::uint32_t kMaxSide = 1u << 24;

RowError unsupported(Size size, const std::string& why) {
  return {Stage::kPrepare, ErrorCode::kUnsupported,
          "picture of " + std::to_string(size.width) + " x " + std::to_string(size.height) + ": " +
              why};
}

/// What of one axis of a picture of `size` samples a crop to `crop` samples keeps.
struct AxisCrop {
  std::uint32_t source = 0;       ///< first sample kept
  std::uint32_t destination = 0;  ///< where it goes; what precedes it is padding
  std::uint32_t count = 0;
};

AxisCrop crop_axis(CropRule rule, std::uint32_t size, std::uint32_t crop) {
  if (size < crop) {
    const std::uint32_t padding = crop - size;
    const std::uint32_t before =
        rule == CropRule::kPillow ? padding / 2 + padding % 2 : padding / 2;
    return {0, before, size};
  }
  const std::uint32_t rest = size - crop;
  std::uint32_t source = rest / 2;
  if (rule == CropRule::kRound && rest % 4 == 3) ++source;  // a half goes to the even neighbour
  return {source, 0, crop};
}

/// Where the pixels of a slot come from.
struct Layout {
  Size picture;  ///< that the slot will hold
  ResizeWindow resize;
  std::uint32_t left = 0, top = 0;  ///< of the window in the slot
};

Result<Layout> lay_out(const PrepareSpec& spec, Size size) {
  if (size.width == 0 || size.height == 0) return unsupported(size, "has no pixels");
  Layout layout;
  ResizeWindow& resize = layout.resize;
  resize.filter = spec.filter;
  resize.resampler = spec.resampler;
  resize.source = {0, 0, size.width, size.height};
  switch (spec.resize) {
    case ResizeRule::kNone:
      resize.size = size;
      break;
    case ResizeRule::kExact:
      resize.size = {spec.resize_width, spec.resize_height};
      break;
    case ResizeRule::kShortestEdge: {
      const auto [shorter, longer] = std::minmax(size.width, size.height);
      const double length =
          std::trunc(static_cast<double>(std::uint64_t{spec.shortest_edge} * longer) / shorter);
      if (length > kMaxSide)
        return unsupported(
            size, "its longer side would become more than " + std::to_string(kMaxSide) + " pixels");
      const auto other = static_cast<std::uint32_t>(length);
      resize.size = size.width <= size.height ? Size{spec.shortest_edge, other}
                                              : Size{other, spec.shortest_edge};
      break;
    }
    case ResizeRule::kCover:
    case ResizeRule::kFit: {
      const double rows = static_cast<double>(size.height) / spec.resize_height;
      const double columns = static_cast<double>(size.width) / spec.resize_width;
      const double ratio =
          spec.resize == ResizeRule::kCover ? std::min(rows, columns) : std::max(rows, columns);
      const double height = std::nearbyint(size.height / ratio);
      const double width = std::nearbyint(size.width / ratio);
      if (std::max(height, width) > kMaxSide)
        return unsupported(
            size, "its longer side would become more than " + std::to_string(kMaxSide) + " pixels");
      resize.size = {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
      break;
    }
    case ResizeRule::kCentreSquare: {
      const auto side = static_cast<std::uint32_t>(
          std::clamp(std::min(size.width, size.height) * spec.square_fraction, 0.0,
                     static_cast<double>(std::min(size.width, size.height))));
      resize.source = {(size.width - side) / 2, (size.height - side) / 2, side, side};
      resize.size = {spec.resize_width, spec.resize_height};
      break;
    }
    case ResizeRule::kPatches:
      resize.size = fit_patches(size, spec.patch, spec.max_patches);
      if (std::uint64_t{resize.size.width / spec.patch} * (resize.size.height / spec.patch) >
          spec.max_patches)
        return unsupported(size, "is too long for " + std::to_string(spec.max_patches) +
                                     " patches, however far it is reduced");
      if (std::max(resize.size.width, resize.size.height) > kMaxSide)
        return unsupported(
            size, "its longer side would become more than " + std::to_string(kMaxSide) + " pixels");
      break;
  }
  if (resize.source.width == 0 || resize.size.width == 0 || resize.size.height == 0)
    return unsupported(size, "a side would shrink to 0 pixels");

  layout.picture = spec.has_variable_size() ? resize.size : spec.slot_size();
  AxisCrop x{0, 0, resize.size.width}, y{0, 0, resize.size.height};
  if (spec.crop != CropRule::kNone) {
    x = crop_axis(spec.crop, resize.size.width, layout.picture.width);
    y = crop_axis(spec.crop, resize.size.height, layout.picture.height);
  }
  resize.window = {x.source, y.source, x.count, y.count};
  layout.left = x.destination;
  layout.top = y.destination;
  return layout;
}

/// Clears what of the picture lies around the window.
void pad(const Layout& layout, std::uint8_t* out) {
  const Size slot = layout.picture;
  const Box& window = layout.resize.window;
  const std::size_t stride = std::size_t{slot.width} * 3;
  const std::size_t before = std::size_t{layout.left} * 3;
  const std::size_t end = before + std::size_t{window.width} * 3;
  std::memset(out, 0, layout.top * stride);
  for (std::uint32_t y = layout.top; y < layout.top + window.height; ++y) {
    std::memset(out + y * stride, 0, before);
    std::memset(out + y * stride + end, 0, stride - end);
  }
  const std::uint32_t bottom = layout.top + window.height;
  std::memset(out + bottom * stride, 0, (slot.height - bottom) * stride);
}

/// Writes what is not of the window, and gives where that begins.
std::uint8_t* begin_slot(const PrepareSpec& spec, const Layout& layout,
                         std::span<std::uint8_t> slot) {
  const Size size = layout.picture;
  if (spec.has_variable_size()) {
    std::memcpy(slot.data(), &size, sizeof size);
    slot = slot.subspan(sizeof size);
  }
  // Without a crop the slot is the resized picture; a spec whose picture has another size has no
  // slot at all.
  assert(layout.left + layout.resize.window.width <= size.width);
  assert(layout.top + layout.resize.window.height <= size.height);
  pad(layout, slot.data());
  return slot.data() + (std::size_t{layout.top} * size.width + layout.left) * 3;
}

/// Values of a picture of `size`.
std::size_t values_of(Size size) { return std::size_t{size.width} * size.height * 3; }

/// The picture of a processor that rescales, resizes, crops and then normalises.
void prepare_floats(const PrepareSpec& spec, const Image& rgb, const Layout& layout, float* out) {
  const std::size_t count = values_of(layout.picture);
  const std::size_t stride = std::size_t{layout.picture.width} * 3;
  std::fill_n(out, count, 0.0f);
  resize_window_float(rgb, layout.resize,
                      spec.do_rescale ? static_cast<float>(spec.rescale_factor) : 1.0f,
                      out + layout.top * stride + std::size_t{layout.left} * 3, stride);
  if (!spec.do_normalize) return;
  for (std::size_t i = 0; i < count; ++i) out[i] = (out[i] - spec.mean[i % 3]) / spec.std[i % 3];
}

}  // namespace

std::uint64_t prepare_bytes(const PrepareSpec& spec, Size size, const Whole& whole) {
  auto layout = lay_out(spec, whole.size);
  if (!layout) return 0;
  take_from_reduced(layout->resize, whole, size);
  return spec.has_float_slots() ? resize_window_float_bytes(layout->resize)
                                : resize_window_bytes(layout->resize, 3);
}

double shrink_of(const PrepareSpec& spec, Size size) {
  const auto layout = lay_out(spec, size);
  return layout ? shrink_of(layout->resize) : 1;
}

Status prepare(const PrepareSpec& spec, const Image& rgb, std::span<std::uint8_t> slot,
               const std::optional<Whole>& whole) {
  assert(rgb.mode() == Mode::kRGB);
  assert(slot.size() == spec.slot_bytes());
  auto layout = lay_out(spec, whole ? whole->size : rgb.size());
  if (!layout) return layout.error();
  if (whole) take_from_reduced(layout->resize, *whole, rgb.size());
  if (spec.has_float_slots()) {
    assert(reinterpret_cast<std::uintptr_t>(slot.data()) % alignof(float) == 0);
    prepare_floats(spec, rgb, *layout, reinterpret_cast<float*>(slot.data()));
    return Done{};
  }
  resize_window(rgb, layout->resize, begin_slot(spec, *layout, slot),
                std::size_t{layout->picture.width} * 3);
  return Done{};
}

bool prepares_rows(const PrepareSpec& spec, Size size, const Whole& whole) {
  auto layout = lay_out(spec, whole.size);
  if (!layout) return false;
  take_from_reduced(layout->resize, whole, size);
  return WindowResizer::takes(layout->resize);
}

std::uint64_t prepare_rows_bytes(const PrepareSpec& spec, Size size, const Whole& whole) {
  return prepare_bytes(spec, size, whole) + std::uint64_t{kStripRows} * size.width * 3;
}

PrepareRows::PrepareRows(const PrepareSpec& spec, Size size, std::span<std::uint8_t> slot,
                         const Whole& whole)
    : height_(size.height),
      row_bytes_(std::size_t{size.width} * 3),
      strip_(kStripRows * row_bytes_) {
  Layout layout = *lay_out(spec, whole.size);
  take_from_reduced(layout.resize, whole, size);
  resizer_ = std::make_unique<WindowResizer>(layout.resize, 3, begin_slot(spec, layout, slot),
                                             std::size_t{layout.picture.width} * 3);
}

PrepareRows::~PrepareRows() = default;

RowSink::Room PrepareRows::room() noexcept {
  return {strip_.data() + filled_ * row_bytes_,
          std::min(kStripRows - filled_, height_ - first_ - filled_)};
}

void PrepareRows::take(std::uint32_t rows) noexcept {
  filled_ += rows;
  if (filled_ < kStripRows && first_ + filled_ < height_) return;
  const std::uint32_t begin = std::max(first_, resizer_->top());
  const std::uint32_t end = std::min(first_ + filled_, resizer_->bottom());
  if (begin < end)
    resizer_->take(strip_.data() + (begin - first_) * row_bytes_, row_bytes_, end - begin);
  first_ += filled_;
  filled_ = 0;
}

SlotPicture slot_picture(const PrepareSpec& spec, std::span<const std::uint8_t> slot) {
  assert(slot.size() == spec.slot_bytes());
  SlotPicture picture{spec.slot_size(), slot};
  if (spec.has_variable_size()) {
    std::memcpy(&picture.size, slot.data(), sizeof picture.size);
    picture.bytes = slot.subspan(sizeof picture.size);
    assert(values_of(picture.size) <= spec.slot_values());
  }
  picture.bytes =
      picture.bytes.first(values_of(picture.size) * (spec.has_float_slots() ? sizeof(float) : 1));
  return picture;
}

void pixel_values(const PrepareSpec& spec, std::span<const std::uint8_t> slot,
                  std::span<float> out) {
  const auto [size, bytes] = slot_picture(spec, slot);
  assert(out.size() == values_of(size));
  const std::size_t plane = out.size() / 3;
  if (spec.has_float_slots()) {
    const auto* values = reinterpret_cast<const float*>(bytes.data());
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < plane; ++i) out[c * plane + i] = values[3 * i + c];
    return;
  }
  const NormalizationTable table = normalization_table(spec);
  if (spec.resize != ResizeRule::kPatches) {
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < plane; ++i) out[c * plane + i] = table[c][bytes[3 * i + c]];
    return;
  }
  const std::size_t stride = std::size_t{size.width} * 3;
  const std::size_t run = std::size_t{spec.patch} * 3;  // a row of a patch
  float* value = out.data();
  for (std::size_t top = 0; top < size.height; top += spec.patch)
    for (std::size_t left = 0; left < stride; left += run)
      for (std::size_t y = top; y < top + spec.patch; ++y)
        for (std::size_t i = 0; i < run; ++i) *value++ = table[i % 3][bytes[y * stride + left + i]];
}

}  // namespace vecframe::image
