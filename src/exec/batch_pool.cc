#include "exec/batch_pool.h"

#include <algorithm>
#include <cstring>

namespace vecframe::exec {
namespace {

constexpr std::int64_t kFree = -1;
constexpr std::int64_t kReserved = -2;

}  // namespace

PackedBatch::PackedBatch(std::int64_t capacity, std::size_t slot_bytes)
    : slot_bytes_(slot_bytes),
      pixels_(static_cast<std::size_t>(capacity) * slot_bytes),
      rows_(static_cast<std::size_t>(capacity), kFree),
      wanted_(capacity) {}

// An embedder takes slots back to back, so written slots from behind fill the gaps.
void PackedBatch::close_gaps() {
  std::size_t last = rows_.size();
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(num_written_); ++slot) {
    if (rows_[slot] != kFree) continue;
    do {
      --last;
    } while (rows_[last] == kFree);
    std::memcpy(pixels_.data() + slot * slot_bytes_, pixels_.data() + last * slot_bytes_,
                slot_bytes_);
    rows_[slot] = rows_[last];
    rows_[last] = kFree;
  }
}

BatchPool::BatchPool(std::int64_t num_batches, std::int64_t batch_size, std::size_t slot_bytes) {
  for (std::int64_t i = 0; i < num_batches; ++i) {
    batches_.push_back(std::make_unique<PackedBatch>(batch_size, slot_bytes));
    free_.push_back(batches_.back().get());
  }
  num_free_ = num_batches * batch_size;
}

Slot BatchPool::reserve() {
  auto batch = std::find_if(open_.begin(), open_.end(),
                            [](const PackedBatch* candidate) { return candidate->num_free() > 0; });
  if (batch == open_.end()) {
    if (free_.empty()) return {};
    batch = open_.insert(open_.end(), free_.back());
    free_.pop_back();
  }
  PackedBatch& chosen = **batch;
  const auto place = std::find(chosen.rows_.begin(), chosen.rows_.end(), kFree);
  *place = kReserved;
  ++chosen.num_reserved_;
  --num_free_;
  const auto index = place - chosen.rows_.begin();
  return {&chosen, index,
          std::span(chosen.pixels_.data(), chosen.pixels_.size())
              .subspan(static_cast<std::size_t>(index) * chosen.slot_bytes_, chosen.slot_bytes_)};
}

PackedBatch* BatchPool::commit(const Slot& slot, std::int64_t row) {
  PackedBatch* const batch = slot.batch;
  batch->rows_[static_cast<std::size_t>(slot.index)] = row;
  --batch->num_reserved_;
  ++batch->num_written_;
  if (batch->num_written_ < batch->wanted_) return nullptr;
  std::erase(open_, batch);
  return batch;
}

void BatchPool::give_back(const Slot& slot) {
  PackedBatch* const batch = slot.batch;
  batch->rows_[static_cast<std::size_t>(slot.index)] = kFree;
  --batch->num_reserved_;
  ++num_free_;
  if (batch->num_reserved_ + batch->num_written_ > 0) return;
  std::erase(open_, batch);
  free_.push_back(batch);
}

bool BatchPool::has_partial(std::int64_t keep_free) const {
  return std::any_of(open_.begin(), open_.end(),
                     [&](const PackedBatch* batch) { return is_partial(*batch, keep_free); });
}

PackedBatch* BatchPool::take_partial(std::int64_t keep_free) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const PackedBatch* batch) {
    return is_partial(*batch, keep_free);
  });
  if (found == open_.end()) return nullptr;
  PackedBatch* const batch = *found;
  open_.erase(found);
  num_free_ -= batch->num_free();
  batch->close_gaps();
  return batch;
}

void BatchPool::recycle(PackedBatch* batch, std::int64_t wanted) {
  std::fill(batch->rows_.begin(), batch->rows_.end(), kFree);
  batch->num_written_ = 0;
  batch->wanted_ = wanted;
  num_free_ += wanted;
  free_.push_back(batch);
}

}  // namespace vecframe::exec
