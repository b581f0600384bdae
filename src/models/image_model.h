// What the provider needs of a model: a cheap description, and the loaded network behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "compute/backend.h"
#include "image/prepare.h"
#include "tensor/dtype.h"

namespace vecframe::models {

class Checkpoint;

/// A network with packed weights. Shared by all streams of its backend, which outlives it.
class ImageModel {
 public:
  virtual ~ImageModel() = default;
  /// float32 values that embed() takes from its stream for this many pictures.
  virtual std::int64_t activation_values(std::int64_t batch) const = 0;
  /// float32 values that embed() holds besides, at most.
  virtual std::int64_t transient_values() const { return 0; }
  /// `out` receives pixels.batch rows. Pictures do not influence each other. They are of the size
  /// that the description's `prepare` makes; where that varies, of any such size.
  virtual void embed(compute::Stream& stream, const compute::PixelBatch& pixels,
                     std::span<float> out) const = 0;
};

/// What is known from config.json and the tensor headers.
struct ImageModelDescription {
  std::string family;
  std::int64_t dimension = 0;
  std::int64_t parameters = 0;         ///< of the image tower, up to the embedding
  std::int64_t matrix_parameters = 0;  ///< those of them that are stored at the run's precision
  /// 2 x multiply-adds of patch, linear and attention products (or convolutions), as the
  /// architecture defines them.
  double flops_per_image = 0;
  /// Pictures that make a product tall enough for full speed on a processor core; more only take
  /// more memory. 1 where pictures differ in size, because those of one call must not.
  std::int64_t efficient_batch = 1;
  image::PrepareSpec prepare;
  std::function<std::unique_ptr<ImageModel>(compute::Backend&, tensor::Precision)> load;
};

enum class ProcessorBackend : std::uint8_t {
  kFromFile,     ///< torchvision, unless the file names a Pillow processor
  kTorchvision,  ///< as the transformers default
  kPillow,       ///< as processors made with backend="pil"
};

enum class PoolingChoice : std::uint8_t {
  kDefault,     ///< the vector that the reference gives: pooler, head and projection applied
  kClassToken,  ///< the class token after the final norm, without pooler and projection
  kMean,        ///< the mean of the patches after the final norm, likewise
};

/// What a user may ask of a model beside its name.
struct ImageModelOptions {
  ProcessorBackend processor = ProcessorBackend::kFromFile;
  PoolingChoice pooling = PoolingChoice::kDefault;
  /// Side of the square picture that goes into the model, in place of the processor's; positions
  /// are interpolated to it.
  std::optional<std::int64_t> image_size = std::nullopt;
};

/// Chooses the family by config.json. Throws RequestError that names the families there are.
ImageModelDescription describe_image_model(const std::shared_ptr<const Checkpoint>& checkpoint,
                                           const ImageModelOptions& options = {});

}  // namespace vecframe::models
