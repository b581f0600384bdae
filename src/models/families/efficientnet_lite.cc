// EfficientNet-Lite0, the built-in model: EfficientNet-B0 widths without squeeze-excite.
//
// Source: tensorflow/tpu, models/official/efficientnet/lite/efficientnet_lite_builder.py.

#include "models/convolutional_network.h"
#include "models/families/families.h"

namespace vecframe::models {
namespace {

ConvnetSpec lite0() {
  ConvnetSpec spec;
  spec.image_size = 224;
  spec.stem = 32;
  spec.stages = {
      {.repeats = 1, .kernel = 3, .stride = 1, .expansion = 1, .in = 32, .out = 16},
      {.repeats = 2, .kernel = 3, .stride = 2, .expansion = 6, .in = 16, .out = 24},
      {.repeats = 2, .kernel = 5, .stride = 2, .expansion = 6, .in = 24, .out = 40},
      {.repeats = 3, .kernel = 3, .stride = 2, .expansion = 6, .in = 40, .out = 80},
      {.repeats = 3, .kernel = 5, .stride = 1, .expansion = 6, .in = 80, .out = 112},
      {.repeats = 4, .kernel = 5, .stride = 2, .expansion = 6, .in = 112, .out = 192},
      {.repeats = 1, .kernel = 3, .stride = 1, .expansion = 6, .in = 192, .out = 320},
  };
  spec.head = 1280;
  spec.batch_norm_epsilon = 1e-3;
  return spec;
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
  const ConvnetSpec spec = lite0();
  TensorCollector collector(*checkpoint);
  const std::vector<ConvLayer> layers = find_layers(collector, spec);
  collector.finish({});

  ImageModelDescription description;
  description.family = "efficientnet-lite0";
  description.dimension = spec.head;
  description.parameters = collector.parameters();
  description.matrix_parameters = collector.matrix_parameters();
  description.flops_per_image = convnet_flops(layers);
  description.efficient_batch = 1;  // the early maps have thousands of rows a picture
  description.prepare = lite0_preparation();
  description.load = [checkpoint, spec, layers](compute::Backend& backend,
                                                tensor::Precision precision) {
    return load_convolutional_network(*checkpoint, spec, layers, backend, precision);
  };
  return description;
}

}  // namespace vecframe::models
