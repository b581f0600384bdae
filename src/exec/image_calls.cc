#include "exec/image_calls.h"

#include <utility>

#include "image/convert.h"
#include "plan/function_table.h"

namespace vecframe::exec {
namespace {

using image::Mode;

RowValue attribute(const std::string& name, const image::Image& picture) {
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

Result<RowValue> call_image_function(const plan::FunctionCall& call, image::Image picture) {
  if (call.name == "convert_image")
    return RowValue(image::convert(std::move(picture), mode_of(plan::text_option(call, "mode"))));
  return attribute(call.name, picture);
}

}  // namespace vecframe::exec
