#include "exec/image_calls.h"

#include <utility>

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

Result<RowValue> resize(const FunctionCall& call, const Image& picture) {
  Result<Image> resized = image::resize_to_fit(picture, {side(call, "w"), side(call, "h")},
                                               fit_of(text_option(call, "fit")),
                                               filter_of(text_option(call, "filter")));
  if (!resized) return std::move(resized).error();
  return RowValue(std::move(resized).value());
}

Result<RowValue> crop(const FunctionCall& call, const Image& picture) {
  Image part =
      image::crop(picture, {side(call, "x"), side(call, "y"), side(call, "w"), side(call, "h")});
  // A picture of no pixels is none, as in the reference.
  if (part.width() == 0 || part.height() == 0) return RowValue();
  return RowValue(std::move(part));
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

Result<RowValue> call_image_function(const FunctionCall& call, Image picture) {
  if (call.name == "convert_image")
    return RowValue(image::convert(std::move(picture), mode_of(text_option(call, "mode"))));
  if (call.name == "resize") return resize(call, picture);
  if (call.name == "crop") return crop(call, picture);
  if (call.name == "encode_image") return encode(call, picture);
  if (call.name == "image_hash") return hash(call, picture);
  return attribute(call.name, picture);
}

}  // namespace vecframe::exec
