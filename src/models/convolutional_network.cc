#include "models/convolutional_network.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vecframe::models {
namespace {

using compute::FeatureMap;
using tensor::AlignedBuffer;

struct Padding {
  std::int64_t before, after;
};

// TensorFlow's "SAME": the output has ceil(in / stride) rows.
Padding same_padding(const ConvLayer& layer) {
  const std::int64_t total =
      std::max<std::int64_t>((layer.out_size - 1) * layer.stride + layer.kernel - layer.in_size, 0);
  return {total / 2, total - total / 2};
}

class LayerFinder {
 public:
  LayerFinder(TensorCollector& collector, std::int64_t size) : collector_(collector), size_(size) {}

  ConvLayer& add(const std::string& convolution, const std::string& norm, ConvLayer layer) {
    layer.in_size = size_;
    layer.out_size = size_ = (size_ + layer.stride - 1) / layer.stride;
    layer.weight = collector_.require(
        convolution + ".weight", {layer.out, layer.in / layer.groups, layer.kernel, layer.kernel});
    layer.scale = collector_.require(norm + ".weight", {layer.out});
    layer.shift = collector_.require(norm + ".bias", {layer.out});
    layer.mean = collector_.require(norm + ".running_mean", {layer.out});
    layer.variance = collector_.require(norm + ".running_var", {layer.out});
    layers_.push_back(layer);
    return layers_.back();
  }
  std::vector<ConvLayer> take() { return std::move(layers_); }

 private:
  TensorCollector& collector_;
  std::int64_t size_;
  std::vector<ConvLayer> layers_;
};

void add_block(LayerFinder& finder, const std::string& prefix, const ConvStage& stage,
               bool is_first) {
  const std::int64_t in = is_first ? stage.in : stage.out;
  const std::int64_t wide = in * stage.expansion;
  const std::int64_t stride = is_first ? stage.stride : 1;
  if (stage.expansion != 1)
    finder.add(prefix + "_expand_conv", prefix + "_bn0", {.in = in, .out = wide});
  finder.add(prefix + "_depthwise_conv", prefix + "_bn1",
             {.in = wide, .out = wide, .kernel = stage.kernel, .stride = stride, .groups = wide});
  finder.add(prefix + "_project_conv", prefix + "_bn2",
             {.in = wide,
              .out = stage.out,
              .activated = false,
              .ends_block = true,
              .residual = stride == 1 && in == stage.out});
}

// w' = w * g, b' = shift - mean * g with g = scale / sqrt(variance + epsilon).
std::unique_ptr<compute::Convolution> pack(const Checkpoint& checkpoint, const ConvLayer& layer,
                                           double epsilon, compute::Backend& backend,
                                           tensor::Precision precision) {
  AlignedBuffer<float> weight = checkpoint.read(*layer.weight);
  const AlignedBuffer<float> scale = checkpoint.read(*layer.scale);
  const AlignedBuffer<float> shift = checkpoint.read(*layer.shift);
  const AlignedBuffer<float> mean = checkpoint.read(*layer.mean);
  const AlignedBuffer<float> variance = checkpoint.read(*layer.variance);
  AlignedBuffer<float> bias(scale.size());
  const std::size_t per_output = weight.size() / scale.size();
  for (std::size_t o = 0; o < scale.size(); ++o) {
    const double gain = scale[o] / std::sqrt(variance[o] + epsilon);
    for (std::size_t i = 0; i < per_output; ++i) {
      float& value = weight[o * per_output + i];
      value = static_cast<float>(value * gain);
    }
    bias[o] = static_cast<float>(shift[o] - mean[o] * gain);
  }
  const Padding padding = same_padding(layer);
  compute::ConvolutionWeights weights;
  weights.weight = {weight.data(), weight.size()};
  weights.bias = {bias.data(), bias.size()};
  weights.in_channels = layer.in;
  weights.out_channels = layer.out;
  weights.kernel = layer.kernel;
  weights.stride = layer.stride;
  weights.groups = layer.groups;
  weights.pad_before = padding.before;
  weights.pad_after = padding.after;
  weights.activation = layer.activated ? compute::Activation::kRelu6 : compute::Activation::kNone;
  return backend.pack(weights, precision);
}

class ConvolutionalNetwork final : public ImageModel {
 public:
  ConvolutionalNetwork(const ConvnetSpec& spec, std::vector<ConvLayer> layers,
                       std::vector<std::unique_ptr<compute::Convolution>> weights)
      : spec_(spec), layers_(std::move(layers)), weights_(std::move(weights)) {
    map_values_ = spec_.image_size * spec_.image_size * 3;
    for (const ConvLayer& layer : layers_)
      map_values_ = std::max(map_values_, layer.out_size * layer.out_size * layer.out);
  }

  std::int64_t activation_values(std::int64_t batch) const override {
    return kMaps * batch * map_values_ + batch * spec_.head + (kMaps + 1) * kPadding;
  }

  void embed(compute::Stream& stream, const compute::PixelBatch& pixels,
             std::span<float> out) const override {
    stream.reset();
    const std::int64_t batch = pixels.batch;
    std::array<float*, kMaps> maps{};
    for (float*& map : maps) map = stream.allocate(batch * map_values_);
    const auto map_of = [&](std::size_t i, std::int64_t size, std::int64_t channels) {
      return FeatureMap{maps[i], batch, size, size, channels};
    };

    // maps[kept] is the input of the current block, which its last layer may need; the layers
    // within write the other two in turn.
    std::size_t kept = 0;
    FeatureMap x = map_of(kept, spec_.image_size, 3);
    stream.load_pixels(pixels, x);
    FeatureMap block_input = x;
    std::size_t at = kept;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const ConvLayer& layer = layers_[i];
      const std::size_t to = free_map(kept, at);
      const FeatureMap y = map_of(to, layer.out_size, layer.out);
      stream.convolve(*weights_[i], x, layer.residual ? block_input : FeatureMap{}, y);
      x = y;
      at = to;
      if (layer.ends_block) {
        block_input = x;
        kept = at;
      }
    }
    const compute::Matrix embedding{stream.allocate(batch * spec_.head), batch, spec_.head,
                                    spec_.head};
    stream.average_pool(x, embedding);
    stream.download(embedding, out);
    stream.reset();
  }

 private:
  static constexpr std::size_t kMaps = 3;
  static constexpr std::int64_t kPadding = tensor::kAlignment / sizeof(float);

  // One that is neither.
  static std::size_t free_map(std::size_t a, std::size_t b) {
    std::size_t i = 0;
    while (i == a || i == b) ++i;
    return i;
  }

  ConvnetSpec spec_;
  std::vector<ConvLayer> layers_;
  std::vector<std::unique_ptr<compute::Convolution>> weights_;
  std::int64_t map_values_ = 0;  // of the largest map of one picture
};

}  // namespace

std::vector<ConvLayer> find_layers(TensorCollector& collector, const ConvnetSpec& spec) {
  LayerFinder finder(collector, spec.image_size);
  finder.add("_conv_stem", "_bn0",
             {.in = 3, .out = spec.stem, .kernel = 3, .stride = 2, .ends_block = true});
  std::int64_t index = 0;
  std::int64_t width = spec.stem;
  for (const ConvStage& stage : spec.stages) {
    for (std::int64_t i = 0; i < stage.repeats; ++i)
      add_block(finder, fmt::format("_blocks.{}.", index++), stage, /*is_first=*/i == 0);
    width = stage.out;
  }
  finder.add("_conv_head", "_bn1", {.in = width, .out = spec.head});
  return finder.take();
}

double convnet_flops(const std::vector<ConvLayer>& layers) {
  double products = 0;
  for (const ConvLayer& layer : layers)
    products += static_cast<double>(layer.out_size * layer.out_size * layer.out *
                                    (layer.in / layer.groups) * layer.kernel * layer.kernel);
  return 2 * products;
}

std::unique_ptr<ImageModel> load_convolutional_network(const Checkpoint& checkpoint,
                                                       const ConvnetSpec& spec,
                                                       const std::vector<ConvLayer>& layers,
                                                       compute::Backend& backend,
                                                       tensor::Precision precision) {
  std::vector<std::unique_ptr<compute::Convolution>> weights;
  weights.reserve(layers.size());
  for (const ConvLayer& layer : layers)
    weights.push_back(pack(checkpoint, layer, spec.batch_norm_epsilon, backend, precision));
  return std::make_unique<ConvolutionalNetwork>(spec, layers, std::move(weights));
}

}  // namespace vecframe::models
