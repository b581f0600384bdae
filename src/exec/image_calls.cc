#include "exec/image_calls.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "image/composite.h"
#include "image/convert.h"
#include "image/crop.h"
#include "image/encode.h"
#include "image/fit.h"
#include "image/image_hash.h"
#include "plan/function_table.h"

namespace vecframe::exec {
namespace {

using image::Image;
using image::Mode;
using plan::FunctionCall;
using plan::integer_option;
using plan::text_option;

std::uint32_t side(const FunctionCall& call, const char* option) {
  return static_cast<std::uint32_t>(integer_option(call, option));
}

// "triangle" is the bilinear filter of the reference dataframe.
image::Filter filter_of(const std::string& name) {
  if (name == "nearest") return image::Filter::kNearest;
  if (name == "box") return image::Filter::kBox;
  if (name == "bicubic") return image::Filter::kBicubic;
  return name == "lanczos" ? image::Filter::kLanczos : image::Filter::kBilinear;
}

image::Fit fit_of(const std::string& name) {
  if (name == "contain") return image::Fit::kContain;
  if (name == "cover") return image::Fit::kCover;
  return name == "inside" ? image::Fit::kInside : image::Fit::kFill;
}

image::Format format_of(const std::string& name) {
  if (name == "jpeg") return image::Format::kJpeg;
  if (name == "tiff") return image::Format::kTiff;
  if (name == "gif") return image::Format::kGif;
  if (name == "bmp") return image::Format::kBmp;
  return name == "webp" ? image::Format::kWebp : image::Format::kPng;
}

Result<RowValue> owned(Result<std::vector<std::byte>> bytes) {
  if (!bytes) return std::move(bytes).error();
  RowBytes value;
  value.owned = std::move(bytes).value();
  value.view = value.owned;
  return RowValue(std::move(value));
}

// Alpha counts only where it is taken away.
Image convert(const FunctionCall& call, Image picture) {
  const Mode mode = mode_of(text_option(call, "mode"));
  if (text_option(call, "alpha") == "white" && num_channels(mode) % 2 == 1)
    picture = image::on_white(picture);
  return image::convert(std::move(picture), mode);
}

Result<RowValue> resize(const FunctionCall& call, const Image& picture,
                        const std::optional<image::Whole>& whole) {
  const std::string& filter = text_option(call, "filter");
  Result<Image> resized = image::resize_to_fit(
      picture, {side(call, "w"), side(call, "h")}, fit_of(text_option(call, "fit")),
      filter_of(filter),
      filter == "bilinear" ? image::Resampler::kPillow13 : image::Resampler::kImageRs, whole);
  if (!resized) return std::move(resized).error();
  return RowValue(std::move(resized).value());
}

// The box of the options, or that of the row: x, y, width, height.
Result<image::Box> box_of(const FunctionCall& call, const RowValue& given) {
  const auto* sides = std::get_if<std::vector<std::int64_t>>(&given);
  if (sides == nullptr)
    return image::Box{side(call, "x"), side(call, "y"), side(call, "w"), side(call, "h")};
  if (sides->size() != 4 ||
      std::any_of(sides->begin(), sides->end(), [](std::int64_t value) { return value < 0; }))
    return RowError{Stage::kPrepare, ErrorCode::kUnsupported,
                    "a box is 4 integers of at least 0: x, y, width, height"};
  const auto clipped = [&](std::size_t i) {
    return static_cast<std::uint32_t>(std::min<std::int64_t>((*sides)[i], UINT32_MAX));
  };
  return image::Box{clipped(0), clipped(1), clipped(2), clipped(3)};
}

Result<RowValue> crop(const FunctionCall& call, const Image& picture, const RowValue& given) {
  const Result<image::Box> box = box_of(call, given);
  if (!box) return box.error();
  Image part = image::crop(picture, *box);
  // A picture of no pixels is none, as in the reference.
  if (part.width() == 0 || part.height() == 0) return RowValue();
  return RowValue(std::move(part));
}

// A tensor has the values of its picture, but no more than its type can hold.
Result<RowValue> tensor(Image picture) {
  if (picture.pixels().size() > std::size_t{std::numeric_limits<std::int32_t>::max()})
    return RowError{Stage::kPrepare, ErrorCode::kUnsupported,
                    "a tensor of varied shape holds less than 2 GiB"};
  return RowValue(std::move(picture));
}

Result<RowValue> encode(const FunctionCall& call, const Image& picture) {
  image::EncodeOptions options;
  options.format = format_of(text_option(call, "format"));
  options.quality = static_cast<int>(integer_option(call, "quality"));
  options.lossless = plan::flag_option(call, "lossless");
  return owned(image::encode(picture, options));
}

Result<RowValue> hash(const FunctionCall& call, const Image& picture) {
  const image::HashOptions options{integer_option(call, "hash_size"),
                                   integer_option(call, "binbits"),
                                   integer_option(call, "segments")};
  return owned(
      image::image_hash(picture, image::parse_hash_method(text_option(call, "method")), options));
}

RowValue attribute(const std::string& name, const Image& picture) {
  if (name == "image_width") return picture.width();
  if (name == "image_height") return picture.height();
  if (name == "image_mode") return static_cast<std::uint32_t>(picture.mode());
  return static_cast<std::uint32_t>(num_channels(picture.mode()));
}

}  // namespace

Mode mode_of(const std::string& name) {
  if (name == "L") return Mode::kL;
  if (name == "LA") return Mode::kLA;
  return name == "RGBA" ? Mode::kRGBA : Mode::kRGB;
}

Result<RowValue> call_image_function(const FunctionCall& call, Image picture,
                                     const RowValue& second,
                                     const std::optional<image::Whole>& whole) {
  if (call.name == "convert_image") return RowValue(convert(call, std::move(picture)));
  if (call.name == "resize") return resize(call, picture, whole);
  if (call.name == "crop") return crop(call, picture, second);
  if (call.name == "image_to_tensor") return tensor(std::move(picture));
  if (call.name == "encode_image") return encode(call, picture);
  if (call.name == "image_hash") return hash(call, picture);
  return attribute(call.name, picture);
}

double shrink_of_resize(const FunctionCall& call, image::Size size) {
  return image::shrink_to_fit(size, {side(call, "w"), side(call, "h")},
                              fit_of(text_option(call, "fit")),
                              filter_of(text_option(call, "filter")));
}

}  // namespace vecframe::exec
