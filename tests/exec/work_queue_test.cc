#include "exec/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
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

std::int64_t prepare_one(WorkQueue& queue) {
  Task task = queue.next();
  const std::int64_t row = std::get<EncodedRow>(task).row;
  queue.commit_slot(queue.reserve_slot(), row);
  return row;
}

TEST(WorkQueueTest, FullBatchesGoFirst) {
  WorkQueue queue(1, 2, 1);
  for (std::int64_t row = 0; row < 3; ++row) queue.push(encoded(row));
  EXPECT_EQ(prepare_one(queue), 0);
  EXPECT_EQ(prepare_one(queue), 1);
  const EmbedTask task = std::get<EmbedTask>(queue.next());
  EXPECT_EQ(task.count, 2);
  queue.finish_embed(task);
  EXPECT_EQ(prepare_one(queue), 2);
}

TEST(WorkQueueTest, APartialBatchLeavesWhenNothingElseComes) {
  WorkQueue queue(1, 4, 1);
  queue.push(encoded(0));
  prepare_one(queue);
  const EmbedTask early = std::get<EmbedTask>(queue.next());  // the queue is still open
  EXPECT_EQ(early.count, 1);
  EXPECT_FALSE(early.is_last);
  queue.finish_embed(early);
  queue.push(encoded(1));
  queue.push(encoded(2));
  queue.close();
  prepare_one(queue);
  prepare_one(queue);
  const EmbedTask last = std::get<EmbedTask>(queue.next());
  EXPECT_EQ(last.count, 2);
  EXPECT_TRUE(last.is_last);
  queue.finish_embed(last);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(queue.next()));
}

TEST(WorkQueueTest, RowsThatFailLeaveNothingBehind) {
  WorkQueue queue(1, 2, 1);
  queue.push(encoded(0));
  queue.push(encoded(1));
  queue.close();
  queue.next();
  queue.abandon_row();
  queue.next();
  queue.abandon_slot(queue.reserve_slot());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(queue.next()));
}

// With one batch for each worker a slot is always to be had, and every row is embedded once.
TEST(WorkQueueTest, AnyInterleavingEmbedsEveryRowOnce) {
  for (const int num_workers : {1, 2, 3, 6}) {
    constexpr std::int64_t kRows = 700;
    WorkQueue queue(num_workers, 3, 8);
    std::mutex mutex;
    std::set<std::int64_t> embedded;
    std::atomic<int> num_failed{0};
    std::vector<std::thread> workers;
    for (int worker = 0; worker < num_workers; ++worker) {
      workers.emplace_back([&, worker] {
        std::mt19937 random(static_cast<std::uint32_t>(worker));
        for (;;) {
          Task task = queue.next();
          if (auto* row = std::get_if<EncodedRow>(&task)) {
            if (random() % 4 == 0) std::this_thread::yield();
            if (random() % 10 == 0) {
              ++num_failed;
              queue.abandon_row();
              continue;
            }
            const Slot slot = queue.reserve_slot();
            if (random() % 10 == 0) {
              ++num_failed;
              queue.abandon_slot(slot);
            } else {
              queue.commit_slot(slot, row->row);
            }
          } else if (auto* batch = std::get_if<EmbedTask>(&task)) {
            for (std::int64_t i = 0; i < batch->count; ++i) {
              std::lock_guard lock(mutex);
              EXPECT_TRUE(embedded.insert(batch->batch->row(batch->first + i)).second);
            }
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
}

TEST(WorkQueueTest, StopEndsWaits) {
  WorkQueue queue(1, 1, 1);
  std::thread worker([&] { EXPECT_TRUE(std::holds_alternative<std::monostate>(queue.next())); });
  queue.stop();
  worker.join();
}

}  // namespace
}  // namespace vecframe::exec
