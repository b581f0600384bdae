// What a worker does next: embed a batch, or else prepare a row.
//
// Full batches go first, so that slots come free and vectors leave. A batch that is not full goes
// when the input is used up, or when a worker has found nothing else to do for a short while:
// rows may come slowly, or wait for a row in that very batch to leave the window.
//
// reserve_slot() never waits. With one batch for each worker, let a worker ask for a slot. A batch
// that cannot give one is out for embedding, or full with a slot that another worker is writing, or
// ready. A ready batch without a worker is paid for by a worker between the call that made it so
// (commit_slot, finish_embed) and its next(), which takes a ready batch first. Each of these holds
// a different one of the other workers, so at least one batch is left.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <variant>
#include <vector>

#include "base/byte_budget.h"
#include "exec/batch_pool.h"
#include "exec/encoded_share.h"
#include "image/probe.h"

namespace vecframe::exec {

/// A file in memory. Its parts of the budget end after its bytes: members die in reverse order.
struct EncodedRow {
  std::int64_t row = 0;
  image::ImageInfo info;
  EncodedShare::Hold hold;
  Credit credit;
  std::vector<std::byte> bytes;

  /// Frees the bytes and gives back what they took.
  void free_bytes();
};

/// Rows [first, first + count) of a batch.
struct EmbedTask {
  PackedBatch* batch = nullptr;
  std::int64_t first = 0;
  std::int64_t count = 0;
  bool is_last = false;  ///< all that is left of the run: the other workers have nothing to do
};

using Task = std::variant<std::monostate, EncodedRow, EmbedTask>;

class WorkQueue {
 public:
  WorkQueue(std::int64_t num_batches, std::int64_t batch_size, std::size_t slot_bytes)
      : pool_(num_batches, batch_size, slot_bytes) {}

  void push(EncodedRow row);
  /// No push() follows.
  void close();

  /// Waits for a task; monostate when there will be no more, or once stopped. A row must end in
  /// commit_slot(), abandon_slot() or abandon_row(), a batch in finish_embed().
  Task next();

  Slot reserve_slot();
  void commit_slot(const Slot& slot, std::int64_t row);
  void abandon_slot(const Slot& slot);
  void abandon_row();
  void finish_embed(const EmbedTask& task);

  void stop();

 private:
  struct Ready {
    PackedBatch* batch;
    std::int64_t num_claimed;
  };
  EmbedTask claim_ready();
  void end_preparing();

  std::mutex mutex_;
  std::condition_variable changed_;
  BatchPool pool_;               // guarded by mutex_, as all that follow
  std::deque<EncodedRow> rows_;  // bounded by the credits the rows hold
  std::deque<Ready> ready_;
  std::vector<std::pair<PackedBatch*, std::int64_t>> embedding_;  // rows still to be embedded
  std::int64_t num_preparing_ = 0;
  std::int64_t num_idle_ = 0;  // workers that wait in next()
  bool closed_ = false;
  bool stopped_ = false;
};

}  // namespace vecframe::exec
