// An embedder whose vector is the mean colour of each quarter of the slot: arithmetic on the real
// pixels, so that a vector in a wrong row shows.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "embed/embedder.h"
#include "exec/pipeline.h"

namespace vecframe::exec {

inline constexpr std::uint32_t kSlotSide = 8;
inline constexpr std::int64_t kColourDimension = 12;

class ColourEmbedder final : public embed::ImageEmbedder {
 public:
  /// Called with the pixels and the output of each call, after the vectors are made.
  using Hook = std::function<void(const std::uint8_t* pixels, std::int64_t count, float* out)>;
  explicit ColourEmbedder(Hook hook = {}) : hook_(std::move(hook)) {}

  std::unique_ptr<embed::EmbedLane> make_lane() override { return std::make_unique<Lane>(*this); }
  std::int64_t lane_bytes(std::int64_t batch) const override { return 4096 + batch * 1024; }

  std::int64_t largest_batch() const { return largest_batch_; }
  /// Cores that the lane may use which was told last.
  int cores() const {
    const std::lock_guard lock(mutex_);
    return cores_ ? cores_->each() : 1;
  }

 private:
  class Lane final : public embed::EmbedLane {
   public:
    explicit Lane(ColourEmbedder& owner) : owner_(owner) {}
    void embed(const std::uint8_t* pixels, std::int64_t count, float* out) override {
      std::int64_t seen = owner_.largest_batch_;
      while (seen < count && !owner_.largest_batch_.compare_exchange_weak(seen, count)) {
      }
      std::fill(out, out + count * kColourDimension, 0.0f);
      constexpr std::uint32_t kHalf = kSlotSide / 2;
      for (std::int64_t slot = 0; slot < count; ++slot) {
        for (std::uint32_t y = 0; y < kSlotSide; ++y) {
          for (std::uint32_t x = 0; x < kSlotSide; ++x) {
            const std::uint8_t* pixel = pixels + ((slot * kSlotSide + y) * kSlotSide + x) * 3;
            float* quarter = out + slot * kColourDimension + (y / kHalf * 2 + x / kHalf) * 3;
            for (int c = 0; c < 3; ++c) quarter[c] += pixel[c] / float{kHalf * kHalf};
          }
        }
      }
      if (owner_.hook_) owner_.hook_(pixels, count, out);
    }
    void share_cores(std::shared_ptr<const CoreShare> cores) override {
      const std::lock_guard lock(owner_.mutex_);
      owner_.cores_ = std::move(cores);
    }

   private:
    ColourEmbedder& owner_;
  };

  const Hook hook_;
  std::atomic<std::int64_t> largest_batch_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const CoreShare> cores_;  // guarded by mutex_
};

inline image::PrepareSpec colour_spec() {
  image::PrepareSpec spec;
  spec.resize = image::ResizeRule::kExact;
  spec.resize_height = spec.resize_width = kSlotSide;
  spec.filter = image::Filter::kBilinear;
  return spec;
}

inline EmbedStage colour_stage(ColourEmbedder::Hook hook = {}) {
  return {std::make_shared<ColourEmbedder>(std::move(hook)), colour_spec(), kColourDimension};
}

}  // namespace vecframe::exec
