// What a processor does, as a person would say it.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>

#include "image/prepare.h"

namespace vecframe::image {
namespace {

std::string_view name_of(Filter filter) {
  switch (filter) {
    case Filter::kNearest:
      return "nearest";
    case Filter::kBox:
      return "box";
    case Filter::kBilinear:
      return "bilinear";
    case Filter::kBicubic:
      return "bicubic";
    case Filter::kLanczos:
      return "lanczos";
  }
  return "";
}

std::string_view name_of(Resampler resampler) {
  switch (resampler) {
    case Resampler::kTorchvision:
      return "torchvision";
    case Resampler::kPillow12:
    case Resampler::kPillow13:
      return "Pillow";
    case Resampler::kFloat:
      return "torchvision on floats";
    case Resampler::kImageRs:
      return "image-rs";
  }
  return "";
}

// Sizes are width x height, as everywhere else that people read them.
std::string resize_text(const PrepareSpec& spec) {
  const std::string how = fmt::format("{} ({})", name_of(spec.filter), name_of(spec.resampler));
  switch (spec.resize) {
    case ResizeRule::kNone:
      return "no resize";
    case ResizeRule::kExact:
      return fmt::format("resize to {}x{}, {}", spec.resize_width, spec.resize_height, how);
    case ResizeRule::kShortestEdge:
      return fmt::format("resize shorter side to {}, {}", spec.shortest_edge, how);
    case ResizeRule::kCover:
      return fmt::format("resize to cover {}x{}, {}", spec.resize_width, spec.resize_height, how);
    case ResizeRule::kFit:
      return fmt::format("resize to fit into {}x{}, {}", spec.resize_width, spec.resize_height,
                         how);
    case ResizeRule::kCentreSquare:
      return fmt::format("centre square of {} of the shorter side, resize to {}x{}, {}",
                         spec.square_fraction, spec.resize_width, spec.resize_height, how);
    case ResizeRule::kPatches:
      return fmt::format("resize to at most {} patches of {}, aspect ratio kept, {}",
                         spec.max_patches, spec.patch, how);
  }
  return "";
}

}  // namespace

std::string PrepareSpec::readable_text() const {
  std::string text = resize_text(*this);
  if (crop != CropRule::kNone) text += fmt::format("; centre crop {}x{}", crop_width, crop_height);
  if (do_rescale && rescale_factor == 1.0 / 255.0) {
    text += "; values / 255";
  } else if (do_rescale && rescale_factor != 1) {
    text += fmt::format("; values x {}", rescale_factor);
  }
  if (do_normalize)
    text += fmt::format("; mean {:.4g}, std {:.4g}", fmt::join(mean, " "), fmt::join(std, " "));
  return text;
}

}  // namespace vecframe::image
