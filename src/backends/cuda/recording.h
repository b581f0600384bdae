// Calls of a stream, kept until their results are asked for. Knowing what reads a matrix tells how
// it may be stored: what only 16-bit products and attention read is written in 16 bits at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backends/cuda/kernels/element.h"
#include "backends/cuda/runtime.h"
#include "compute/types.h"

namespace vecframe::backends::cuda {

/// A matrix that an operation reads or writes, and what it may be stored as.
struct Operand {
  compute::Matrix matrix;
  /// Whether 16 bits will do. Of an operand of a 16-bit product, whose inputs are rounded anyway,
  /// they must be of its own kind.
  bool halves = false;
  std::optional<Storage> kind = std::nullopt;
  /// Of what is written: whether a value too large for its storage becomes an infinity there. Of
  /// what is read: whether such an infinity is taken for the largest value.
  bool may_overflow = false, takes_overflow = true;
};

/// Where an operation finds its operands when it runs.
struct Bound {
  QueueHandle queue;
  std::vector<Cells> reads;
  Cells write;
  void* scratch;    // of the operation's scratch_bytes
  void* workspace;  // of the library
};

struct Operation {
  std::string key;  ///< all that run() does, but for the storages
  std::vector<Operand> reads;
  std::optional<Operand> write;
  /// Whether it writes some of the matrix only, or reads it too. Then `write` is among the reads.
  std::size_t scratch_bytes = 0;
  std::function<void(const Bound&)> run;
};

/// The storage of every operand: a value is of 16 bits if all that read it allow it, a product of
/// that kind writes or reads it, its rows leave no gaps that could hold something else, and nobody
/// minds that it may overflow.
struct StoragePlan {
  struct Of {
    std::vector<Storage> reads;
    Storage write = Storage::kFloat;
  };
  std::vector<Of> operations;
};
StoragePlan plan_storages(const std::vector<Operation>& operations);

/// Whether the two share memory, gaps between rows included.
bool overlap(const compute::Matrix& a, const compute::Matrix& b);
/// Whether a value of `written` at its place in 16 bits is at that of `read` too.
bool lies_within(const compute::Matrix& read, const compute::Matrix& written);

}  // namespace vecframe::backends::cuda
