// Models that run in this process, from a directory of safetensors or built in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "compute/registry.h"
#include "embed/embedder.h"
#include "embed/text_embedder.h"

namespace vecframe::providers {

struct LocalModelOptions {
  std::string precision =
      "fp32";  ///< fp32, bf16, int8, fp16, or auto: bf16 where it gains and the family was measured
  std::string device = "auto";  ///< a backend's name, or auto
  std::string pooling =
      "default";  ///< of pictures: default, cls or mean; see models::PoolingChoice
  std::optional<std::int64_t> image_size =
      std::nullopt;  ///< of pictures; see models::ImageModelOptions
};

/// Reads config.json, the processor file and the tensor headers; weights are loaded by
/// instantiate(). `revision` is taken from a hub cache path if it is empty. Throws RequestError.
std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_directory(
    const std::string& model, const std::filesystem::path& directory,
    const LocalModelOptions& options, const compute::Registry& backends,
    const std::string& provider = "transformers", const std::string& revision = "");

/// The text tower of a model, likewise; pictures' options do not matter to it. Throws RequestError,
/// also for a model without one.
std::shared_ptr<const embed::TextEmbedderDescriptor> describe_text_directory(
    const std::string& model, const std::filesystem::path& directory,
    const LocalModelOptions& options, const compute::Registry& backends,
    const std::string& provider = "transformers", const std::string& revision = "");

/// Where the converted weights of the built-in model lie.
std::filesystem::path builtin_directory(const std::filesystem::path& cache_directory);

/// `builtin:efficientnet-lite0`, whose converted weights lie in builtin_directory().
std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_builtin(
    const std::string& model, const std::filesystem::path& cache_directory,
    const LocalModelOptions& options, const compute::Registry& backends);

}  // namespace vecframe::providers
