// Lanes of an embedder, each with room for its vectors, for workers that take turns at them.
//
// A worker gets the lane that it had before, if that is free: its memory is near. Lanes are made
// when they are first needed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "embed/embedder.h"

namespace vecframe::exec {

/// Thread-safe. No more lanes may be taken at a time than there are.
class LanePool {
 public:
  /// At most `lanes`, each with room for so many values of vectors.
  LanePool(std::shared_ptr<embed::ImageEmbedder> embedder, int lanes, std::int64_t values)
      : embedder_(std::move(embedder)),
        to_make_(lanes),
        values_(static_cast<std::size_t>(values)) {}

  struct Lane {
    std::unique_ptr<embed::EmbedLane> embedder;
    std::vector<float> out;
    bool warm = false;  ///< it has embedded before: a first call does more than embedding
    std::thread::id user;
  };

  /// A lane, for as long as this lives.
  class [[nodiscard]] Use {
   public:
    Use(LanePool& pool, std::unique_ptr<Lane> lane) : pool_(pool), lane_(std::move(lane)) {}
    ~Use() { pool_.give_back(std::move(lane_)); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Lane& operator*() { return *lane_; }

   private:
    LanePool& pool_;
    std::unique_ptr<Lane> lane_;
  };

  /// Throws what the embedder throws.
  Use take() {
    std::unique_ptr<Lane> lane = take_idle();
    if (lane == nullptr) {
      lane = std::make_unique<Lane>();
      lane->embedder = embedder_->make_lane();
      lane->out.resize(values_);
    }
    lane->user = std::this_thread::get_id();
    return {*this, std::move(lane)};
  }

 private:
  // Null if one is to be made.
  std::unique_ptr<Lane> take_idle() {
    std::lock_guard lock(mutex_);
    auto chosen = std::find_if(idle_.begin(), idle_.end(), [](const auto& lane) {
      return lane->user == std::this_thread::get_id();
    });
    if (chosen == idle_.end()) {
      if (to_make_ > 0) {
        --to_make_;
        return nullptr;
      }
      chosen = std::prev(idle_.end());
    }
    std::unique_ptr<Lane> lane = std::move(*chosen);
    idle_.erase(chosen);
    return lane;
  }
  void give_back(std::unique_ptr<Lane> lane) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(lane));
  }

  const std::shared_ptr<embed::ImageEmbedder> embedder_;
  std::mutex mutex_;
  int to_make_;                              // guarded by mutex_
  std::vector<std::unique_ptr<Lane>> idle_;  // guarded by mutex_
  const std::size_t values_;
};

}  // namespace vecframe::exec
