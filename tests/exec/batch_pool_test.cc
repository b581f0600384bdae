#include "exec/batch_pool.h"

#include <gtest/gtest.h>

#include <cstring>

namespace vecframe::exec {
namespace {

constexpr std::size_t kSlotBytes = 5;

Slot write(BatchPool& pool, std::uint8_t value) {
  const Slot slot = pool.reserve();
  std::memset(slot.pixels.data(), value, slot.pixels.size());
  return slot;
}

TEST(BatchPoolTest, ABatchLeavesWhenItIsFull) {
  BatchPool pool(1, 3, kSlotBytes);
  EXPECT_EQ(pool.commit(write(pool, 10), 10), nullptr);
  EXPECT_EQ(pool.commit(write(pool, 11), 11), nullptr);
  PackedBatch* batch = pool.commit(write(pool, 12), 12);
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(batch->num_rows(), 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(batch->row(i), 10 + i);
    EXPECT_EQ(batch->pixels(i)[kSlotBytes - 1], 10 + i);
  }
  EXPECT_EQ(pool.reserve().batch, nullptr);
  pool.recycle(batch, 3);
  EXPECT_EQ(pool.reserve().batch, batch);
}

TEST(BatchPoolTest, GapsOfAPartialBatchAreClosed) {
  BatchPool pool(1, 5, kSlotBytes);
  const Slot slots[] = {write(pool, 0), write(pool, 1), write(pool, 2), write(pool, 3)};
  pool.commit(slots[3], 3);
  pool.commit(slots[1], 1);
  EXPECT_FALSE(pool.has_partial(0));  // two slots are being written
  pool.give_back(slots[0]);
  pool.give_back(slots[2]);
  EXPECT_TRUE(pool.has_partial(0));
  PackedBatch* batch = pool.take_partial(0);
  ASSERT_NE(batch, nullptr);
  ASSERT_EQ(batch->num_rows(), 2);
  for (std::int64_t i = 0; i < 2; ++i) EXPECT_EQ(batch->pixels(i)[0], batch->row(i));
  EXPECT_EQ(batch->row(0) + batch->row(1), 4);
  EXPECT_FALSE(pool.has_partial(0));
}

TEST(BatchPoolTest, ASlotGivenBackIsUsedAgain) {
  BatchPool pool(2, 2, kSlotBytes);
  const Slot first = write(pool, 0);
  const Slot second = write(pool, 1);
  const Slot third = write(pool, 2);
  EXPECT_EQ(first.batch, second.batch);
  EXPECT_NE(first.batch, third.batch);
  pool.give_back(first);
  EXPECT_EQ(write(pool, 3).batch, first.batch);
  pool.give_back(third);
  EXPECT_EQ(pool.take_partial(0), nullptr);  // nothing is written
}

TEST(BatchPoolTest, ABatchIsFullWithAsManyRowsAsAreWantedOfIt) {
  BatchPool pool(1, 4, kSlotBytes);
  EXPECT_EQ(pool.num_free(), 4);
  for (std::uint8_t value = 0; value < 3; ++value) pool.commit(write(pool, value), value);
  EXPECT_EQ(pool.num_free(), 1);
  PackedBatch* const batch = pool.take_partial(0);
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(pool.num_free(), 0);
  pool.recycle(batch, 2);
  EXPECT_EQ(pool.num_free(), 2);
  EXPECT_EQ(pool.commit(write(pool, 7), 7), nullptr);
  EXPECT_EQ(pool.commit(write(pool, 8), 8), batch);
  EXPECT_EQ(batch->num_rows(), 2);
  EXPECT_EQ(pool.reserve().batch, nullptr);
}

TEST(BatchPoolTest, APartialBatchLeavesNoFewerSlotsThanAreWanted) {
  BatchPool pool(2, 3, kSlotBytes);
  pool.commit(write(pool, 0), 0);
  EXPECT_EQ(pool.num_free(), 5);
  EXPECT_FALSE(pool.has_partial(4));
  EXPECT_EQ(pool.take_partial(4), nullptr);
  EXPECT_TRUE(pool.has_partial(3));
  EXPECT_NE(pool.take_partial(3), nullptr);
  EXPECT_EQ(pool.num_free(), 3);
}

}  // namespace
}  // namespace vecframe::exec
