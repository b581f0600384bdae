#include "exec/reorder_window.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

namespace vecframe::exec {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ReorderWindowTest, RowsLeaveInOrder) {
  constexpr std::int64_t kRows = 2000;
  constexpr std::int64_t kCapacity = 7;
  ReorderWindow window(kCapacity, 2);
  std::atomic<std::int64_t> next{0};
  std::atomic<std::int64_t> popped{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const std::int64_t row = next++;
        if (row >= kRows || !window.open(row, std::to_string(row))) return;
        EXPECT_LT(row, popped + kCapacity + 1);  // popped is counted after pop()
        window.vector(row)[0] = static_cast<float>(row);
        window.vector(row)[1] = -static_cast<float>(row);
        window.facts(row).width = static_cast<std::uint32_t>(row);
        window.finish(row);
      }
    });
  }
  while (popped < kRows) {
    if (!window.wait_front(seconds(10))) continue;
    const std::int64_t row = window.front();
    EXPECT_EQ(row, popped);
    EXPECT_EQ(window.facts(row).path, std::to_string(row));
    EXPECT_EQ(window.facts(row).width, static_cast<std::uint32_t>(row));
    EXPECT_EQ(window.vector(row)[1], -static_cast<float>(row));
    window.pop();
    ++popped;
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ReorderWindowTest, FactsOfAnEarlierRowAreGone) {
  ReorderWindow window(1, 0);
  ASSERT_TRUE(window.open(0, "a"));
  window.facts(0).error = RowError{Stage::kRead, ErrorCode::kIoError, "x"};
  window.facts(0).width = 5;
  window.finish(0);
  ASSERT_TRUE(window.wait_front(milliseconds(0)));
  window.pop();
  EXPECT_FALSE(window.wait_front(milliseconds(0)));
  ASSERT_TRUE(window.open(1, "b"));
  EXPECT_FALSE(window.facts(1).error);
  EXPECT_EQ(window.facts(1).width, 0u);
}

TEST(ReorderWindowTest, WakeAndStopEndWaits) {
  ReorderWindow window(1, 0);
  window.wake();
  EXPECT_FALSE(window.wait_front(seconds(1000)));
  ASSERT_TRUE(window.open(0, "a"));
  std::thread reader([&] { EXPECT_FALSE(window.open(1, "b")); });
  window.stop();
  reader.join();
  EXPECT_FALSE(window.wait_front(seconds(1000)));
}

}  // namespace
}  // namespace vecframe::exec
