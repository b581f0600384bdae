// How many rows go through the embedder together: as the user says, or what turns out to be fast
// enough, and never more than there is memory for.
//
// Sizes are tried from the largest downwards, a few calls each, while that costs next to nothing;
// the smallest that is about as fast as the best stays for the rest of the run. A smaller batch is
// whole sooner, and holds less. A vector does not depend on its batch.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace vecframe::exec {

/// Thread-safe.
class BatchSizer {
 public:
  /// At most `largest` rows; without `measured` exactly so many as long as memory does.
  BatchSizer(std::int64_t largest, bool measured);

  /// Of the next call.
  std::int64_t size() const;
  /// One call with so many rows took so long.
  void note(std::int64_t rows, double seconds);
  /// A call with so many rows, more than one, found no memory: there is none so large any more.
  void out_of_memory(std::int64_t rows);
  /// How often size() fell for that.
  std::int64_t halvings() const;

 private:
  struct Trial {
    std::int64_t size = 1;
    int calls = 0;
    double rows_per_second = 0;  // the best: what else ran beside a call only slows it down
  };
  void judge();

  mutable std::mutex mutex_;
  std::int64_t size_;          // guarded by mutex_, as all that follow
  bool trying_;                // size_ is that of the last of trials_
  std::vector<Trial> trials_;  // from the largest on
  std::int64_t halvings_ = 0;
};

}  // namespace vecframe::exec
