// Rows of the executor into the parts of their shards.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "exec/pipeline.h"
#include "job/planned_rows.h"
#include "job/shard_writer.h"
#include "job/table_sink.h"

namespace vecframe::job {

class ShardSink final : public exec::RowSink {
 public:
  /// `with_keys`: rows of files, whose keys the parts remember.
  ShardSink(ShardWriter& writer, PlannedRows& planned,
            std::shared_ptr<const columnar::Schema> schema, std::vector<OutputColumn> columns,
            SinkMemory memory, bool with_keys)
      : writer_(writer),
        planned_(planned),
        with_keys_(with_keys),
        table_(std::move(schema), std::move(columns), memory,
               [this](columnar::Batch batch, std::int64_t num_failed) {
                 writer_.write(std::move(batch), num_failed);
               }) {}

  void write(const exec::Row& row) override {
    PlannedRows::Facts facts = planned_.pop();
    if (writer_.shard() != facts.shard.get()) {
      finish();
      writer_.begin(facts.shard);
    }
    table_.write(row);
    if (with_keys_) writer_.add_key(facts.key.with_failed(row.error.has_value()));
    if (facts.ends_shard) finish();
  }
  std::int64_t max_buffered_bytes() const override { return table_.max_buffered_bytes(); }
  /// Commits the shard in hand, if there is one.
  void finish() {
    if (!writer_.in_shard()) return;
    table_.flush();
    writer_.finish();
  }

 private:
  ShardWriter& writer_;
  PlannedRows& planned_;
  const bool with_keys_;
  TableSink table_;
};

}  // namespace vecframe::job
