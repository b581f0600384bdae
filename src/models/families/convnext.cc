// ConvNeXt and ConvNeXt V2: depthwise 7x7, layer norm and an MLP at every position; the second
// version normalises the responses inside the MLP and has no layer scale.
//
// Source: transformers, models/convnext/modeling_convnext.py and
// models/convnextv2/modeling_convnextv2.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/convolutional.h"
#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

constexpr float kInnerEpsilon = 1e-6f;  // whatever layer_norm_eps says, which is the last norm's

struct ConvnextSpec {
  StageSizes stages;
  std::int64_t patch = 4;
  bool has_layer_scale = true;
  bool normalizes_response = false;
  compute::Activation activation = compute::Activation::kGeluErf;
  float final_epsilon = 1e-12f;
};

ConvnextSpec read_spec(const JsonObject& config, bool is_second_version) {
  ConvnextSpec spec;
  spec.stages = read_stages(config, {{96, 192, 384, 768}, {3, 3, 9, 3}});
  const auto stages = static_cast<std::int64_t>(spec.stages.widths.size());
  if (config.integer_or("num_stages", 4, 1, 1 << 16) != stages)
    throw RequestError(
        fmt::format("{}: 'num_stages' is not the {} of 'hidden_sizes'", config.label(), stages));
  spec.patch = config.integer_or("patch_size", 4, 1, 1 << 8);
  spec.normalizes_response = is_second_version;
  spec.has_layer_scale = !is_second_version && config.number_or("layer_scale_init_value", 1e-6) > 0;
  spec.activation = parse_activation(config, "hidden_act", "gelu");
  spec.final_epsilon = static_cast<float>(config.number_or("layer_norm_eps", 1e-12, 0, 1));
  return spec;
}

Map add_block(ConvolutionLayout& layout, const ConvnextSpec& spec, const std::string& name, Map x) {
  const std::int64_t width = x.shape.channels;
  Map y = layout.convolve(x, layout.place_beside({x}),
                          {.name = name + ".dwconv",
                           .out = width,
                           .kernel = 7,
                           .pad_before = 3,
                           .pad_after = 3,
                           .depthwise = true,
                           .has_bias = true});
  y = layout.normalize(y, y.place, name + ".layernorm", kInnerEpsilon);
  Map hidden = layout.convolve(y, layout.place_beside({x, y}),
                               {.name = name + ".pwconv1",
                                .out = 4 * width,
                                .has_bias = true,
                                .is_linear = true,
                                .activation = spec.activation});
  if (spec.normalizes_response)
    hidden = layout.normalize_response(hidden, name + ".grn", kInnerEpsilon);
  return layout.convolve(
      hidden, x.place,
      {.name = name + ".pwconv2",
       .layer_scale = spec.has_layer_scale ? name + ".layer_scale_parameter" : "",
       .out = width,
       .has_bias = true,
       .is_linear = true,
       .residual = Residual::kAdd});
}

Map add_downsampling(ConvolutionLayout& layout, const std::string& name, Map x, std::int64_t out) {
  x = layout.normalize(x, x.place, name + ".0", kInnerEpsilon);
  return layout.convolve(
      x, layout.place_beside({x}),
      {.name = name + ".1", .out = out, .kernel = 2, .stride = 2, .has_bias = true});
}

ConvolutionPlan lay_out(ConvolutionLayout& layout, const ConvnextSpec& spec,
                        const std::string& prefix) {
  Map x = layout.picture();
  x = layout.convolve(x, layout.place_beside({x}),
                      {.name = prefix + "embeddings.patch_embeddings",
                       .out = spec.stages.widths[0],
                       .kernel = spec.patch,
                       .stride = spec.patch,
                       .has_bias = true});
  x = layout.normalize(x, x.place, prefix + "embeddings.layernorm", kInnerEpsilon);
  for (std::size_t s = 0; s < spec.stages.widths.size(); ++s) {
    const std::string stage = fmt::format("{}encoder.stages.{}.", prefix, s);
    if (s > 0) x = add_downsampling(layout, stage + "downsampling_layer", x, spec.stages.widths[s]);
    for (std::int64_t i = 0; i < spec.stages.depths[s]; ++i)
      x = add_block(layout, spec, fmt::format("{}layers.{}", stage, i), x);
  }
  return layout.finish(x);
}

ImageModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                               const ImageModelOptions& options, const char* family,
                               std::string_view model_prefix, bool is_second_version) {
  const JsonObject& config = checkpoint->config();
  check_colour(config);
  refuse_pooling(*checkpoint, family, options);
  const ConvnextSpec spec = read_spec(config, is_second_version);
  const image::PrepareSpec prepare = read_processor(*checkpoint, "ConvNextImageProcessor", options);
  const std::string prefix =
      matching_prefix(*checkpoint, "embeddings.patch_embeddings.weight", {"", model_prefix});
  TensorCollector collector(*checkpoint);
  ConvolutionLayout layout(*checkpoint, collector, prepare.slot_size());
  ConvolutionPlan plan = lay_out(layout, spec, prefix);
  const std::int64_t width = plan.last.channels;
  plan.final_norm = {collector.require(prefix + "layernorm.weight", {width}),
                     collector.require(prefix + "layernorm.bias", {width})};
  plan.final_epsilon = spec.final_epsilon;
  return describe_convolutional_network(checkpoint, family, std::move(plan), collector,
                                        {"classifier."}, prepare);
}

}  // namespace

ImageModelDescription describe_convnext(const std::shared_ptr<const Checkpoint>& checkpoint,
                                        const ImageModelOptions& options) {
  return describe(checkpoint, options, "convnext", "convnext.", /*is_second_version=*/false);
}

ImageModelDescription describe_convnextv2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                          const ImageModelOptions& options) {
  return describe(checkpoint, options, "convnextv2", "convnextv2.", /*is_second_version=*/true);
}

}  // namespace vecframe::models
