#include "exec/name_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace vecframe::exec {
namespace {

TEST(NameQueueTest, EveryNameGoesToOneReader) {
  NameQueue queue(200);  // a few names
  std::mutex mutex;
  std::set<std::int64_t> rows;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::int64_t last = -1;
      while (const auto name = queue.pop()) {
        EXPECT_GT(name->row, last);
        last = name->row;
        EXPECT_EQ(name->path, std::to_string(name->row));
        std::lock_guard lock(mutex);
        EXPECT_TRUE(rows.insert(name->row).second);
      }
    });
  }
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(queue.push(std::to_string(i)));
  EXPECT_FALSE(queue.progress().done);
  queue.finish();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(rows.size(), 1000u);
  EXPECT_EQ(queue.progress().listed, 1000);
  EXPECT_TRUE(queue.progress().done);
}

TEST(NameQueueTest, ANameLargerThanTheCapacityPasses) {
  NameQueue queue(10);
  EXPECT_TRUE(queue.push(std::string(1000, 'x')));
  EXPECT_EQ(queue.pop()->path.size(), 1000u);
}

TEST(NameQueueTest, IsBoundedAndStops) {
  NameQueue queue(100);
  std::atomic<int> pushed{0};
  std::thread lister([&] {
    while (queue.push("0123456789")) ++pushed;
  });
  EXPECT_TRUE(queue.pop());
  queue.stop();
  lister.join();
  EXPECT_LE(pushed, 4);
  EXPECT_FALSE(queue.pop());
}

}  // namespace
}  // namespace vecframe::exec
