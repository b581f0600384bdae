// The contract between the executor and whatever makes vectors of pictures.
//
// A descriptor is cheap: it knows the facts the plan needs and has loaded no weights. instantiate()
// makes the embedder, once per process; each worker thread then takes a lane of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/core_share.h"
#include "image/prepare.h"
#include "tensor/dtype.h"

namespace vecframe::embed {

struct EmbedderFacts {
  std::string provider;               ///< "transformers", "builtin"
  std::string model;                  ///< as the user spelled it
  std::string family;                 ///< "clip", "vit", "dinov2", "efficientnet-lite0"
  std::string revision;               ///< hub revision if known, else empty
  std::string model_fingerprint;      ///< of config and weight files: content
  std::string processor_fingerprint;  ///< of the preparation recipe, or of the tokenizer
  std::string pooling;                ///< "cls" or "mean" where the user asked for it, else empty
  std::string licence;                ///< SPDX if known, else empty
  std::int64_t dimension = 0;         ///< of the vectors the embedder makes
  tensor::Precision precision = tensor::Precision::kFp32;
  std::string device;  ///< backend name and details
  std::int64_t parameters = 0;
  std::int64_t weight_bytes = 0;  ///< packed, at this precision
  /// 2 x multiply-adds of patch, linear and attention products for a picture, or for the longest
  /// text.
  double flops_per_row = 0;
  std::map<std::string, std::string> details;  ///< whatever else a provider wants to be kept
  bool has_text_tower = false;  ///< of a model of pictures: whether it has one for texts beside it
};

/// One thread's way into an embedder. Not thread-safe itself.
class EmbedLane {
 public:
  virtual ~EmbedLane() = default;
  /// `pixels` holds `count` slots back to back; `out` receives count x dimension float32 values.
  /// Synchronous.
  virtual void embed(const std::uint8_t* pixels, std::int64_t count, float* out) = 0;
  /// From the next call on, a call may use as many threads as the share has cores each, the
  /// caller's included, and more once it grows. Vectors stay the same. A lane that cannot takes no
  /// notice.
  virtual void share_cores(std::shared_ptr<const CoreShare> /*cores*/) {}
};

class ImageEmbedder {
 public:
  virtual ~ImageEmbedder() = default;
  /// Thread-safe.
  virtual std::unique_ptr<EmbedLane> make_lane() = 0;
  /// Bytes one lane holds while it embeds `batch` pictures, input and output included.
  virtual std::int64_t lane_bytes(std::int64_t batch) const = 0;
  /// Pictures of a batch beyond which nothing is gained.
  virtual std::int64_t efficient_batch() const { return 16; }
  /// Whether it computes on the cores of the machine, so that a few pictures are done sooner by
  /// several lanes than in one batch.
  virtual bool uses_cores() const { return true; }
};

class ImageEmbedderDescriptor {
 public:
  virtual ~ImageEmbedderDescriptor() = default;
  virtual const EmbedderFacts& facts() const = 0;
  virtual const image::PrepareSpec& prepare_spec() const = 0;
  /// Loads weights. Throws RequestError if the files turn out unusable.
  virtual std::shared_ptr<ImageEmbedder> instantiate() const = 0;
};

}  // namespace vecframe::embed
