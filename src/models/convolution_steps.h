// A convolutional network as data: the steps from the picture to the last feature map, each with
// its tensors. A family lays them out; the network packs and runs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "compute/types.h"
#include "image/image.h"
#include "models/checkpoint.h"
#include "models/encoder_tensors.h"
#include "models/tensor_collector.h"

namespace vecframe::models {

/// Of one picture.
struct MapShape {
  std::int64_t height = 0, width = 0, channels = 0;
  std::int64_t values() const { return height * width * channels; }
};

/// A feature map and the place where it lies. Places are few and are written over in turn.
struct Map {
  std::size_t place = 0;
  MapShape shape;
};

/// scale * (x - mean) / sqrt(variance + epsilon) + shift for each channel, which is folded into the
/// convolution before it.
struct BatchNormTensors {
  const TensorInfo *scale = nullptr, *shift = nullptr, *mean = nullptr, *variance = nullptr;
  double epsilon = 0;
};

/// What a convolution does with the map that lies where it writes.
enum class Residual : std::uint8_t {
  kNone,             ///< writes over it
  kAdd,              ///< adds it to the activated values
  kAddThenActivate,  ///< adds it before the activation
};

enum class StepKind : std::uint8_t {
  kConvolve,
  kMaxPool,
  kNormalize,          ///< layer norm over the channels of each position, maybe in place
  kNormalizeResponse,  ///< global response normalisation, in place
};

struct ConvolutionStep {
  StepKind kind = StepKind::kConvolve;
  Map from, to;
  std::int64_t kernel = 1, stride = 1, groups = 1;
  std::int64_t pad_before = 0, pad_after = 0;
  compute::Activation activation = compute::Activation::kNone;
  Residual residual = Residual::kNone;
  Affine layer;  ///< of the convolution or norm; null for a pool
  BatchNormTensors batch_norm;
  const TensorInfo* layer_scale = nullptr;  ///< factor of each output channel, or null
  float epsilon = 0;                        ///< of a norm
};

/// The steps, and what comes after the mean of the last map.
struct ConvolutionPlan {
  std::vector<ConvolutionStep> steps;
  std::vector<std::int64_t> place_values;  ///< of the largest map of each place
  MapShape last;
  std::size_t last_place = 0;
  Affine final_norm;  ///< layer norm of the mean; null if there is none
  float final_epsilon = 0;
};

double convolution_flops(const ConvolutionPlan& plan);

/// One convolution as a family sees it. Names of tensors that are empty mean that there are none.
struct ConvolutionLayer {
  std::string name;              ///< "<name>.weight", and "<name>.bias" if `has_bias`
  std::string batch_norm = {};   ///< "<batch_norm>.running_mean", ...
  std::string layer_scale = {};  ///< the whole name
  std::int64_t out = 0, kernel = 1, stride = 1;
  std::int64_t pad_before = 0, pad_after = 0;
  bool depthwise = false;
  bool has_bias = false;
  bool is_linear = false;  ///< a 1x1 convolution stored as a matrix
  double batch_norm_epsilon = 1e-5;
  compute::Activation activation = compute::Activation::kNone;
  Residual residual = Residual::kNone;
};

/// Lays out steps one after the other and finds their tensors by name; the collector remembers
/// those that are missing. Throws RequestError for a picture that is too small or too large.
class ConvolutionLayout {
 public:
  ConvolutionLayout(const Checkpoint& checkpoint, TensorCollector& collector, image::Size picture);

  Map picture() const { return picture_; }
  /// A place that none of these maps is in.
  static std::size_t place_beside(std::initializer_list<Map> maps);

  Map convolve(Map x, std::size_t to, const ConvolutionLayer& layer);
  Map max_pool(Map x, std::size_t to, std::int64_t kernel, std::int64_t stride,
               std::int64_t padding);
  Map normalize(Map x, std::size_t to, const std::string& name, float epsilon);
  Map normalize_response(Map x, const std::string& name, float epsilon);
  /// The plan whose last map is x, without a final norm.
  ConvolutionPlan finish(Map x);

 private:
  Map add(ConvolutionStep step, Map x, std::size_t to, std::int64_t channels);

  const Checkpoint& checkpoint_;
  TensorCollector& collector_;
  Map picture_;
  ConvolutionPlan plan_;
};

}  // namespace vecframe::models
