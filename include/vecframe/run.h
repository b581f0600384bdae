// How a plan is run, and what is known afterwards.
#pragma once

#include <vecframe/export.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vecframe {

/// A snapshot of a run that goes on.
struct Progress {
  std::int64_t rows = 0;  ///< finished, failed ones included
  std::int64_t failed = 0;
  std::int64_t listed = 0;    ///< inputs found so far
  bool listing_done = false;  ///< if so, `listed` is the total
  double seconds = 0;
};

/// One row that failed.
struct Failure {
  std::string path;
  std::string error;  ///< `stage/code: message`
};

/// Asks a run to stop; the run throws Cancelled. request() may be called from a signal handler.
class VECFRAME_API StopSource {
 public:
  StopSource();
  void request() noexcept;
  bool requested() const noexcept;
  /// For the library's own use.
  const std::shared_ptr<void>& state() const { return state_; }

 private:
  std::shared_ptr<void> state_;
};

/// 512 MiB.
inline constexpr std::int64_t kDefaultMemoryLimit = std::int64_t{512} << 20;

struct RunOptions {
  /// Worker threads; 0: one for each processor this process may use.
  int threads = 0;
  /// Bytes for everything in flight: encoded and decoded pictures, activations, output buffers.
  /// Weights come on top.
  std::int64_t memory_limit = kDefaultMemoryLimit;
  std::function<void(const Progress&)>
      on_progress;  ///< about ten times a second, from one thread at a time
  std::function<void(const Failure&)> on_failure;  ///< under OnError::kLog
  /// Called when the run begins, for each thing that the plan does and its user hardly wants:
  /// see DataFrame::warnings().
  std::function<void(const std::string&)> on_warning;
  std::optional<StopSource> stop;
  /// Rows that travel through the plan together, at most; 0: as the source gives them. The result
  /// does not depend on it.
  std::int64_t morsel_rows = 0;
  /// Rewrite the plan before it runs, so that it does less for the same result (docs/dataframe.md).
  bool optimize = true;
};

enum class WriteMode : std::uint8_t {
  kError,      ///< refuse to replace an existing file or a directory that is not empty
  kOverwrite,  ///< replace it, when the new output is complete
};

struct WriteOptions : RunOptions {
  WriteMode mode = WriteMode::kError;
};

struct RunReport {
  std::int64_t rows = 0;
  std::int64_t failed = 0;
  std::map<std::string, std::int64_t> failures;  ///< count by "stage/code"
  double seconds = 0;                            ///< without loading the model
  double load_seconds = 0;
  std::int64_t peak_memory_bytes = 0;  ///< of the process
  std::string json;                    ///< everything, as docs/file-format.md describes it
};

}  // namespace vecframe
