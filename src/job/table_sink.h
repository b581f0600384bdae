// Rows of the executor gathered into batches of columns.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
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

  /// No batch has more than `batch_rows` rows.
  TableSink(std::shared_ptr<const columnar::Schema> schema, std::vector<OutputColumn> columns,
            SinkMemory memory, Receiver receiver,
            std::int64_t batch_rows = std::numeric_limits<std::int64_t>::max());

  void write(const exec::Row& row) override;
  std::int64_t max_buffered_bytes() const override { return memory_.total_bytes; }
  /// Hands on what is left.
  void flush();

 private:
  void append(const OutputColumn& column, const exec::Row& row, columnar::ColumnBuilder& builder);

  const std::shared_ptr<const columnar::Schema> schema_;
  std::vector<OutputColumn> columns_;  // those with a name
  const SinkMemory memory_;
  const Receiver receiver_;
  const std::int64_t batch_rows_;
  std::vector<columnar::ColumnBuilder> builders_;
  std::int64_t num_failed_ = 0;  // of the batch under construction
};

}  // namespace vecframe::job
