// A file of the inputs that failed, for whoever is to mend or retry them.
#pragma once

#include <vecframe/run.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/row_error.h"
#include "exec/pipeline.h"
#include "storage/table_io.h"

namespace vecframe::job {

FailedInput failed_input(std::string input, const RowError& error);

/// Appears, by rename, when it is committed.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  virtual void add(const FailedInput& failed) = 0;
  virtual void commit() = 0;
};

/// Keeps them in memory: those of one shard, for whoever holds the file.
class CollectedLetters final : public DeadLetters {
 public:
  explicit CollectedLetters(std::vector<FailedInput>& letters) : letters_(letters) {}
  void add(const FailedInput& failed) override { letters_.push_back(failed); }
  void commit() override {}

 private:
  std::vector<FailedInput>& letters_;
};

/// By the name's suffix: `.jsonl` or `.parquet`, of columns input, stage, code, message. Throws
/// RequestError for another one, RunError when it cannot be written.
std::unique_ptr<DeadLetters> open_dead_letters(const std::string& path,
                                               storage::TableModule& tables);
/// Throws as open_dead_letters() for a wrong name.
void check_dead_letters(const std::string& path);

/// Notes rows that failed on their way to another sink. What was noted is committed when the sink
/// is destroyed without commit(), too: a run that broke off for its failures shows them.
class NotingSink final : public exec::RowSink {
 public:
  /// `letters` may be null.
  NotingSink(exec::RowSink& sink, std::unique_ptr<DeadLetters> letters);
  ~NotingSink() override;
  void write(const exec::Row& row) override;
  bool accepts(std::int64_t index) override { return sink_.accepts(index); }
  std::int64_t max_buffered_bytes() const override;
  void commit();

 private:
  exec::RowSink& sink_;
  std::unique_ptr<DeadLetters> letters_;
};

}  // namespace vecframe::job
