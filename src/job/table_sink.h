// Rows of the executor gathered into batches of columns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "columnar/batch.h"
#include "exec/pipeline.h"
#include "job/embed_job.h"

namespace vecframe::job {

/// What the executor's budget gives to a sink.
struct SinkMemory {
  std::int64_t batch_bytes = 0;  ///< size at which a batch is handed on
  std::int64_t total_bytes = 0;  ///< the batch under construction and what its receiver makes of it
};
SinkMemory sink_memory(std::int64_t memory_limit);

class TableSink final : public exec::RowSink {
 public:
  /// `num_failed` rows of the batch have an error.
  using Receiver = std::function<void(columnar::Batch batch, std::int64_t num_failed)>;

  /// No batch goes across a multiple of `rows_per_part` rows.
  TableSink(std::shared_ptr<const columnar::Schema> schema, std::vector<OutputColumn> columns,
            SinkMemory memory, std::int64_t rows_per_part, Receiver receiver);

  void write(const exec::Row& row) override;
  std::int64_t max_buffered_bytes() const override { return memory_.total_bytes; }
  /// Hands on what is left.
  void flush();

 private:
  void append(const OutputColumn& column, const exec::Row& row, columnar::ColumnBuilder& builder);

  const std::shared_ptr<const columnar::Schema> schema_;
  std::vector<OutputColumn> columns_;  // those with a name
  const SinkMemory memory_;
  const std::int64_t rows_per_part_;
  const Receiver receiver_;
  std::vector<columnar::ColumnBuilder> builders_;
  std::int64_t num_rows_ = 0;    // of the run
  std::int64_t num_failed_ = 0;  // of the batch under construction
};

}  // namespace vecframe::job
