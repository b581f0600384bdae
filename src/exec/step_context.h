// What steps need of the world around them.
#pragma once

#include <vecframe/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/cancellation.h"
#include "exec/caller_thread.h"
#include "exec/known_vectors.h"
#include "exec/operator.h"
#include "exec/pipeline.h"
#include "exec/row_caller.h"
#include "exec/row_evaluator.h"
#include "exec/stage_clock.h"
#include "exec/text_pipeline.h"
#include "exec/vector_cache.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// Outlives the operators.
struct StepContext {
  int threads = 0;                        ///< 0: one a core this process may use
  std::int64_t morsel_rows = 0;           ///< of a source, at most; 0: as it gives them
  std::int64_t memory_limit = 512 << 20;  ///< of each map, weights not counted
  image::DecodeLimits decode = {};
  const CancellationToken& cancellation;
  Fetch fetch = {};
  std::function<const storage::Relational&()> relational = {};
  std::function<EmbedStage(const plan::EmbedCall&)> image_stage = {};
  std::function<TextStage(const plan::EmbedCall&)> text_stage = {};
  std::function<std::unique_ptr<Operator>(const plan::SourceStep&, const columnar::Schema&)>
      open_source = {};
  /// Called for each row an embedding failed on under on_error="log", one at a time.
  std::function<void(const std::string& row, const RowError& error)> on_failure = {};
  /// The same whatever on_error says, but for "raise".
  std::function<void(const std::string& row, const RowError& error)> on_failed_row = {};
  Statistics* statistics = nullptr;  ///< counts failures of embeddings; guarded by *report_mutex

  /// Of a call that has a handle.
  std::function<RowDescriptor(const plan::EmbedCall&)> row_descriptor = {};
  /// Vectors that earlier runs left, of pictures that come to the call's model in this way; null:
  /// none are kept.
  std::function<std::shared_ptr<VectorCache>(const plan::EmbedCall&,
                                             const std::string& preparation)>
      vector_cache = {};
  std::shared_ptr<KnownVectorsOfPlan> known = std::make_shared<KnownVectorsOfPlan>();
  std::shared_ptr<CallersOfPlan> callers = std::make_shared<CallersOfPlan>();
  Stages stages = {};   ///< of each map
  bool ordered = true;  ///< rows leave maps in their order, even if nothing behind them needs it
  /// What all operators count.
  std::shared_ptr<Counters> counters = std::make_shared<Counters>();
  /// Called by operators while they wait, on whatever thread pulls from them. What it throws ends
  /// the run.
  std::function<void()> tick = {};
  /// Raised when nobody will pull from the last operator any more, so that those before it, which
  /// pull from each other on their own threads, end their waits.
  std::shared_ptr<CancellationToken> abandoned = std::make_shared<CancellationToken>();
  std::shared_ptr<std::mutex> report_mutex = std::make_shared<std::mutex>();

  /// For every turn of a wait. Throws Cancelled, and what tick() throws.
  void check() const {
    if (cancellation.cancelled() || abandoned->cancelled()) throw Cancelled();
    if (tick) tick();
  }
};

}  // namespace vecframe::exec
