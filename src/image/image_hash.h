// Perceptual hashes: a few bytes by which pictures that look alike are found.
//
// All but kCropResistant agree with Python's imagehash 4.3 over Pillow 13 in every bit (phash at
// the sizes named in cosine_transform.h): gray by Pillow's luma, resized by its Lanczos filter. A
// bit says whether a value is *above* its threshold, so one equal to it gives 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/image.h"

namespace vecframe::image {

enum class HashMethod : std::uint8_t {
  kPerceptual,          ///< phash: low frequencies of both axes, against their median
  kPerceptualSimple,    ///< phash_simple: of the rows only, against their mean
  kDifference,          ///< dhash: whether a pixel is brighter than its left neighbour
  kDifferenceVertical,  ///< dhash_vertical: than the one above
  kAverage,             ///< ahash: than the mean
  kWavelet,             ///< whash: low-frequency Haar coefficients, against their median
  kCropResistant,       ///< crop_resistant: phash of each tile of a grid, row by row
  kColor,               ///< colorhash: shares of black, gray, and hues
};

struct HashOptions {
  std::int64_t hash_size = 8;  ///< rows and columns of bits; not of kColor
  std::int64_t binbits = 3;    ///< bits for each share; of kColor only
  std::int64_t segments = 3;   ///< rows and columns of tiles; of kCropResistant only
};

std::string_view to_string(HashMethod method);
/// Throws RequestError with the nearest name.
HashMethod parse_hash_method(std::string_view name);

/// Throws RequestError for an option out of its range, whether or not the method uses it.
void check(HashMethod method, const HashOptions& options);

/// Length of every hash; the options have passed check().
std::size_t hash_bytes(HashMethod method, const HashOptions& options);

/// The hash of a picture in any mode, its first bit highest in the first byte; the last byte is
/// filled up with zeros. The options have passed check(). Tiles of kCropResistant begin at
/// i * width / segments, rounded down; one without a pixel has zeros. A picture without pixels is
/// an error.
Result<std::vector<std::byte>> image_hash(const Image& image, HashMethod method,
                                          const HashOptions& options);

}  // namespace vecframe::image
