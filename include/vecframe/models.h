// Which models there are here, and what is known of one before its weights are read.
#pragma once

#include <vecframe/download.h>
#include <vecframe/export.h>
#include <vecframe/expression.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vecframe {

struct ModelInfo {
  std::string name;  ///< as `model=` takes it
  std::string provider;
  std::string family;
  /// "built-in" (ready), "built-in, not fetched", "directory", "cached" (in the local hub cache),
  /// "known" (list_models() alone: would have to be downloaded), "not downloaded" (on the hub)
  std::string state;
  std::int64_t dimension = 0;   ///< 0: unknown
  std::string licence;          ///< SPDX identifier if known
  std::int64_t parameters = 0;  ///< 0: unknown
  double gflop_per_image = 0;   ///< 0: unknown

  // The rest is of describe_model() alone.
  std::int64_t image_height = 0, image_width = 0;  ///< as the model takes pictures
  std::string processor;  ///< what is done to a picture before, on one line
  std::string revision;   ///< the hub's commit; "" if there is none
  std::string directory;  ///< of the model's files; "" if they are not on this machine
  /// Whether embed_text() takes the model too; nothing: not known.
  std::optional<bool> has_text_tower;
};

/// Built-in, cached and known models.
VECFRAME_API std::vector<ModelInfo> list_models();

/// Facts of the model these options resolve to, from its config and tensor headers alone. Of a
/// model of the hub that is not in the cache only these are fetched, and nothing is kept. Throws
/// RequestError, and Cancelled where `download` says so.
VECFRAME_API ModelInfo describe_model(const EmbedImageOptions& options,
                                      const DownloadOptions& download = {});

}  // namespace vecframe
