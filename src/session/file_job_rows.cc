#include "session/file_job_rows.h"

#include <vecframe/error.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "session/output_options.h"
#include "session/run_plan.h"

namespace vecframe::session {
namespace {

constexpr std::int64_t kBatchRows = 1024;
// How often a waiting consumer gets its progress callback, in which it may look for signals.
constexpr std::chrono::milliseconds kTick{100};

class FileJobRows final : public RowSource {
 public:
  FileJobRows(job::EmbedJob job, const RunOptions& options)
      : job_(std::move(job)),
        options_(options),
        batch_rows_(options.morsel_rows == 0 ? kBatchRows : options.morsel_rows),
        schema_(job::output_schema(job_)) {
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
      throw RunError("cannot start a thread: " + std::string(error.what()));
    }
  }

  ~FileJobRows() override {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  const std::shared_ptr<const columnar::Schema>& schema() const override { return schema_; }

  std::optional<columnar::Batch> next() override {
    for (;;) {
      std::vector<Failure> failures;
      Progress progress;
      std::optional<columnar::Batch> batch;
      std::exception_ptr error;
      bool ended = false;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kTick, [&] { return waiting_ || finished_; });
        failures = std::exchange(failures_, {});
        progress = progress_;
        if (waiting_) {
          batch = std::exchange(waiting_, std::nullopt);
        } else if (finished_) {
          ended = true;
          error = error_;
        }
        changed_.notify_all();
      }
      for (const Failure& failure : failures) options_.on_failure(failure);
      if (options_.on_progress) options_.on_progress(progress);
      if (error) std::rethrow_exception(error);
      if (batch || ended) return batch;
    }
  }

 private:
  void run() noexcept {
    std::exception_ptr error;
    try {
      exec::FailureCallback on_failure;
      if (options_.on_failure)
        on_failure = [this](const exec::Row& row) {
          std::lock_guard lock(mutex_);
          // As many as the rows of a batch, which waits for its consumer.
          failures_.push_back({row.path, row.error->to_string()});
        };
      job::produce(
          job_, batch_rows_, [this](columnar::Batch batch) { give(std::move(batch)); },
          token_of(options_), [this](const exec::Statistics& s) { note(s); }, on_failure);
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard lock(mutex_);
    finished_ = true;
    error_ = error;
    changed_.notify_all();
  }

  void give(columnar::Batch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_ || closed_; });
    if (closed_) throw Cancelled();
    waiting_ = std::move(batch);
    changed_.notify_all();
  }

  // Also how a run between two batches learns that nobody wants them any more.
  void note(const exec::Statistics& s) {
    std::lock_guard lock(mutex_);
    if (closed_) throw Cancelled();
    progress_ = to_progress(s);
  }

  const job::EmbedJob job_;
  const RunOptions options_;
  const std::int64_t batch_rows_;
  const std::shared_ptr<const columnar::Schema> schema_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<columnar::Batch> waiting_;  // guarded by mutex_, as all that follow
  std::vector<Failure> failures_;
  Progress progress_;
  std::exception_ptr error_;
  bool finished_ = false;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<RowSource> stream_file_job(job::EmbedJob job, const RunOptions& options) {
  return std::make_unique<FileJobRows>(std::move(job), options);
}

}  // namespace vecframe::session
