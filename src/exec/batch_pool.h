// Packed input of the embedder: batches of slots, allocated once and used again and again.
//
// A batch is full with as many rows as were wanted when it came into the pool, which may be fewer
// than it has room for.
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
  std::int64_t num_free() const { return wanted_ - num_written_ - num_reserved_; }
  void close_gaps();

  const std::size_t slot_bytes_;
  tensor::AlignedBuffer<std::uint8_t> pixels_;  // [capacity, slot_bytes]
  std::vector<std::int64_t> rows_;              // by slot; kFree or kReserved if not written
  std::int64_t wanted_;                         // rows that make it full
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

  /// How often reserve() can give a slot before one is given back.
  std::int64_t num_free() const { return num_free_; }
  /// A free slot, of a batch that others have begun if there is one. `batch` is null if there is
  /// none.
  Slot reserve();
  /// The slot now holds `row`. Returns the batch if that filled it: it has then left the pool.
  PackedBatch* commit(const Slot& slot, std::int64_t row);
  /// The slot is free again.
  void give_back(const Slot& slot);
  /// Whether take_partial() has one to give.
  bool has_partial(std::int64_t keep_free) const;
  /// A batch with written slots and none reserved, which leaves the pool and so many free slots in
  /// it; or null.
  PackedBatch* take_partial(std::int64_t keep_free);
  /// A batch that had left comes back, empty, and is full with so many rows.
  void recycle(PackedBatch* batch, std::int64_t wanted);

 private:
  bool is_partial(const PackedBatch& batch, std::int64_t keep_free) const {
    return batch.num_written_ > 0 && batch.num_reserved_ == 0 &&
           num_free_ - batch.num_free() >= keep_free;
  }

  std::vector<std::unique_ptr<PackedBatch>> batches_;
  std::vector<PackedBatch*> open_;  // in the pool, with something in them; the oldest first
  std::vector<PackedBatch*> free_;  // in the pool, empty
  std::int64_t num_free_ = 0;       // slots, of both
};

}  // namespace vecframe::exec
