#include "tensor/aligned_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace vecframe::tensor {
namespace {

TEST(AlignedBuffer, BeginsOnACacheLine) {
  for (const std::size_t count : {1u, 3u, 64u, 1000u}) {
    AlignedBuffer<float> buffer(count);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kAlignment, 0u);
    EXPECT_EQ(buffer.size_bytes(), count * 4);
    buffer[count - 1] = 2.0f;
    EXPECT_EQ(buffer.end()[-1], 2.0f);
  }
}

TEST(AlignedBuffer, NothingNeedsNoMemory) {
  EXPECT_TRUE(AlignedBuffer<int>().empty());
  EXPECT_EQ(AlignedBuffer<int>(0).data(), nullptr);
}

TEST(AlignedBuffer, Moves) {
  AlignedBuffer<int> buffer(4);
  buffer[0] = 7;
  const AlignedBuffer<int> moved = std::move(buffer);
  EXPECT_EQ(moved[0], 7);
}

}  // namespace
}  // namespace vecframe::tensor
