#include "exec/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

namespace vecframe::exec {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

MemoryRequest request_with(std::int64_t limit, int threads = 2) {
  MemoryRequest request;
  request.memory_limit = limit;
  request.threads = threads;
  request.dimension = 512;
  request.slot_bytes = 224 * 224 * 3;
  request.lane_bytes = [](std::int64_t batch) { return 2 * kMiB + batch * kMiB; };
  request.sink_bytes = kMiB;
  return request;
}

void expect_sound(const MemoryPlan& plan, std::int64_t limit) {
  EXPECT_EQ(plan.fixed_bytes + plan.room_bytes, limit);
  EXPECT_GE(plan.room_bytes, kMinimumRoom);
  EXPECT_LT(plan.encoded_bytes, plan.room_bytes);
  EXPECT_GT(plan.encoded_bytes, 0);
  EXPECT_GE(plan.window_rows, 2 * plan.batch_size);
}

TEST(MemoryPlanTest, ChoosesTheLargestBatchThatLeavesHalf) {
  const MemoryPlan large = plan_memory(request_with(512 * kMiB));
  EXPECT_EQ(large.batch_size, 16);
  expect_sound(large, 512 * kMiB);
  const MemoryPlan small = plan_memory(request_with(32 * kMiB));
  EXPECT_LT(small.batch_size, 16);
  EXPECT_GT(small.batch_size, 1);
  expect_sound(small, 32 * kMiB);
}

TEST(MemoryPlanTest, IsSoundForEveryLimitThatItTakes) {
  for (std::int64_t limit = kMiB; limit < 200 * kMiB; limit += 777777) {
    for (const int threads : {1, 2, 7}) {
      try {
        expect_sound(plan_memory(request_with(limit, threads)), limit);
      } catch (const RequestError&) {
        EXPECT_LT(limit, least_memory(request_with(limit, threads), threads, 1));
      }
    }
  }
}

TEST(MemoryPlanTest, UsesFewerThreadsOnlyIfItMay) {
  MemoryRequest request = request_with(16 * kMiB, 64);
  EXPECT_THROW(plan_memory(request), RequestError);
  request.threads_may_fall = true;
  const MemoryPlan plan = plan_memory(request);
  EXPECT_LT(plan.concurrency.workers, 64);
  EXPECT_GE(plan.concurrency.workers, 1);
  expect_sound(plan, 16 * kMiB);
}

TEST(MemoryPlanTest, TakesAnExplicitBatchOrNamesWhatItNeeds) {
  MemoryRequest request = request_with(64 * kMiB);
  request.batch_size = 20;
  EXPECT_EQ(plan_memory(request).batch_size, 20);
  request.batch_size = 100;
  try {
    plan_memory(request);
    FAIL() << "no exception";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("batch_size=100"));
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(least_memory(request, 2, 100))));
  }
  request.memory_limit = least_memory(request, 2, 100);
  EXPECT_EQ(plan_memory(request).batch_size, 100);
}

// What is fixed covers lanes, their vectors and the packed batches, and nothing of workers that
// only decode.
TEST(MemoryPlanTest, CountsLanesAndBatchesOfTheStages) {
  MemoryRequest request = request_with(512 * kMiB);
  request.batch_size = 16;
  const std::int64_t two_lanes = least_memory(request, 2, 16);
  const std::int64_t slots = 16 * static_cast<std::int64_t>(request.slot_bytes);
  const std::int64_t lane = request.lane_bytes(16) + 16 * request.dimension * 4;
  request.stages.decode = 6;
  request.stages.embed = 1;
  const MemoryPlan plan = plan_memory(request);
  EXPECT_EQ(plan.concurrency.decoders, 6);
  EXPECT_EQ(plan.concurrency.lanes, 1);
  EXPECT_EQ(plan.concurrency.workers, 7);
  EXPECT_EQ(plan.num_batches, 3);  // embedded, ready, being filled
  EXPECT_EQ(least_memory(request, 2, 16), two_lanes - lane + slots);
  request.batch_size = 1;
  EXPECT_EQ(plan_memory(request).num_batches, 7);  // every decoder has a slot
  expect_sound(plan_memory(request), 512 * kMiB);
}

TEST(MemoryPlanTest, LanesThatWereAskedForDoNotFall) {
  MemoryRequest request = request_with(16 * kMiB, 2);
  request.threads_may_fall = true;
  request.stages.embed = 64;
  try {
    plan_memory(request);
    FAIL() << "no exception";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("embed=64"));
    EXPECT_THAT(error.what(), HasSubstr("with threads=1 and batch_size=1 and embed=1"));
  }
}

}  // namespace
}  // namespace vecframe::exec
