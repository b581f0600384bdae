// Vectors on disk, by the content of the pictures they were made of: shared by runs and by
// processes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "embed/embedder.h"
#include "exec/vector_cache.h"

namespace vecframe::job {

struct VectorStoreOptions {
  std::string directory;  ///< made if it is missing
  std::int64_t max_bytes = std::int64_t{4} << 30;
};

/// What a vector depends on besides the content by which its picture is known; see
/// exec::VectorCache.
Hash128 vector_recipe(const embed::EmbedderFacts& facts, const std::string& preparation);

/// An LMDB environment. Holds the vectors of any recipe side by side; when it is full, those that
/// were written or used longest ago go. Its pages are mapped, and let go again, so that it adds
/// little to the memory of a run.
class VectorStore final : public exec::VectorCache {
 public:
  /// Throws RequestError if the directory cannot be used.
  VectorStore(const VectorStoreOptions& options, const Hash128& recipe);
  /// Writes what is still held back.
  ~VectorStore() override;

  bool find(const Hash128& content, std::span<float> vector) override;
  void store(const Hash128& content, std::span<const float> vector) override;
  /// Writes what is held back.
  void flush();

  /// A smaller limit counts as this one.
  static constexpr std::int64_t kLeastBytes = std::int64_t{64} << 20;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vecframe::job
