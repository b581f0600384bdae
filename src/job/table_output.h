// Where a job's batches go: one file, or a directory of parts. Nothing is visible before commit().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "columnar/batch.h"
#include "columnar/morsel.h"
#include "job/embed_job.h"
#include "storage/table_io.h"

namespace vecframe::job {

/// Destroyed without commit(), it leaves things as they were.
class TableOutput {
 public:
  virtual ~TableOutput() = default;
  virtual void write(columnar::Batch batch, std::int64_t num_failed) = 0;
  virtual void write(const columnar::Morsel& morsel) = 0;
  /// Completes the files; afterwards parts() is known. Still nothing is visible.
  virtual void close() = 0;
  /// Paths of the data files.
  virtual std::vector<std::string> parts() const = 0;
  /// Makes the output visible. `report` is JSON.
  virtual void commit(const std::string& report) = 0;
};

/// Throws as check_output() and, for a directory that another run writes to, RequestError.
std::unique_ptr<TableOutput> open_output(const EmbedJob& job,
                                         std::shared_ptr<const columnar::Schema> schema,
                                         storage::TableModule& tables);

}  // namespace vecframe::job
