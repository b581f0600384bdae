// The columns that an embedding fills: vectors, and, where they were asked for, causes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "exec/pipeline.h"
#include "exec/row_evaluator.h"
#include "plan/expression_node.h"

namespace vecframe::exec {

/// A row that went wrong.
struct RowFailure {
  std::int64_t row = 0;  ///< of the chunk
  RowError error;
  Severity severity = Severity::kNull;
  OnError on_error = OnError::kIgnore;  ///< of kDeferred
  std::string source;                   ///< path or URL, or empty
};

/// What became of a row of an embedding.
struct EmbeddedRow {
  std::span<const float> vector;  ///< as the embedder gave it; empty: none
  RowOutcome outcome;             ///< why there is none, unless the row is null
};

/// Consumes the outcomes. A vector with NaN or an infinity becomes a failure too.
std::vector<columnar::ArrayPointer> embedding_columns(const plan::EmbedCall& call,
                                                      const columnar::DataType& type,
                                                      std::vector<EmbeddedRow>& rows,
                                                      std::vector<RowFailure>& failures);

}  // namespace vecframe::exec
