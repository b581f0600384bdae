#include "models/processor.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "models/model_file.h"

namespace vecframe::models {
namespace {

using image::CropRule;
using image::Filter;
using image::NormalizeRule;
using image::PrepareSpec;
using image::Resampler;
using image::ResizeRule;

constexpr std::int64_t kMaxSide = 1 << 14;
constexpr double kMaxValue = 1e6;  // of means, deviations and factors

using Triple = std::array<float, 3>;
constexpr Triple kClipMean{0.48145466f, 0.4578275f, 0.40821073f};
constexpr Triple kClipStd{0.26862954f, 0.26130258f, 0.27577711f};
constexpr Triple kHalf{0.5f, 0.5f, 0.5f};
constexpr Triple kImagenetMean{0.485f, 0.456f, 0.406f};
constexpr Triple kImagenetStd{0.229f, 0.224f, 0.225f};

// What a key that is not in the file means, by class (transformers, models/*/image_processing_*).
struct ProcessorClass {
  std::string_view name;       // without "ImageProcessor"
  bool size_is_shortest_edge;  // what a bare number in `size` is, and the default size
  std::int64_t size;
  std::int64_t crop;  // 0: none by default
  Filter filter;
  Triple mean, std;
  bool is_float = false;       // resizes what it has rescaled; exists for torchvision only
  bool crops_a_share = false;  // reads `crop_pct`; see read_share
  bool is_naflex = false;      // keeps the aspect ratio; `size` and `crop` are not for it
};
constexpr std::array kClasses{
    ProcessorClass{"CLIP", true, 224, 224, Filter::kBicubic, kClipMean, kClipStd},
    ProcessorClass{"ChineseCLIP", true, 224, 224, Filter::kBicubic, kClipMean, kClipStd},
    ProcessorClass{"Bit", true, 224, 224, Filter::kBicubic, kClipMean, kClipStd},
    ProcessorClass{"Siglip", false, 224, 0, Filter::kBicubic, kHalf, kHalf},
    ProcessorClass{"Beit", false, 224, 0, Filter::kBicubic, kHalf, kHalf},
    ProcessorClass{"ViT", false, 224, 0, Filter::kBilinear, kHalf, kHalf},
    ProcessorClass{"DeiT", false, 256, 224, Filter::kBicubic, kHalf, kHalf},
    ProcessorClass{"DINOv3ViT", false, 224, 0, Filter::kBilinear, kImagenetMean, kImagenetStd,
                   /*is_float=*/true},
    ProcessorClass{"ConvNext", true, 384, 0, Filter::kBicubic, kHalf, kHalf,
                   /*is_float=*/false, /*crops_a_share=*/true},
    ProcessorClass{"Siglip2", false, 0, 0, Filter::kBilinear, kHalf, kHalf, /*is_float=*/false,
                   /*crops_a_share=*/false, /*is_naflex=*/true},
};
static_assert(kClasses.size() == 10);

// "CLIPImageProcessorFast" -> class CLIP. `pillow` is set for names that end in "Pil".
const ProcessorClass& find_class(const JsonObject& file, std::string_view fallback, bool& pillow) {
  const std::string type =
      file.text_or("image_processor_type", file.text_or("feature_extractor_type", fallback));
  std::string_view name = type;
  const auto drop = [&](std::string_view suffix) {
    if (!name.ends_with(suffix)) return false;
    name.remove_suffix(suffix.size());
    return true;
  };
  pillow = drop("Pil");
  if (!pillow) drop("Fast");
  std::string known;
  if (drop("ImageProcessor") || drop("FeatureExtractor")) {
    for (const ProcessorClass& candidate : kClasses)
      if (candidate.name == name) return candidate;
  }
  for (const ProcessorClass& candidate : kClasses)
    known += fmt::format("{}{}ImageProcessor", known.empty() ? "" : ", ", candidate.name);
  throw RequestError(fmt::format("{}: the image processor '{}' is not known; known are {}",
                                 file.label(), type, known));
}

Filter read_filter(const JsonObject& file, Filter fallback, bool pillow) {
  if (!file.has("resample")) return fallback;
  // Pillow's numbers.
  constexpr std::array kFilters{Filter::kNearest, Filter::kLanczos, Filter::kBilinear,
                                Filter::kBicubic, Filter::kBox};
  const auto index = static_cast<std::size_t>(file.integer("resample", 0, 4));
  const Filter filter = kFilters[index];
  if (!pillow && (filter == Filter::kNearest || filter == Filter::kBox))
    throw RequestError(fmt::format(
        "{}: 'resample' {} is not supported; use 2 (bilinear), 3 (bicubic) or 1 (lanczos)",
        file.label(), index));
  return filter;
}

Triple read_triple(const JsonObject& file, std::string_view key, const Triple& fallback) {
  if (!file.has(key)) return fallback;
  const std::vector<double> values = file.numbers(key);
  if (values.size() != 3)
    throw RequestError(fmt::format("{}: '{}' is not a list of three numbers", file.label(), key));
  Triple triple;
  for (std::size_t i = 0; i < 3; ++i) {
    if (std::abs(values[i]) > kMaxValue)
      throw RequestError(fmt::format("{}: '{}' has {}, which is above {}", file.label(), key,
                                     values[i], kMaxValue));
    triple[i] = static_cast<float>(values[i]);
  }
  return triple;
}

Triple read_deviation(const JsonObject& file, std::string_view key, const Triple& fallback) {
  const Triple triple = read_triple(file, key, fallback);
  for (float value : triple)
    if (!(value > 0))
      throw RequestError(fmt::format("{}: '{}' is not positive", file.label(), key));
  return triple;
}

std::uint32_t side(const JsonObject& object, std::string_view key) {
  return static_cast<std::uint32_t>(object.integer(key, 1, kMaxSide));
}

void read_resize(const JsonObject& file, const ProcessorClass& type, PrepareSpec& spec) {
  if (!file.flag_or("do_resize", true)) return;
  const auto use_number = [&](std::uint32_t number) {
    if (type.size_is_shortest_edge) {
      spec.resize = ResizeRule::kShortestEdge;
      spec.shortest_edge = number;
    } else {
      spec.resize = ResizeRule::kExact;
      spec.resize_height = spec.resize_width = number;
    }
  };
  if (!file.has("size")) {
    use_number(static_cast<std::uint32_t>(type.size));
  } else if (!file.is_object("size")) {
    use_number(side(file, "size"));
  } else {
    const JsonObject size = *file.object("size");
    if (size.has("height") && size.has("width")) {
      spec.resize = ResizeRule::kExact;
      spec.resize_height = side(size, "height");
      spec.resize_width = side(size, "width");
    } else if (size.has("shortest_edge") && !size.has("longest_edge")) {
      spec.resize = ResizeRule::kShortestEdge;
      spec.shortest_edge = side(size, "shortest_edge");
    } else {
      throw RequestError(fmt::format(
          "{}: is neither 'height' and 'width' nor 'shortest_edge' alone", size.label()));
    }
  }
}

void read_patches(const JsonObject& file, PrepareSpec& spec) {
  constexpr std::int64_t kMaxPatches = 1 << 16;
  if (!file.flag_or("do_resize", true))
    throw RequestError(
        fmt::format("{}: 'do_resize' is false, but only resized pictures are whole patches; set "
                    "it to true",
                    file.label()));
  spec.resize = ResizeRule::kPatches;
  spec.patch = static_cast<std::uint32_t>(file.integer_or("patch_size", 16, 1, kMaxSide));
  spec.max_patches =
      static_cast<std::uint32_t>(file.integer_or("max_num_patches", 256, 1, kMaxPatches));
}

void read_crop(const JsonObject& file, const ProcessorClass& type, bool pillow, PrepareSpec& spec) {
  if (!file.flag_or("do_center_crop", type.crop != 0)) return;
  spec.crop = pillow ? CropRule::kPillow : CropRule::kTorchvision;
  if (file.is_object("crop_size")) {
    const JsonObject size = *file.object("crop_size");
    spec.crop_height = side(size, "height");
    spec.crop_width = side(size, "width");
  } else {
    const std::int64_t fallback = type.crop != 0 ? type.crop : type.size;
    spec.crop_height = spec.crop_width =
        static_cast<std::uint32_t>(file.integer_or("crop_size", fallback, 1, kMaxSide));
  }
}

// A square of side `shortest_edge`: below 384, cropped from a picture whose shorter side is that
// over `crop_pct`; from 384 on, the whole picture, warped. A crop of the same square after it does
// nothing. `requested` stands for another `shortest_edge`.
void read_share(const JsonObject& file, bool pillow, std::optional<std::uint32_t> requested,
                PrepareSpec& spec) {
  constexpr std::uint32_t kLeastWarped = 384;
  if (spec.resize == ResizeRule::kNone) return;
  if (spec.resize == ResizeRule::kExact)
    throw RequestError(
        fmt::format("{}: 'size' of ConvNextImageProcessor is 'shortest_edge' alone", file.label()));
  const std::uint32_t own = spec.shortest_edge;
  const bool crops_same =
      spec.crop == CropRule::kNone || (spec.crop_height == own && spec.crop_width == own);
  if (own < kLeastWarped && !crops_same)
    throw RequestError(fmt::format(
        "{}: 'crop_size' is {}x{}, but ConvNextImageProcessor has cropped to 'shortest_edge' {} by "
        "'crop_pct' before; set 'do_center_crop' to false",
        file.label(), spec.crop_height, spec.crop_width, own));
  const std::uint32_t edge = crops_same ? requested.value_or(own) : own;
  if (edge >= kLeastWarped) {
    spec.resize = ResizeRule::kExact;
    spec.resize_height = spec.resize_width = edge;
    spec.shortest_edge = 0;
    if (crops_same) spec.crop = CropRule::kNone;
    return;
  }
  const double share = file.number_or("crop_pct", 224.0 / 256.0, 0.1, 1);
  spec.shortest_edge = static_cast<std::uint32_t>(edge / share);
  spec.crop = pillow ? CropRule::kPillow : CropRule::kTorchvision;
  spec.crop_height = spec.crop_width = edge;
}

void check_fixed_size(const JsonObject& file, const PrepareSpec& spec) {
  if (spec.crop == CropRule::kNone && spec.resize != ResizeRule::kExact &&
      spec.resize != ResizeRule::kCentreSquare)
    throw RequestError(fmt::format(
        "{}: pictures come out in different sizes; set 'do_center_crop' and 'crop_size', or "
        "'size' with 'height' and 'width'",
        file.label()));
}

JsonObject read_file(const Checkpoint& checkpoint) {
  const auto find = [&](const char* name) {
    return find_model_file(checkpoint.model(), checkpoint.directory(), name);
  };
  if (const auto own = find("preprocessor_config.json")) return JsonObject::read(*own);
  if (const auto joint = find("processor_config.json")) {
    const JsonObject file = JsonObject::read(*joint);
    if (auto part = file.object("image_processor")) return *part;
  }
  throw RequestError(fmt::format(
      "model: '{}' has no preprocessor_config.json in {}; save its image processor beside it with "
      "processor.save_pretrained(dir)",
      checkpoint.model(), checkpoint.directory().string()));
}

Filter timm_filter(const JsonObject& config) {
  const std::string name = config.text_or("interpolation", "bicubic");
  if (name == "bicubic") return Filter::kBicubic;
  if (name == "bilinear") return Filter::kBilinear;
  if (name == "lanczos") return Filter::kLanczos;
  throw RequestError(
      fmt::format("{}: 'interpolation' is '{}'; known are bicubic, bilinear and lanczos",
                  config.label(), name));
}

// [3, side, side]
std::int64_t timm_input_side(const JsonObject& config) {
  const std::vector<double> size = config.numbers("input_size");
  if (size.empty()) return 224;
  if (size.size() != 3 || size[0] != 3 || size[1] != size[2] || size[1] < 1 || size[1] > kMaxSide ||
      size[1] != std::floor(size[1]))
    throw RequestError(fmt::format("{}: 'input_size' is not [3, side, side]", config.label()));
  return static_cast<std::int64_t>(size[1]);
}

std::optional<std::uint32_t> requested_side(const ImageModelOptions& options) {
  if (!options.image_size) return std::nullopt;
  if (*options.image_size < 1 || *options.image_size > kMaxSide)
    throw RequestError(fmt::format("image_size: {} is not a side of a picture; give 1 to {}",
                                   *options.image_size, kMaxSide));
  return static_cast<std::uint32_t>(*options.image_size);
}

// The user's picture size in place of the file's. What a crop leaves out stays the same share.
void set_image_size(const ImageModelOptions& options, PrepareSpec& spec) {
  const std::optional<std::uint32_t> requested = requested_side(options);
  // A model whose pictures have no one size refuses the option itself.
  if (!requested || spec.has_variable_size()) return;
  const std::uint32_t side = *requested;
  const image::Size slot = spec.slot_size();
  const auto scaled = [&](std::uint32_t length, std::uint32_t from) {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(
        1, std::llround(static_cast<double>(length) * side / static_cast<double>(from))));
  };
  spec.shortest_edge = scaled(spec.shortest_edge, std::min(slot.height, slot.width));
  spec.resize_height = scaled(spec.resize_height, slot.height);
  spec.resize_width = scaled(spec.resize_width, slot.width);
  if (spec.crop != CropRule::kNone) spec.crop_height = spec.crop_width = side;
}

}  // namespace

PrepareSpec read_processor(const Checkpoint& checkpoint, std::string_view fallback_type,
                           const ImageModelOptions& options) {
  const JsonObject file = read_file(checkpoint);
  bool pillow = false;
  const ProcessorClass& type = find_class(file, fallback_type, pillow);
  if (options.processor != ProcessorBackend::kFromFile)
    pillow = options.processor == ProcessorBackend::kPillow;

  PrepareSpec spec;
  spec.resampler = pillow ? Resampler::kPillow13 : Resampler::kTorchvision;
  spec.normalize = pillow ? NormalizeRule::kStepwise : NormalizeRule::kFused;
  spec.filter = read_filter(file, type.filter, pillow);
  if (type.is_float) {
    if (pillow)
      throw RequestError(
          fmt::format("{}: {}ImageProcessor exists for torchvision only, not for Pillow",
                      file.label(), type.name));
    if (spec.filter != Filter::kBilinear && spec.filter != Filter::kBicubic)
      throw RequestError(
          fmt::format("{}: 'resample' of {}ImageProcessor must be 2 (bilinear) or 3 (bicubic)",
                      file.label(), type.name));
    spec.resampler = Resampler::kFloat;
    spec.normalize = NormalizeRule::kStepwise;
  }
  if (type.is_naflex) {
    read_patches(file, spec);
  } else {
    read_resize(file, type, spec);
    read_crop(file, type, pillow, spec);
    if (type.crops_a_share) read_share(file, pillow, requested_side(options), spec);
    check_fixed_size(file, spec);
  }
  spec.do_rescale = file.flag_or("do_rescale", true);
  spec.rescale_factor = file.number_or("rescale_factor", 1.0 / 255.0, 1 / kMaxValue, kMaxValue);
  spec.do_normalize = file.flag_or("do_normalize", true);
  spec.mean = read_triple(file, "image_mean", type.mean);
  spec.std = read_deviation(file, "image_std", type.std);
  if (file.flag_or("do_pad", false))
    throw RequestError(fmt::format("{}: 'do_pad' is not supported", file.label()));
  set_image_size(options, spec);
  return spec;
}

PrepareSpec read_timm_processor(const JsonObject& config, const ImageModelOptions& options) {
  if (options.processor == ProcessorBackend::kTorchvision)
    throw RequestError(fmt::format(
        "{}: timm models are prepared by Pillow; the torchvision processor does not exist for them",
        config.label()));
  PrepareSpec spec;
  spec.resize = ResizeRule::kShortestEdge;
  spec.resampler = Resampler::kPillow13;
  spec.crop = CropRule::kRound;
  spec.normalize = NormalizeRule::kTimm;

  const std::optional<JsonObject> nested = config.object("pretrained_cfg");
  const JsonObject& source = nested ? *nested : config;
  spec.filter = timm_filter(source);
  spec.mean = read_triple(source, "mean", nested ? kImagenetMean : kHalf);
  spec.std = read_deviation(source, "std", nested ? kImagenetStd : kHalf);
  if (!nested) {  // flat: the two sizes are spelled out
    spec.shortest_edge = side(config, "resize_shorter");
    spec.crop_height = spec.crop_width = side(config, "crop");
    set_image_size(options, spec);
    return spec;
  }
  const std::int64_t input = timm_input_side(source);
  const double fraction = source.number_or("crop_pct", 0.875, 0.1, 1);
  spec.crop_height = spec.crop_width = static_cast<std::uint32_t>(input);
  const std::string mode = source.text_or("crop_mode", "center");
  if (mode == "squash") {
    spec.resize = ResizeRule::kExact;
    spec.resize_height = spec.resize_width =
        static_cast<std::uint32_t>(std::floor(static_cast<double>(input) / fraction));
  } else if (mode == "center") {
    spec.shortest_edge =
        static_cast<std::uint32_t>(std::floor(static_cast<double>(input) / fraction));
  } else {
    throw RequestError(
        fmt::format("{}: 'crop_mode' is '{}'; known are center and squash", source.label(), mode));
  }
  set_image_size(options, spec);
  return spec;
}

}  // namespace vecframe::models
