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
    PlannedRows::Facts facts = planned_.take(row.index);
    if (writer_.shard() != facts.shard.get()) {
      finish();
      writer_.begin(facts.shard);
      seen_end_ = false;
    }
    table_.write(row);
    if (with_keys_) writer_.add_key(facts.key.with_failed(row.error.has_value()));
    seen_end_ = seen_end_ || facts.ends_shard;
    if (seen_end_ && !planned_.has_rows_of(facts.shard.get())) finish();
  }
  /// A part holds the rows of its shard, so those of the next one wait.
  bool accepts(std::int64_t index) override { return planned_.is_of_oldest_shard(index); }
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
  bool seen_end_ = false;  // the row that ends the shard in hand has come
  TableSink table_;
};

}  // namespace vecframe::job
