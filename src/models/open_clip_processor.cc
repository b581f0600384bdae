#include <fmt/core.h>
#include <vecframe/error.h>

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "models/processor.h"

namespace vecframe::models {
namespace {

using image::CropRule;
using image::Filter;
using image::PrepareSpec;
using image::ResizeRule;

constexpr std::int64_t kMaxSide = 1 << 14;
constexpr double kMaxValue = 1e6;  // of a mean or deviation

// One number for all channels, or three.
std::array<float, 3> read_channels(const JsonObject& config, std::string_view key,
                                   const std::array<float, 3>& fallback) {
  if (!config.has(key)) return fallback;
  std::vector<double> values;
  if (config.is_list(key))
    values = config.numbers(key);
  else
    values.assign(3, config.number_or(key, 0));
  if (values.size() != 3)
    throw RequestError(
        fmt::format("{}: '{}' is neither a number nor a list of three", config.label(), key));
  std::array<float, 3> channels;
  for (std::size_t i = 0; i < 3; ++i) {
    if (std::abs(values[i]) > kMaxValue)
      throw RequestError(fmt::format("{}: '{}' has {}, which is above {}", config.label(), key,
                                     values[i], kMaxValue));
    channels[i] = static_cast<float>(values[i]);
  }
  return channels;
}

Filter read_filter(const JsonObject& config) {
  const std::string name = config.text_or("interpolation", "bicubic");
  if (name == "bilinear") return Filter::kBilinear;
  if (name == "bicubic" || name == "random") return Filter::kBicubic;  // random: in training only
  throw RequestError(fmt::format("{}: 'interpolation' is '{}'; known are bicubic and bilinear",
                                 config.label(), name));
}

}  // namespace

PrepareSpec read_open_clip_processor(const JsonObject& config, image::Size size,
                                     const ImageModelOptions& options) {
  const JsonObject cfg = config.object("preprocess_cfg")
                             .value_or(JsonObject::empty(config.label() + ": preprocess_cfg"));
  if (options.processor == ProcessorBackend::kTorchvision)
    throw RequestError(fmt::format(
        "{}: open_clip models are prepared by Pillow; the torchvision processor does not exist for "
        "them",
        config.label()));
  if (cfg.text_or("mode", "RGB") != "RGB")
    throw RequestError(fmt::format("{}: 'mode' is not RGB", cfg.label()));
  PrepareSpec spec;
  spec.resampler = image::Resampler::kPillow13;
  spec.crop = CropRule::kRound;
  spec.normalize = image::NormalizeRule::kTimm;
  spec.filter = read_filter(cfg);
  spec.mean = read_channels(cfg, "mean", {0.48145466f, 0.4578275f, 0.40821073f});
  spec.std = read_channels(cfg, "std", {0.26862954f, 0.26130258f, 0.27577711f});
  for (float value : spec.std)
    if (!(value > 0)) throw RequestError(fmt::format("{}: 'std' is not positive", cfg.label()));
  if (options.image_size) {
    if (*options.image_size < 1 || *options.image_size > kMaxSide)
      throw RequestError(fmt::format("image_size: {} is not a side of a picture; give 1 to {}",
                                     *options.image_size, kMaxSide));
    size.height = size.width = static_cast<std::uint32_t>(*options.image_size);
  }
  spec.crop_height = spec.resize_height = size.height;
  spec.crop_width = spec.resize_width = size.width;

  const std::string mode = cfg.text_or("resize_mode", "shortest");
  if (mode == "squash") {
    spec.resize = ResizeRule::kExact;
    spec.crop = CropRule::kNone;
  } else if (mode == "longest") {
    if (cfg.number_or("fill_color", 0) != 0)
      throw RequestError(fmt::format("{}: 'fill_color' is not 0, black", cfg.label()));
    spec.resize = ResizeRule::kFit;
  } else if (mode == "shortest" && size.height == size.width) {
    spec.resize = ResizeRule::kShortestEdge;
    spec.shortest_edge = size.height;
  } else if (mode == "shortest") {
    spec.resize = ResizeRule::kCover;
    spec.filter = Filter::kBicubic;  // whatever the config says, as open_clip has it
  } else {
    throw RequestError(fmt::format(
        "{}: 'resize_mode' is '{}'; known are shortest, longest and squash", cfg.label(), mode));
  }
  return spec;
}

}  // namespace vecframe::models
