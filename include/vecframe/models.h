// Which models there are here, and what is known of one before its weights are read.
#pragma once

#include <vecframe/export.h>
#include <vecframe/expression.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vecframe {

struct ModelInfo {
  std::string name;  ///< as `model=` takes it
  std::string provider;
  std::string family;
  /// "built-in" (ready), "built-in, not fetched", "cached" (in the local hub cache), "known" (would
  /// have to be downloaded)
  std::string state;
  std::int64_t dimension = 0;   ///< 0: unknown
  std::string licence;          ///< SPDX identifier if known
  std::int64_t parameters = 0;  ///< 0: unknown
  double gflop_per_image = 0;   ///< 0: unknown
};

/// Built-in, cached and known models.
VECFRAME_API std::vector<ModelInfo> list_models();

/// Facts of the model these options resolve to, from its config and tensor headers alone.
VECFRAME_API ModelInfo describe_model(const EmbedImageOptions& options);

}  // namespace vecframe
