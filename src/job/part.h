// One Parquet file of an output, under construction beside its destination.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "columnar/batch.h"
#include "columnar/morsel.h"
#include "job/part_metadata.h"
#include "storage/local_file.h"
#include "storage/table_io.h"

namespace vecframe::job {

/// Gone without a trace unless committed. Throws RunError when the disk refuses.
class Part {
 public:
  Part(const std::string& path, std::shared_ptr<const columnar::Schema> schema,
       storage::TableModule& tables)
      : path_(path),
        file_(std::make_unique<storage::PendingFile>(path)),
        writer_(tables.create_parquet(file_->temporary_path(), std::move(schema))) {}

  void write(columnar::Batch batch, std::int64_t num_failed) {
    facts_.num_rows += batch.num_rows();
    facts_.num_failed += num_failed;
    writer_->write(std::move(batch));
  }
  void write(const columnar::Morsel& morsel) {
    facts_.num_rows += morsel.num_rows;
    writer_->write(morsel);
  }
  /// What the footer tells; counts of rows are kept by write().
  PartFacts& facts() { return facts_; }
  const PartFacts& facts() const { return facts_; }

  /// Completes the file, which is not visible yet. `is_shard`: its facts go into the footer.
  void close(bool is_shard) {
    if (writer_ == nullptr) return;
    if (is_shard) {
      write_part_facts(facts_, *writer_);
    } else {
      writer_->add_metadata("vecframe.rows", std::to_string(facts_.num_rows));
      writer_->add_metadata("vecframe.failed", std::to_string(facts_.num_failed));
    }
    writer_->close();
    writer_.reset();
  }
  void commit() { file_->commit(); }

  const std::string& path() const { return path_; }
  /// Where the bytes are before commit().
  const std::string& temporary_path() const { return file_->temporary_path(); }

 private:
  std::string path_;
  std::unique_ptr<storage::PendingFile> file_;
  std::unique_ptr<storage::TableWriter> writer_;  // writes into file_
  PartFacts facts_;
};

}  // namespace vecframe::job
