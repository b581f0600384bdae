#include "exec/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace vecframe::exec {
namespace {

EncodedRow encoded(std::int64_t row) {
  EncodedRow result;
  result.row = row;
  return result;
}

Concurrency workers(int count) { return {1, count, count, count}; }

std::int64_t prepare_one(WorkQueue& queue) {
  Task task = queue.next();
  const std::int64_t row = std::get<EncodedRow>(task).row;
  queue.commit_slot(queue.reserve_slot(), row);
  return row;
}

TEST(WorkQueueTest, FullBatchesGoFirst) {
  BatchSizer sizer(2, false);
  WorkQueue queue(workers(1), 1, 2, 1, sizer);
  for (std::int64_t row = 0; row < 3; ++row) queue.push(encoded(row));
  EXPECT_EQ(prepare_one(queue), 0);
  EXPECT_EQ(prepare_one(queue), 1);
  const EmbedTask task = std::get<EmbedTask>(queue.next());
  EXPECT_EQ(task.count, 2);
  queue.finish_embed(task);
  EXPECT_EQ(prepare_one(queue), 2);
}

TEST(WorkQueueTest, APartialBatchLeavesWhenNothingElseComes) {
  BatchSizer sizer(4, false);
  WorkQueue queue(workers(1), 1, 4, 1, sizer);
  queue.push(encoded(0));
  prepare_one(queue);
  const EmbedTask early = std::get<EmbedTask>(queue.next());  // the queue is still open
  EXPECT_EQ(early.count, 1);
  queue.finish_embed(early);
  queue.push(encoded(1));
  queue.push(encoded(2));
  queue.close();
  prepare_one(queue);
  prepare_one(queue);
  const EmbedTask last = std::get<EmbedTask>(queue.next());
  EXPECT_EQ(last.count, 2);
  queue.finish_embed(last);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(queue.next()));
}

TEST(WorkQueueTest, RowsThatFailLeaveNothingBehind) {
  BatchSizer sizer(2, false);
  WorkQueue queue(workers(1), 1, 2, 1, sizer);
  queue.push(encoded(0));
  queue.push(encoded(1));
  queue.close();
  queue.next();
  queue.abandon_slot(queue.reserve_slot());
  queue.next();
  queue.abandon_slot(queue.reserve_slot());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(queue.next()));
}

TEST(WorkQueueTest, OnlySoManyEmbedAtATime) {
  BatchSizer sizer(1, false);
  WorkQueue queue({.readers = 1, .decoders = 2, .lanes = 1, .workers = 3}, 3, 1, 1, sizer);
  for (std::int64_t row = 0; row < 3; ++row) queue.push(encoded(row));
  prepare_one(queue);
  const EmbedTask first = std::get<EmbedTask>(queue.next());
  prepare_one(queue);  // a batch is ready, but the only lane is taken
  prepare_one(queue);  // and the last slot
  queue.push(encoded(3));
  std::atomic<bool> got_one = false;
  std::thread other([&] {
    const EmbedTask second = std::get<EmbedTask>(queue.next());
    got_one = true;
    queue.finish_embed(second);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // longer than partial batches wait
  EXPECT_FALSE(got_one);
  queue.finish_embed(first);
  other.join();
  EXPECT_TRUE(got_one);
}

struct Shape {
  Concurrency concurrency;
  std::int64_t batches;
  std::int64_t batch_size;
};

class WorkQueueShapeTest : public testing::TestWithParam<Shape> {};

// A slot is always there for a row that was handed out, no more work side by side than may, and
// every row is embedded once, whatever the sizes that batches have on the way.
TEST_P(WorkQueueShapeTest, AnyInterleavingEmbedsEveryRowOnce) {
  const Shape& shape = GetParam();
  constexpr std::int64_t kRows = 700;
  BatchSizer sizer(shape.batch_size, false);
  WorkQueue queue(shape.concurrency, shape.batches, shape.batch_size, 8, sizer);
  std::mutex mutex;
  std::set<std::int64_t> embedded;
  std::atomic<int> num_failed{0}, embedding{0}, preparing{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < shape.concurrency.workers; ++worker) {
    workers.emplace_back([&, worker] {
      std::mt19937 random(static_cast<std::uint32_t>(worker));
      for (;;) {
        Task task = queue.next();
        if (auto* row = std::get_if<EncodedRow>(&task)) {
          EXPECT_LE(++preparing, shape.concurrency.decoders);
          if (random() % 4 == 0) std::this_thread::yield();
          const Slot slot = queue.reserve_slot();
          --preparing;
          if (random() % 10 == 0) {
            ++num_failed;
            queue.abandon_slot(slot);
          } else {
            queue.commit_slot(slot, row->row);
          }
        } else if (auto* batch = std::get_if<EmbedTask>(&task)) {
          EXPECT_LE(++embedding, shape.concurrency.lanes);
          for (std::int64_t i = 0; i < batch->count; ++i) {
            std::lock_guard lock(mutex);
            EXPECT_TRUE(embedded.insert(batch->batch->row(batch->first + i)).second);
          }
          if (random() % 50 == 0 && sizer.size() > 1) sizer.out_of_memory(sizer.size());
          --embedding;
          queue.finish_embed(*batch);
        } else {
          return;
        }
      }
    });
  }
  for (std::int64_t row = 0; row < kRows; ++row) queue.push(encoded(row));
  queue.close();
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(static_cast<std::int64_t>(embedded.size()) + num_failed, kRows);
}

INSTANTIATE_TEST_SUITE_P(Shapes, WorkQueueShapeTest,
                         testing::Values(Shape{workers(1), 1, 3}, Shape{workers(2), 2, 3},
                                         Shape{workers(3), 3, 1}, Shape{workers(6), 6, 16},
                                         Shape{{1, 4, 1, 5}, 3, 4}, Shape{{1, 1, 4, 5}, 5, 3},
                                         Shape{{1, 1, 1, 2}, 1, 4}, Shape{{1, 4, 2, 4}, 1, 1},
                                         Shape{{1, 3, 1, 4}, 2, 2}));

TEST(WorkQueueTest, StopEndsWaits) {
  BatchSizer sizer(1, false);
  WorkQueue queue(workers(1), 1, 1, 1, sizer);
  std::thread worker([&] { EXPECT_TRUE(std::holds_alternative<std::monostate>(queue.next())); });
  queue.stop();
  worker.join();
}

}  // namespace
}  // namespace vecframe::exec
