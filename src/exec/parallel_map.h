// Computes columns of pictures, bytes and embeddings on worker threads.
//
// Each worker takes the next few rows of the input, computes all columns of the step for them, and
// takes the next; results leave in input order through a bounded window. Pictures in flight share
// one byte budget.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "exec/operator.h"
#include "exec/pipeline.h"
#include "exec/row_evaluator.h"
#include "exec/text_pipeline.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// What steps need of the world around them. Outlives the operators.
struct StepContext {
  int threads = 0;                        ///< 0: one a core this process may use
  std::int64_t morsel_rows = 0;           ///< of a source, at most; 0: as it gives them
  std::int64_t memory_limit = 512 << 20;  ///< of each map, weights not counted
  image::DecodeLimits decode;
  const CancellationToken& cancellation;
  Fetch fetch;
  std::function<const storage::Relational&()> relational;
  std::function<EmbedStage(const plan::EmbedCall&)> image_stage;
  std::function<TextStage(const plan::EmbedCall&)> text_stage;
  std::function<std::unique_ptr<Operator>(const plan::SourceStep&, const columnar::Schema&)>
      open_source;
  /// Called, on the thread that pulls, for each row an embedding failed on under on_error="log".
  std::function<void(const std::string& row, const RowError& error)> on_failure;
  /// The same whatever on_error says, but for "raise".
  std::function<void(const std::string& row, const RowError& error)> on_failed_row = {};
  Statistics* statistics = nullptr;  ///< counts failures of embeddings; of the thread that pulls
};

std::unique_ptr<Operator> make_parallel_map(std::unique_ptr<Operator> input,
                                            const columnar::Schema& input_schema,
                                            const plan::MapStep& step, const StepContext& context);

}  // namespace vecframe::exec
