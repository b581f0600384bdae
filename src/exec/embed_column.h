// A column for a few rows at a time: what one worker does of a map step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/core_share.h"
#include "columnar/morsel.h"
#include "exec/embedding_columns.h"
#include "exec/row_evaluator.h"
#include "exec/step_context.h"
#include "plan/expression_node.h"

namespace vecframe::exec {

/// Computes one column, or an embedding and its error column. For one thread.
class ColumnWorker {
 public:
  virtual ~ColumnWorker() = default;
  virtual std::vector<columnar::ArrayPointer> compute(const columnar::Morsel& rows,
                                                      std::vector<RowFailure>& failures) = 0;
};

/// How a map divides its work.
struct MapShape {
  std::int64_t rows = 1;  ///< of a chunk at most
  int workers = 1;
  int lanes = 1;                       ///< workers that may embed at a time
  std::int64_t kept_vector_bytes = 0;  ///< of pictures that may come again
  std::shared_ptr<const CoreShare> cores = CoreShare::alone(1);  ///< of the workers
};

/// What the workers of a column share: the loaded model, say.
class ColumnPlan {
 public:
  virtual ~ColumnPlan() = default;
  /// Bytes a worker holds for chunks of so many rows, pictures in flight not included.
  virtual std::int64_t worker_bytes(std::int64_t rows) const = 0;
  /// Bytes of the column for so many rows.
  virtual std::int64_t column_bytes(std::int64_t rows) const = 0;
  /// Rows that are best taken together; 0: any.
  virtual std::int64_t wanted_rows() const = 0;
  /// Bytes of one lane for so many rows.
  virtual std::int64_t lane_bytes(std::int64_t /*rows*/) const { return 0; }
  /// Whether it uses MapShape::kept_vector_bytes.
  virtual bool keeps_vectors() const { return false; }
  /// Whether a few rows are done sooner by all workers than as one chunk.
  virtual bool shares_few_rows() const { return false; }
  /// Called once, before workers are made.
  virtual void begin(const MapShape& /*shape*/) {}
  virtual std::unique_ptr<ColumnWorker> make_worker(const EvaluationLimits& limits) = 0;
};

std::unique_ptr<ColumnPlan> plan_column(const plan::ComputedColumn& column,
                                        const columnar::Schema& input, const StepContext& context);

}  // namespace vecframe::exec
