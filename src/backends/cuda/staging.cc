#include "backends/cuda/staging.h"

#include <algorithm>
#include <cstring>

namespace vecframe::backends::cuda {
namespace {

constexpr std::size_t kAlignment = 256;

std::size_t padded(std::size_t bytes) {
  return (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Staging::Staging(std::shared_ptr<Runtime> runtime)
    : runtime_(std::move(runtime)),
      parts_{Part(runtime_), Part(runtime_)},
      all_copied_(runtime_),
      queue_(runtime_) {}

std::byte* Staging::reserve(std::size_t bytes) {
  const std::size_t need = padded(bytes);
  if (blocks_.empty() || used_ + need > blocks_.back().bytes()) {
    blocks_.emplace_back(runtime_, std::max(need, std::size_t{1} << 16));
    used_ = 0;
  }
  std::byte* place = static_cast<std::byte*>(blocks_.back().data()) + used_;
  used_ += need;
  return place;
}

const void* Staging::stage(const void* from, std::size_t bytes) {
  std::byte* place = reserve(bytes);
  for (std::size_t first = 0; first < bytes; first += kPartBytes) {
    const std::size_t count = std::min(kPartBytes, bytes - first);
    Part& part = parts_[next_part_];
    next_part_ = (next_part_ + 1) % parts_.size();
    runtime_->wait(part.copied.get());
    std::memcpy(part.memory.data(), static_cast<const std::byte*>(from) + first, count);
    runtime_->copy_in(place + first, part.memory.data(), count, queue_.get());
    runtime_->record(part.copied.get(), queue_.get());
  }
  return place;
}

void Staging::join(QueueHandle queue) {
  runtime_->record(all_copied_.get(), queue_.get());
  runtime_->make_wait(queue, all_copied_.get());
}

void Staging::clear() {
  used_ = 0;
  if (blocks_.size() <= 1) return;
  runtime_->wait_for(queue_.get());
  std::size_t total = 0;
  for (const DeviceMemory& block : blocks_) total += block.bytes();
  blocks_.clear();
  blocks_.emplace_back(runtime_, total);
}

void Staging::read(void* to, const void* from, std::size_t row_bytes, std::size_t pitch_bytes,
                   std::size_t rows, QueueHandle queue) {
  // Rows too long for a part come in pieces.
  const std::size_t width = std::min(row_bytes, kPartBytes);
  if (width == 0) return;
  const std::size_t at_once = kPartBytes / width;
  Part& part = parts_[0];
  runtime_->wait(part.copied.get());
  for (std::size_t left = 0; left < row_bytes; left += width) {
    const std::size_t count = std::min(width, row_bytes - left);
    for (std::size_t first = 0; first < rows; first += at_once) {
      const std::size_t some = std::min(at_once, rows - first);
      const std::byte* source = static_cast<const std::byte*>(from) + first * pitch_bytes + left;
      runtime_->copy_out(part.memory.data(), source, count, pitch_bytes, some, queue);
      runtime_->wait_for(queue);
      for (std::size_t r = 0; r < some; ++r)
        std::memcpy(static_cast<std::byte*>(to) + (first + r) * row_bytes + left,
                    static_cast<const std::byte*>(part.memory.data()) + r * count, count);
    }
  }
}

}  // namespace vecframe::backends::cuda
