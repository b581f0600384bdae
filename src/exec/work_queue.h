// What a worker does next: embed a batch, or else prepare a row.
//
// Full batches go first, so that slots come free and vectors leave. A batch that is not full goes
// when the input is used up, or when a worker has found nothing else to do for a short while:
// rows may come slowly, or wait for a row in that very batch to leave the window.
//
// At most so many workers prepare and so many embed at a time. A row is handed out only if a slot
// is free that no other row was promised, and no partial batch leaves with a slot that was; so
// reserve_slot() never waits. Any number of batches will do: if every worker waited in next(), none
// would prepare, so no slot would be promised or being written, and none would embed, so all
// batches would be here, and a lane free. Either one of them is ready, and is taken; or each has a
// free slot, so a row is taken; or there is no row, and a partial batch leaves.
//
// With a batch, a lane and the right to prepare for each worker no worker ever waits while there is
// a row. Let one ask for work, and none be ready. Of the other workers let e embed, p have been
// promised a slot and r write into one. Outside are the e batches that are embedded; of those here
// at most r have no free slot, since all of such a batch's slots are written or being written, and
// with all of them written it would be ready. That leaves p + 1 batches or more, each with a free
// slot: one for each promise, and one for the worker that asks.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_budget.h"
#include "exec/batch_pool.h"
#include "exec/batch_sizer.h"
#include "exec/encoded_share.h"
#include "exec/stages.h"
#include "image/probe.h"

namespace vecframe::exec {

/// A file in memory. Its parts of the budget end after its bytes: members die in reverse order.
struct EncodedRow {
  std::int64_t row = 0;  ///< its ticket in the window
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
};

using Task = std::variant<std::monostate, EncodedRow, EmbedTask>;

class WorkQueue {
 public:
  /// Batches of at most `batch_size` rows, and of as many as the sizer says when they are begun.
  WorkQueue(const Concurrency& concurrency, std::int64_t num_batches, std::int64_t batch_size,
            std::size_t slot_bytes, const BatchSizer& sizer)
      : concurrency_(concurrency),
        all_can_work_(concurrency.lanes == concurrency.workers &&
                      concurrency.decoders == concurrency.workers &&
                      num_batches == concurrency.workers),
        sizer_(sizer),
        pool_(num_batches, batch_size, slot_bytes) {}

  void push(EncodedRow row);
  /// No push() follows.
  void close();

  /// Waits for a task; monostate when there will be no more, or once stopped. A row must end in
  /// commit_slot() or abandon_slot(), a batch in finish_embed().
  Task next();

  /// Of a row that next() gave, once.
  Slot reserve_slot();
  void commit_slot(const Slot& slot, std::int64_t row);
  void abandon_slot(const Slot& slot);
  void finish_embed(const EmbedTask& task);

  void stop();

 private:
  struct Ready {
    PackedBatch* batch;
    std::int64_t num_claimed;
  };
  // All with mutex_ held.
  bool has_lane() const { return num_embedding_ < concurrency_.lanes; }
  bool may_prepare() const {
    return !rows_.empty() && num_preparing_ < concurrency_.decoders &&
           pool_.num_free() > num_promised_;
  }
  bool drained() const { return closed_ && rows_.empty() && num_preparing_ == 0; }
  EmbedTask claim_ready();
  void end_preparing();

  const Concurrency concurrency_;
  const bool all_can_work_;  // see the top of this file: nobody waits for a lane or a slot
  const BatchSizer& sizer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  BatchPool pool_;               // guarded by mutex_, as all that follow
  std::deque<EncodedRow> rows_;  // bounded by the credits the rows hold
  std::deque<Ready> ready_;
  std::vector<std::pair<PackedBatch*, std::int64_t>> embedding_;  // rows still to be embedded
  int num_embedding_ = 0;                                         // tasks
  int num_preparing_ = 0;
  std::int64_t num_promised_ = 0;  // slots, of rows that are prepared
  std::int64_t num_idle_ = 0;      // workers that wait in next()
  bool closed_ = false;
  bool stopped_ = false;
};

}  // namespace vecframe::exec
