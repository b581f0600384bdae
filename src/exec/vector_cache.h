// Vectors that are known already, by the content of the pictures they were made of.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/fingerprint.h"

namespace vecframe::exec {

/// Preparations of pictures for a model's own, known by their encoded bytes.
inline constexpr const char* kUpright = "upright";
inline constexpr const char* kAsStored = "as stored";
/// What fast_decode makes of a picture: the rule of image/reduce.h, for recipes. Another rule gets
/// another name.
inline constexpr const char* kFastDecode = "2x";
/// A way that pictures come, decoded so.
inline std::string decoded_fast(const std::string& preparation) {
  return preparation + ", fast_decode " + kFastDecode;
}

/// Vectors of one model with one preparation, as the embedder gives them: whole, as float32.
/// Thread-safe. A cache that fails forgets, and never throws.
class VectorCache {
 public:
  virtual ~VectorCache() = default;
  /// Fills `vector`, if one of its length is known.
  virtual bool find(const Hash128& content, std::span<float> vector) = 0;
  virtual void store(const Hash128& content, std::span<const float> vector) = 0;
};

}  // namespace vecframe::exec
