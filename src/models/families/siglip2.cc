// The image tower of SigLIP 2 NaFlex, in its own checkpoints or with the text tower beside it.
// Pictures keep their aspect ratio, and come in as many patches as that allows.
//
// Source: transformers, models/siglip2/modeling_siglip2.py and configuration_siglip2.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include <cmath>

#include "models/families/families.h"
#include "models/families/siglip_names.h"
#include "models/naflex_transformer.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

// A side of the square that the positions were trained for.
std::int64_t read_trained_side(const JsonObject& vision) {
  constexpr std::int64_t kMaxTrainedPatches = 1 << 16;
  const std::int64_t patches = vision.integer_or("num_patches", 256, 1, kMaxTrainedPatches);
  const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(patches)));
  if (side * side != patches)
    throw RequestError(
        fmt::format("{}: 'num_patches' is {}, not a square number", vision.label(), patches));
  return side;
}

image::PrepareSpec read_preparation(const Checkpoint& checkpoint, std::int64_t patch,
                                    const ImageModelOptions& options) {
  image::PrepareSpec prepare = read_processor(checkpoint, "Siglip2ImageProcessor", options);
  if (!prepare.has_variable_size())
    throw RequestError(fmt::format(
        "model: '{}' takes pictures of their own aspect ratio, but its preprocessor makes all of "
        "one size; it must be a Siglip2ImageProcessor",
        checkpoint.model()));
  if (prepare.patch != patch)
    throw RequestError(fmt::format(
        "model: '{}': the preprocessor makes patches of {}, but the model takes {}; they belong to "
        "different models",
        checkpoint.model(), prepare.patch, patch));
  return prepare;
}

void check_options(const Checkpoint& checkpoint, const ImageModelOptions& options) {
  if (options.image_size)
    throw RequestError(fmt::format(
        "image_size: '{}' (siglip2) keeps the aspect ratio of each picture; leave it out",
        checkpoint.model()));
  if (options.pooling == PoolingChoice::kClassToken)
    throw RequestError(fmt::format(
        "pooling: 'cls' needs a class token, which '{}' (siglip2) does not have; give default or "
        "mean",
        checkpoint.model()));
}

ImageModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                               const JsonObject& vision, const ImageModelOptions& options) {
  check_options(*checkpoint, options);
  VitDefaults defaults;
  defaults.activation = "gelu_pytorch_tanh";
  defaults.epsilon = 1e-6;
  const VitSpec shape = read_vit_spec(vision, defaults);
  NaflexSpec spec;
  static_cast<EncoderSpec&>(spec) = shape;
  spec.mlp_width = read_mlp_width(vision, 3072);
  spec.patch = shape.patch;
  spec.trained_side = read_trained_side(vision);
  // Without a head the reference pools nothing; there is no class token, so the mean is taken.
  spec.has_head = vision.flag_or("vision_use_head", true);

  ImageModelDescription description;
  description.prepare = read_preparation(*checkpoint, spec.patch, options);
  spec.max_patches = description.prepare.max_patches;

  TensorCollector collector(*checkpoint);
  NaflexTensors tensors = find_naflex_tensors(*checkpoint, collector,
                                              matching_names(*checkpoint, {siglip_names()}), spec);
  collector.finish({"text_model.", "logit_scale", "logit_bias", "*position_ids"});

  if (options.pooling == PoolingChoice::kMean) tensors.pool = {};

  description.family = "siglip2";
  description.dimension = spec.width;
  description.parameters = collector.parameters();
  description.matrix_parameters = collector.matrix_parameters();
  description.flops_per_image = naflex_flops(spec, tensors);
  description.efficient_batch = 1;  // pictures differ in size, and one alone fills a product
  description.load = [checkpoint, spec, tensors](compute::Backend& backend,
                                                 tensor::Precision precision) {
    return load_naflex_transformer(*checkpoint, spec, tensors, backend, precision);
  };
  return description;
}

}  // namespace

ImageModelDescription describe_siglip2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                       const ImageModelOptions& options) {
  return describe(checkpoint, nested_config(checkpoint->config(), "vision_config"), options);
}

ImageModelDescription describe_siglip2_vision(const std::shared_ptr<const Checkpoint>& checkpoint,
                                              const ImageModelOptions& options) {
  return describe(checkpoint, checkpoint->config(), options);
}

}  // namespace vecframe::models
