// ResNet: a stem, then stages of basic or bottleneck blocks, each of which adds its input, or a
// strided projection of it, before the last activation.
//
// Source: transformers, models/resnet/modeling_resnet.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/convolutional.h"
#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

using compute::Activation;

struct ResnetSpec {
  std::int64_t stem = 64;
  StageSizes stages;
  bool is_bottleneck = true;
  bool downsamples_first_stage = false;
  bool strides_first = false;  ///< of a bottleneck: the stride is the first 1x1's, not the 3x3's
  Activation activation = Activation::kRelu;
};

ResnetSpec read_spec(const JsonObject& config) {
  ResnetSpec spec;
  spec.stem = config.integer_or("embedding_size", 64, 1, 1 << 14);
  spec.stages = read_stages(config, {{256, 512, 1024, 2048}, {3, 4, 6, 3}});
  const std::string type = config.text_or("layer_type", "bottleneck");
  if (type != "bottleneck" && type != "basic")
    throw RequestError(fmt::format("{}: 'layer_type' is '{}'; known are bottleneck and basic",
                                   config.label(), type));
  spec.is_bottleneck = type == "bottleneck";
  if (spec.is_bottleneck) {
    for (const std::int64_t width : spec.stages.widths)
      if (width < 4)
        throw RequestError(fmt::format("{}: 'hidden_sizes' has {}; a bottleneck takes at least 4",
                                       config.label(), width));
  }
  spec.downsamples_first_stage = config.flag_or("downsample_in_first_stage", false);
  spec.strides_first = config.flag_or("downsample_in_bottleneck", false);
  spec.activation = parse_activation(config, "hidden_act", "relu");
  return spec;
}

// A convolution that keeps the size at stride 1, and its batch norm.
ConvolutionLayer layer(const std::string& name, std::int64_t out, std::int64_t kernel,
                       std::int64_t stride, Activation activation) {
  return {.name = name + ".convolution",
          .batch_norm = name + ".normalization",
          .out = out,
          .kernel = kernel,
          .stride = stride,
          .pad_before = kernel / 2,
          .pad_after = kernel / 2,
          .activation = activation};
}

// The activations within a block are ReLU whatever the config says.
Map add_block(ConvolutionLayout& layout, const ResnetSpec& spec, const std::string& name, Map x,
              std::int64_t out, std::int64_t stride) {
  constexpr Activation kInner = Activation::kRelu;
  Map shortcut = x;
  if (x.shape.channels != out || stride != 1)
    shortcut = layout.convolve(x, layout.place_beside({x}),
                               layer(name + ".shortcut", out, 1, stride, Activation::kNone));
  const auto add = [&](int index, std::int64_t width, std::int64_t kernel, std::int64_t step) {
    x = layout.convolve(
        x, layout.place_beside({x, shortcut}),
        layer(fmt::format("{}.layer.{}", name, index), width, kernel, step, kInner));
  };
  int last = 1;
  if (spec.is_bottleneck) {
    const std::int64_t narrow = out / 4;
    add(0, narrow, 1, spec.strides_first ? stride : 1);
    add(1, narrow, 3, spec.strides_first ? 1 : stride);
    last = 2;
  } else {
    add(0, out, 3, stride);
  }
  ConvolutionLayer end = layer(fmt::format("{}.layer.{}", name, last), out,
                               spec.is_bottleneck ? 1 : 3, 1, spec.activation);
  end.residual = Residual::kAddThenActivate;
  return layout.convolve(x, shortcut.place, end);
}

ConvolutionPlan lay_out(ConvolutionLayout& layout, const ResnetSpec& spec,
                        const std::string& prefix) {
  Map x = layout.picture();
  x = layout.convolve(x, layout.place_beside({x}),
                      layer(prefix + "embedder.embedder", spec.stem, 7, 2, spec.activation));
  x = layout.max_pool(x, layout.place_beside({x}), 3, 2, 1);
  for (std::size_t s = 0; s < spec.stages.widths.size(); ++s) {
    const bool downsamples = s > 0 || spec.downsamples_first_stage;
    for (std::int64_t i = 0; i < spec.stages.depths[s]; ++i)
      x = add_block(layout, spec, fmt::format("{}encoder.stages.{}.layers.{}", prefix, s, i), x,
                    spec.stages.widths[s], i == 0 && downsamples ? 2 : 1);
  }
  return layout.finish(x);
}

}  // namespace

ImageModelDescription describe_resnet(const std::shared_ptr<const Checkpoint>& checkpoint,
                                      const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  check_colour(config);
  refuse_pooling(*checkpoint, "resnet", options);
  const ResnetSpec spec = read_spec(config);
  const image::PrepareSpec prepare = read_processor(*checkpoint, "ConvNextImageProcessor", options);
  TensorCollector collector(*checkpoint);
  ConvolutionLayout layout(*checkpoint, collector, prepare.slot_size());
  ConvolutionPlan plan = lay_out(
      layout, spec,
      matching_prefix(*checkpoint, "embedder.embedder.convolution.weight", {"", "resnet."}));
  return describe_convolutional_network(checkpoint, "resnet", std::move(plan), collector,
                                        {"classifier.", "*.num_batches_tracked"}, prepare);
}

}  // namespace vecframe::models
