// EfficientNet-Lite0, the built-in model: EfficientNet-B0 widths without squeeze-excite.
//
// Source: tensorflow/tpu, models/official/efficientnet/lite/efficientnet_lite_builder.py.

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "models/families/convolutional.h"
#include "models/families/families.h"

namespace vecframe::models {
namespace {

using compute::Activation;

/// `repeats` blocks: expand 1x1, depthwise kernel x kernel, project 1x1 (linear). The first block
/// has the stride and changes the width; the others are residual.
struct Stage {
  std::int64_t repeats, kernel, stride, expansion, out;
};
constexpr std::array kStages{
    Stage{.repeats = 1, .kernel = 3, .stride = 1, .expansion = 1, .out = 16},
    Stage{.repeats = 2, .kernel = 3, .stride = 2, .expansion = 6, .out = 24},
    Stage{.repeats = 2, .kernel = 5, .stride = 2, .expansion = 6, .out = 40},
    Stage{.repeats = 3, .kernel = 3, .stride = 2, .expansion = 6, .out = 80},
    Stage{.repeats = 3, .kernel = 5, .stride = 1, .expansion = 6, .out = 112},
    Stage{.repeats = 4, .kernel = 5, .stride = 2, .expansion = 6, .out = 192},
    Stage{.repeats = 1, .kernel = 3, .stride = 1, .expansion = 6, .out = 320},
};
constexpr std::int64_t kStem = 32, kHead = 1280;  // channels

// A convolution with batch norm and TensorFlow's "SAME" padding: the output has ceil(size / stride)
// rows, and of an odd total the extra row is below and right.
ConvolutionLayer layer(const Map& x, const std::string& convolution, const std::string& norm,
                       std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t size = x.shape.height, out_size = (size + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((out_size - 1) * stride + kernel - size, 0);
  return {.name = convolution,
          .batch_norm = norm,
          .out = out,
          .kernel = kernel,
          .stride = stride,
          .pad_before = total / 2,
          .pad_after = total - total / 2,
          .batch_norm_epsilon = 1e-3,
          .activation = Activation::kRelu6};
}

Map add_block(ConvolutionLayout& layout, const std::string& name, const Stage& stage, Map x,
              std::int64_t stride) {
  const Map input = x;
  const std::int64_t wide = x.shape.channels * stage.expansion;
  if (stage.expansion != 1)
    x = layout.convolve(x, layout.place_beside({x}),
                        layer(x, name + "_expand_conv", name + "_bn0", wide, 1, 1));
  ConvolutionLayer depthwise =
      layer(x, name + "_depthwise_conv", name + "_bn1", wide, stage.kernel, stride);
  depthwise.depthwise = true;
  x = layout.convolve(x, layout.place_beside({x, input}), depthwise);
  ConvolutionLayer project = layer(x, name + "_project_conv", name + "_bn2", stage.out, 1, 1);
  project.activation = Activation::kNone;
  if (stride == 1 && input.shape.channels == stage.out) project.residual = Residual::kAdd;
  return layout.convolve(x, input.place, project);
}

ConvolutionPlan lay_out(ConvolutionLayout& layout) {
  Map x = layout.picture();
  x = layout.convolve(x, layout.place_beside({x}), layer(x, "_conv_stem", "_bn0", kStem, 3, 2));
  int index = 0;
  for (const Stage& stage : kStages)
    for (std::int64_t i = 0; i < stage.repeats; ++i)
      x = add_block(layout, fmt::format("_blocks.{}.", index++), stage, x,
                    i == 0 ? stage.stride : 1);
  x = layout.convolve(x, layout.place_beside({x}), layer(x, "_conv_head", "_bn1", kHead, 1, 1));
  return layout.finish(x);
}

// The centre square that is 224/256 of the shorter side, by Pillow's bicubic, (x - 127) / 128.
image::PrepareSpec lite0_preparation() {
  image::PrepareSpec spec;
  spec.resize = image::ResizeRule::kCentreSquare;
  spec.resize_height = spec.resize_width = 224;
  spec.square_fraction = 224.0 / 256.0;
  spec.filter = image::Filter::kBicubic;
  spec.resampler = image::Resampler::kPillow13;
  spec.rescale_factor = 1;
  spec.mean = {127, 127, 127};
  spec.std = {128, 128, 128};
  spec.normalize = image::NormalizeRule::kStepwise;
  return spec;
}

}  // namespace

ImageModelDescription describe_efficientnet_lite(
    const std::shared_ptr<const Checkpoint>& checkpoint, const ImageModelOptions& options) {
  refuse_image_options(*checkpoint, "efficientnet-lite0", options);
  const image::PrepareSpec prepare = lite0_preparation();
  TensorCollector collector(*checkpoint);
  ConvolutionLayout layout(*checkpoint, collector, prepare.slot_size());
  return describe_convolutional_network(checkpoint, "efficientnet-lite0", lay_out(layout),
                                        collector, {}, prepare);
}

}  // namespace vecframe::models
