// The contract between the executor and whatever makes vectors of texts; see embedder.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "embed/embedder.h"

namespace vecframe::embed {

/// One thread's way into an embedder. Not thread-safe itself.
class TextEmbedLane {
 public:
  virtual ~TextEmbedLane() = default;
  /// `texts` are UTF-8; `out` receives texts.size() x dimension float32 values. Synchronous.
  virtual void embed(std::span<const std::string_view> texts, float* out) = 0;
  /// As EmbedLane::share_cores().
  virtual void share_cores(std::shared_ptr<const CoreShare> /*cores*/) {}
};

class TextEmbedder {
 public:
  virtual ~TextEmbedder() = default;
  /// Thread-safe.
  virtual std::unique_ptr<TextEmbedLane> make_lane() = 0;
  /// Bytes one lane holds while it embeds `batch` texts, the texts themselves not included.
  virtual std::int64_t lane_bytes(std::int64_t batch) const = 0;
};

class TextEmbedderDescriptor {
 public:
  virtual ~TextEmbedderDescriptor() = default;
  virtual const EmbedderFacts& facts() const = 0;
  /// Loads weights. Throws RequestError if the files turn out unusable.
  virtual std::shared_ptr<TextEmbedder> instantiate() const = 0;
};

}  // namespace vecframe::embed
