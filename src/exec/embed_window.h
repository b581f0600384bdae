// The rows that are on their way through an embedder of a provider: prepared on several threads,
// gathered into batches in their order, embedded in any order, and handed on in their order. Where
// order does not matter, rows go into batches and chunks are handed on as they are ready.
//
// Three kinds of threads meet here. Preparers take rows and give their pictures or texts back;
// callers take batches and give answers back; one consumer takes chunks of finished rows. A batch
// has exactly the wanted number of rows, except at the end of the input, where a full one would
// never come: the budget or the window has no room for more rows while nothing is in flight; and
// where nothing is in flight and no row has come for a while. The embedder is never called with the
// lock held. A row of the same content as another goes into no batch and gets the other's vector:
// calls may cost money.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <variant>
#include <vector>

#include "base/fingerprint.h"
#include "columnar/morsel.h"
#include "exec/duplicates.h"
#include "exec/embedding_columns.h"
#include "exec/row_batch.h"

namespace vecframe::exec {

/// Consecutive rows of the input, and what became of them.
struct EmbedChunk {
  columnar::Morsel rows;
  std::int64_t first_row = 0;               // of the input
  std::vector<EmbeddedRow> embedded;        // of each row
  std::vector<std::vector<float>> vectors;  // what `embedded` refers to
  std::vector<bool> prepared;
  std::int64_t unfinished = 0;
};

class EmbedWindow {
 public:
  struct Rules {
    std::int64_t batch_size = 1;
    std::int64_t concurrency = 1;  ///< batches in flight at most
    std::int64_t rows = 1;         ///< in the window at most, give or take a chunk
    std::int64_t chunk_rows = 1;
    bool ordered = true;
    /// How long a batch waits for more rows while nothing is in flight: calls may cost money.
    std::chrono::milliseconds patience{1000};
    std::int64_t kept_vector_bytes = 0;  ///< of rows whose content may come again
    AnswerRules answers;
  };
  /// The next rows of the input, or nothing at its end; called by one thread at a time.
  using Fill = std::function<std::optional<columnar::Morsel>()>;

  struct RowPlace {
    EmbedChunk* chunk = nullptr;
    std::int64_t row = 0;  // of the chunk
  };
  using Input = std::variant<std::monostate, Picture, std::string_view>;

  /// `held_up` says how many preparers wait for memory that no other preparer will give back.
  EmbedWindow(Rules rules, Fill fill, std::function<std::int64_t()> held_up);

  // Preparers.
  /// Waits for room in the window. Nothing at the end of the input, or after stop().
  std::optional<RowPlace> take_row();
  struct Prepared {
    Input input;  ///< monostate: no value, as `outcome` says
    Hash128 content;
    RowOutcome outcome;
    RowCredit credit;
  };
  /// Ends the preparation of a row. Whether it needs no embedding of its own: another row of the
  /// same content is on its way, or its vector is known.
  bool prepared(RowPlace place, Prepared row);

  // Callers.
  /// Waits for a batch. Nothing when all rows are embedded, or after stop().
  std::optional<RowBatch> take_batch();
  void complete(RowBatch batch, BatchAnswer answer);
  /// Waits until every batch that was taken is complete.
  void wait_until_idle();

  // The consumer.
  /// The oldest chunk, or without order any, when all its rows are finished: until `timeout`, then
  /// null. Throws what ended the run.
  EmbedChunk* wait_done(std::chrono::milliseconds timeout);
  /// Ends a chunk that wait_done() gave.
  void pop(EmbedChunk* chunk);
  bool finished();

  /// No row and no batch is begun after this.
  void stop();
  /// Ends the run; the first failure counts.
  void fail(std::exception_ptr failure);

 private:
  struct Waiting {
    Input input;
    RowCredit credit;
  };

  // All with mutex_ held.
  bool all_prepared() const { return ended_ && settled_ == num_rows_; }
  bool all_embedded() const {
    return all_prepared() && waiting_.empty() && again_.empty() && in_flight_ == 0;
  }
  bool is_starving(BatchClock::time_point now) const;
  /// Rows that may go into a batch.
  std::int64_t num_ready() const {
    return rules_.ordered ? ready_ : static_cast<std::int64_t>(waiting_.size());
  }
  EmbedChunk* find_done() const;
  std::optional<RowBatch> next_batch(BatchClock::time_point now);
  RowBatch form(std::int64_t count);
  EmbedChunk& chunk_of(std::int64_t row);
  void give(std::int64_t row, Result<std::vector<float>> result);
  void finish(std::int64_t row);
  void settle();

  const Rules rules_;
  const Fill fill_;
  const std::function<std::int64_t()> held_up_;

  std::mutex source_mutex_;     // taken before mutex_
  EmbedChunk* open_ = nullptr;  // whose rows are being handed out; guarded by source_mutex_
  std::int64_t next_ = 0;       // row of it; guarded by source_mutex_

  std::mutex mutex_;  // guards all that follows
  std::condition_variable changed_;
  std::deque<std::unique_ptr<EmbedChunk>> chunks_;
  std::map<std::int64_t, Waiting> waiting_;  // prepared, by row, for a batch
  Duplicates duplicates_;
  std::map<std::int64_t, Hash128> firsts_;  // of their content, by row, until they are embedded
  std::vector<RowBatch> again_;
  std::int64_t num_rows_ = 0;  // taken from the input
  std::int64_t popped_ = 0;    // rows
  std::int64_t settled_ = 0;   // rows before this one are all prepared
  std::int64_t ready_ = 0;     // of `waiting_`, those before settled_
  std::int64_t preparing_ = 0;
  std::int64_t in_flight_ = 0;
  BatchClock::time_point last_prepared_{};
  bool needs_room_ = false;  // a preparer waits for the window
  bool ended_ = false;       // the input
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace vecframe::exec
