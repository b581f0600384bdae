// What becomes of the rows in the window: vectors or errors, their own or those of a picture of the
// same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/row_error.h"
#include "exec/duplicates.h"
#include "exec/reorder_window.h"
#include "exec/stage_clock.h"
#include "exec/vector_cache.h"
#include "exec/vector_form.h"

namespace vecframe::exec {

/// Thread-safe. Rows are known by their tickets.
class RowResults {
 public:
  struct Options {
    std::int64_t dimension = 0;          ///< of the embedder's vectors
    VectorForm form;                     ///< of those that the window keeps
    bool deduplicate = true;             ///< embed pictures of the same bytes once
    VectorCache* cache = nullptr;        ///< across runs
    std::int64_t kept_vector_bytes = 0;  ///< of pictures that may come again
  };
  RowResults(const Options& options, ReorderWindow& window, Counters& counters)
      : options_(options),
        window_(window),
        counters_(counters),
        duplicates_(options.dimension, options.kept_vector_bytes) {}

  /// Whether the row of these encoded bytes needs no embedding: its vector is known, or that of a
  /// copy is on its way. `vector` is scratch.
  bool is_known(std::int64_t ticket, std::span<const std::byte> encoded,
                std::vector<float>& vector);
  /// `vector` as the embedder has just made it.
  void finish_embedded(std::int64_t ticket, std::span<const float> vector);
  void finish_failed(std::int64_t ticket, RowError error);

 private:
  void finish(std::int64_t ticket, std::span<const float> vector, bool fresh);

  const Options options_;
  ReorderWindow& window_;
  Counters& counters_;
  Duplicates duplicates_;
};

}  // namespace vecframe::exec
