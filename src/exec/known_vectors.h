// Pictures of the same content on the way through an embedding, chunk by chunk: the first is
// embedded, the others get its vector, and so does a picture that an earlier run embedded.
//
// Workers compute chunks side by side, so the first may be with another one. A worker that waits
// for it has embedded all of its own rows before, so nobody waits in a circle.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "base/fingerprint.h"
#include "base/row_error.h"
#include "exec/duplicates.h"
#include "exec/row_evaluator.h"
#include "exec/stage_clock.h"
#include "exec/vector_cache.h"

namespace vecframe::exec {

/// Thread-safe.
class KnownVectors {
 public:
  /// Keeps as many vectors as fit. `cache` may be null.
  KnownVectors(std::int64_t dimension, std::int64_t capacity_bytes,
               std::shared_ptr<VectorCache> cache)
      : dimension_(static_cast<std::size_t>(dimension)),
        duplicates_(dimension, capacity_bytes),
        cache_(std::move(cache)) {}

  /// A row that gets what another one of its content comes to.
  class Follower {
   public:
    const std::vector<float>& vector() const { return vector_; }  ///< empty if it failed
    const std::optional<RowError>& error() const { return error_; }
    Severity severity() const { return severity_; }

   private:
    friend class KnownVectors;
    bool done_ = false;
    std::vector<float> vector_;
    std::optional<RowError> error_;
    Severity severity_ = Severity::kDeferred;
  };

  /// A row that is the first of its content. It ends in finish() or fail(); if it does not, the run
  /// ends, and those that follow it wait until then.
  class First {
   public:
    First(KnownVectors& owner, const Hash128& content) : owner_(&owner), content_(content) {}
    First(const First&) = delete;
    First& operator=(const First&) = delete;
    ~First();
    /// `vector` as the embedder gave it.
    void finish(std::span<const float> vector);
    void fail(const RowError& error, Severity severity);

   private:
    KnownVectors* owner_;
    Hash128 content_;
  };

  /// What is known of a row: one of the three.
  struct Known {
    std::vector<float> vector;
    std::shared_ptr<Follower> follower;
    std::unique_ptr<First> first;
  };
  Known look_up(const Hash128& content, Counters& counters);
  /// Until the row it follows has ended. False once `stopping` is cancelled, which is seen within
  /// 50 ms.
  bool wait(const Follower& follower, const CancellationToken& stopping);

 private:
  void tell(const std::vector<std::int64_t>& tickets, std::span<const float> vector,
            const RowError* error, Severity severity = Severity::kDeferred);

  const std::size_t dimension_;
  Duplicates duplicates_;
  const std::shared_ptr<VectorCache> cache_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::int64_t next_ticket_ = 0;                                 // guarded by mutex_
  std::map<std::int64_t, std::shared_ptr<Follower>> followers_;  // guarded by mutex_
};

/// Those of each embedding of a plan, for as long as the plan runs: shard by shard, say.
/// Thread-safe.
class KnownVectorsOfPlan {
 public:
  using Make = std::function<std::shared_ptr<KnownVectors>()>;
  /// Of the embedding that `node` is; made if it is the first time.
  std::shared_ptr<KnownVectors> of(const void* node, const Make& make) {
    std::lock_guard lock(mutex_);
    std::shared_ptr<KnownVectors>& known = known_[node];
    if (known == nullptr) known = make();
    return known;
  }

 private:
  std::mutex mutex_;
  std::map<const void*, std::shared_ptr<KnownVectors>> known_;  // guarded by mutex_
};

}  // namespace vecframe::exec
