// The stored vectors of a reference model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "generated_picture.h"

namespace vecframe::golden {

struct GoldenFile {
  std::string family;
  std::vector<PictureRecipe> pictures;
  std::vector<std::vector<float>> embeddings;
  std::vector<std::string>
      pixel_hashes;  ///< FNV-1a of the float32 pixel values, by picture; or none
  std::vector<std::vector<float>> pixel_samples;  ///< every 37th value where there is no hash
};

GoldenFile read_golden(const std::filesystem::path& path);

/// What the reference gives for other options than its own (tools/make_golden_options.py).
struct GoldenOptions {
  std::string pooling;
  std::optional<std::int64_t> image_size;
  std::vector<std::vector<float>> embeddings;
};

std::vector<GoldenOptions> read_golden_options(const std::filesystem::path& path);

}  // namespace vecframe::golden
