#include "models/convolution_steps.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>

namespace vecframe::models {
namespace {

// No tensor bounds the picture that a preprocessor may ask for: maps of more values than these (1
// GiB) have never been useful.
constexpr std::int64_t kMaxMapValues = std::int64_t{1} << 28;

std::int64_t windows(std::int64_t size, const ConvolutionStep& step) {
  const std::int64_t padded = size + step.pad_before + step.pad_after;
  return padded < step.kernel ? 0 : (padded - step.kernel) / step.stride + 1;
}

}  // namespace

double convolution_flops(const ConvolutionPlan& plan) {
  double products = 0;
  for (const ConvolutionStep& step : plan.steps) {
    if (step.kind != StepKind::kConvolve) continue;
    products +=
        static_cast<double>(step.to.shape.values()) *
        static_cast<double>(step.from.shape.channels / step.groups * step.kernel * step.kernel);
  }
  return 2 * products;
}

ConvolutionLayout::ConvolutionLayout(const Checkpoint& checkpoint, TensorCollector& collector,
                                     image::Size picture)
    : checkpoint_(checkpoint),
      collector_(collector),
      picture_{0, {picture.height, picture.width, 3}} {
  plan_.place_values.push_back(picture_.shape.values());
}

std::size_t ConvolutionLayout::place_beside(std::initializer_list<Map> maps) {
  std::size_t place = 0;
  const auto is_taken = [&](const Map& map) { return map.place == place; };
  while (std::any_of(maps.begin(), maps.end(), is_taken)) ++place;
  return place;
}

Map ConvolutionLayout::add(ConvolutionStep step, Map x, std::size_t to, std::int64_t channels) {
  step.from = x;
  step.to = {to, {windows(x.shape.height, step), windows(x.shape.width, step), channels}};
  const MapShape& shape = step.to.shape;
  if (shape.height == 0 || shape.width == 0)
    throw RequestError(fmt::format(
        "model: '{}': the preprocessor makes pictures of {}x{}, which are too small: a map of "
        "{}x{} holds no window of {}",
        checkpoint_.model(), picture_.shape.height, picture_.shape.width, x.shape.height,
        x.shape.width, step.kernel));
  if (shape.height * shape.width > kMaxMapValues / channels)
    throw RequestError(fmt::format(
        "model: '{}': the preprocessor makes pictures of {}x{}, which are too large: a map of "
        "{}x{} with {} channels has more than {} values",
        checkpoint_.model(), picture_.shape.height, picture_.shape.width, shape.height, shape.width,
        channels, kMaxMapValues));
  plan_.place_values.resize(std::max(plan_.place_values.size(), to + 1));
  plan_.place_values[to] = std::max(plan_.place_values[to], shape.values());
  plan_.steps.push_back(step);
  return step.to;
}

Map ConvolutionLayout::convolve(Map x, std::size_t to, const ConvolutionLayer& layer) {
  ConvolutionStep step;
  step.kernel = layer.kernel;
  step.stride = layer.stride;
  step.groups = layer.depthwise ? x.shape.channels : 1;
  step.pad_before = layer.pad_before;
  step.pad_after = layer.pad_after;
  step.activation = layer.activation;
  step.residual = layer.residual;
  std::vector<std::int64_t> shape{layer.out, x.shape.channels / step.groups};
  if (!layer.is_linear) shape.insert(shape.end(), 2, layer.kernel);
  step.layer.weight = collector_.require(layer.name + ".weight", shape);
  if (layer.has_bias) step.layer.bias = collector_.require(layer.name + ".bias", {layer.out});
  if (!layer.batch_norm.empty()) {
    const auto find = [&](const char* part) {
      return collector_.require(layer.batch_norm + part, {layer.out});
    };
    step.batch_norm = {find(".weight"), find(".bias"), find(".running_mean"), find(".running_var"),
                       layer.batch_norm_epsilon};
  }
  if (!layer.layer_scale.empty())
    step.layer_scale = collector_.require(layer.layer_scale, {layer.out});
  return add(step, x, to, layer.out);
}

Map ConvolutionLayout::max_pool(Map x, std::size_t to, std::int64_t kernel, std::int64_t stride,
                                std::int64_t padding) {
  ConvolutionStep step;
  step.kind = StepKind::kMaxPool;
  step.kernel = kernel;
  step.stride = stride;
  step.pad_before = step.pad_after = padding;
  return add(step, x, to, x.shape.channels);
}

Map ConvolutionLayout::normalize(Map x, std::size_t to, const std::string& name, float epsilon) {
  ConvolutionStep step;
  step.kind = StepKind::kNormalize;
  step.epsilon = epsilon;
  step.layer = {collector_.require(name + ".weight", {x.shape.channels}),
                collector_.require(name + ".bias", {x.shape.channels})};
  return add(step, x, to, x.shape.channels);
}

Map ConvolutionLayout::normalize_response(Map x, const std::string& name, float epsilon) {
  ConvolutionStep step;
  step.kind = StepKind::kNormalizeResponse;
  step.epsilon = epsilon;
  step.layer = {collector_.require(name + ".weight", {1, 1, 1, x.shape.channels}),
                collector_.require(name + ".bias", {1, 1, 1, x.shape.channels})};
  return add(step, x, x.place, x.shape.channels);
}

ConvolutionPlan ConvolutionLayout::finish(Map x) {
  plan_.last = x.shape;
  plan_.last_place = x.place;
  return std::move(plan_);
}

}  // namespace vecframe::models
