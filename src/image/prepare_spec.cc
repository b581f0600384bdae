#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "image/prepare.h"

namespace vecframe::image {
namespace {

std::string_view name_of(ResizeRule rule) {
  switch (rule) {
    case ResizeRule::kNone:
      return "none";
    case ResizeRule::kExact:
      return "exact";
    case ResizeRule::kShortestEdge:
      return "shortest_edge";
    case ResizeRule::kCover:
      return "cover";
    case ResizeRule::kFit:
      return "fit";
    case ResizeRule::kCentreSquare:
      return "centre_square";
    case ResizeRule::kPatches:
      return "patches";
  }
  return "";
}

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
      return "pillow12";
    case Resampler::kPillow13:
      return "pillow13";
    case Resampler::kFloat:
      return "float";
    case Resampler::kImageRs:
      return "image-rs";
  }
  return "";
}

std::string_view name_of(CropRule rule) {
  switch (rule) {
    case CropRule::kNone:
      return "none";
    case CropRule::kTorchvision:
      return "torchvision";
    case CropRule::kPillow:
      return "pillow";
    case CropRule::kRound:
      return "round";
  }
  return "";
}

std::string_view name_of(NormalizeRule rule) {
  switch (rule) {
    case NormalizeRule::kFused:
      return "fused";
    case NormalizeRule::kStepwise:
      return "stepwise";
    case NormalizeRule::kTimm:
      return "timm";
  }
  return "";
}

/// Builds `name=value;...`. Numbers are the shortest decimal that reads back as the same number,
/// whatever the locale.
class FieldText {
 public:
  void add(std::string_view name, std::string_view value) {
    text_.append(name).append("=").append(value).append(";");
  }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void add(std::string_view name, Number value) { add(name, number(value)); }
  void add(std::string_view name, const std::array<float, 3>& values) {
    add(name, number(values[0]) + "," + number(values[1]) + "," + number(values[2]));
  }
  std::string take() { return std::move(text_); }

 private:
  template <class Number>
  static std::string number(Number value) {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return {digits, end};
  }
  std::string text_;
};

}  // namespace

Size PrepareSpec::slot_size() const {
  if (crop != CropRule::kNone) return {crop_width, crop_height};
  if (resize == ResizeRule::kExact || resize == ResizeRule::kCentreSquare)
    return {resize_width, resize_height};
  return {};
}

std::size_t PrepareSpec::slot_values() const {
  if (has_variable_size()) return std::size_t{max_patches} * patch * patch * 3;
  const Size size = slot_size();
  return std::size_t{size.width} * size.height * 3;
}

std::size_t PrepareSpec::slot_bytes() const {
  return (has_variable_size() ? sizeof(Size) : 0) +
         slot_values() * (has_float_slots() ? sizeof(float) : sizeof(std::uint8_t));
}

std::string PrepareSpec::canonical_text() const {
  FieldText text;
  text.add("resize", name_of(resize));
  text.add("resize_height", resize_height);
  text.add("resize_width", resize_width);
  text.add("shortest_edge", shortest_edge);
  text.add("square_fraction", square_fraction);
  text.add("patch", patch);
  text.add("max_patches", max_patches);
  text.add("filter", name_of(filter));
  text.add("resampler", name_of(resampler));
  text.add("crop", name_of(crop));
  text.add("crop_height", crop_height);
  text.add("crop_width", crop_width);
  text.add("do_rescale", std::string_view(do_rescale ? "true" : "false"));
  text.add("rescale_factor", rescale_factor);
  text.add("do_normalize", std::string_view(do_normalize ? "true" : "false"));
  text.add("mean", mean);
  text.add("std", std);
  text.add("normalize", name_of(normalize));
  return text.take();
}

NormalizationTable normalization_table(const PrepareSpec& spec) {
  // Every variable below is a float32 on purpose: it is where the processors round.
  NormalizationTable table;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const bool fused =
        spec.normalize == NormalizeRule::kFused && spec.do_rescale && spec.do_normalize;
    float mean = spec.mean[channel];
    float std = spec.std[channel];
    if (fused) {
      const auto inverse = static_cast<float>(1.0 / spec.rescale_factor);
      mean = mean * inverse;
      std = std * inverse;
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
      auto value = static_cast<float>(byte);
      if (spec.do_rescale && !fused) switch (spec.normalize) {
          case NormalizeRule::kFused:
            value = value * static_cast<float>(spec.rescale_factor);
            break;
          case NormalizeRule::kStepwise:
            value = static_cast<float>(static_cast<double>(byte) * spec.rescale_factor);
            break;
          case NormalizeRule::kTimm:
            value = value / 255.0f;
            break;
        }
      if (spec.do_normalize) {
        const float centred = value - mean;
        value = centred / std;
      }
      table[channel][byte] = value;
    }
  }
  return table;
}

}  // namespace vecframe::image
