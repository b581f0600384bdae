// Packed input of the embedder: batches of slots, allocated once and used again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/aligned_buffer.h"

namespace vecframe::exec {

class BatchPool;

/// Pixels of up to batch_size rows. A slot is free, reserved (a worker writes into it) or written.
class PackedBatch {
 public:
  PackedBatch(std::int64_t capacity, std::size_t slot_bytes);

  std::int64_t num_rows() const { return num_written_; }
  /// Row of each slot, [0, num_rows()). Like pixels(): once the batch has left the pool.
  std::int64_t row(std::int64_t slot) const { return rows_[static_cast<std::size_t>(slot)]; }
  /// The slots from `slot` on, back to back.
  const std::uint8_t* pixels(std::int64_t slot) const {
    return pixels_.data() + static_cast<std::size_t>(slot) * slot_bytes_;
  }

 private:
  friend class BatchPool;
  bool has_free_slot() const { return num_written_ + num_reserved_ < capacity(); }
  std::int64_t capacity() const { return static_cast<std::int64_t>(rows_.size()); }
  void close_gaps();

  const std::size_t slot_bytes_;
  tensor::AlignedBuffer<std::uint8_t> pixels_;  // [capacity, slot_bytes]
  std::vector<std::int64_t> rows_;              // by slot; kFree or kReserved if not written
  std::int64_t num_written_ = 0;
  std::int64_t num_reserved_ = 0;
};

struct Slot {
  PackedBatch* batch = nullptr;
  std::int64_t index = 0;
  std::span<std::uint8_t> pixels;
};

/// Not thread-safe; WorkQueue guards it.
class BatchPool {
 public:
  BatchPool(std::int64_t num_batches, std::int64_t batch_size, std::size_t slot_bytes);

  /// A free slot, of a batch that others have begun if there is one. `batch` is null if there is
  /// none.
  Slot reserve();
  /// The slot now holds `row`. Returns the batch if that filled it: it has then left the pool.
  PackedBatch* commit(const Slot& slot, std::int64_t row);
  /// The slot is free again.
  void give_back(const Slot& slot);
  /// Whether take_partial() has one to give.
  bool has_partial() const;
  /// A batch with written slots and none reserved, which leaves the pool; or null.
  PackedBatch* take_partial();
  /// A batch that had left comes back, empty.
  void recycle(PackedBatch* batch);

 private:
  bool is_partial(const PackedBatch& batch) const {
    return batch.num_written_ > 0 && batch.num_reserved_ == 0;
  }

  std::vector<std::unique_ptr<PackedBatch>> batches_;
  std::vector<PackedBatch*> open_;  // in the pool, with something in them; the oldest first
  std::vector<PackedBatch*> free_;  // in the pool, empty
};

}  // namespace vecframe::exec
