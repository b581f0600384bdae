#include "exec/reorder_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
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
  ReorderWindow window(kCapacity, 2, /*ordered=*/true);
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
    const std::optional<std::int64_t> ticket = window.wait_finished(seconds(10));
    if (!ticket) continue;
    const std::int64_t row = window.facts(*ticket).row;
    EXPECT_EQ(row, popped);
    EXPECT_EQ(window.facts(row).path, std::to_string(row));
    EXPECT_EQ(window.facts(row).width, static_cast<std::uint32_t>(row));
    EXPECT_EQ(window.vector(row)[1], -static_cast<float>(row));
    window.pop(*ticket);
    ++popped;
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ReorderWindowTest, FactsOfAnEarlierRowAreGone) {
  ReorderWindow window(1, 0, /*ordered=*/true);
  ASSERT_TRUE(window.open(0, "a"));
  window.facts(0).error = RowError{Stage::kRead, ErrorCode::kIoError, "x"};
  window.facts(0).width = 5;
  window.finish(0);
  ASSERT_EQ(window.wait_finished(milliseconds(0)), 0);
  window.pop(0);
  EXPECT_FALSE(window.wait_finished(milliseconds(0)));
  ASSERT_TRUE(window.open(1, "b"));
  EXPECT_FALSE(window.facts(1).error);
  EXPECT_EQ(window.facts(1).width, 0u);
}

// The first row does not finish before all others have left, through a window of three.
TEST(ReorderWindowTest, WithoutOrderASlowRowHoldsNobodyUp) {
  constexpr std::int64_t kRows = 500;
  ReorderWindow window(3, 1, /*ordered=*/false);
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> go_on{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const std::int64_t row = next++;
        if (row >= kRows) return;
        const std::optional<std::int64_t> ticket = window.open(row, std::to_string(row));
        if (!ticket) return;
        while (row == 0 && !go_on) std::this_thread::yield();
        window.vector(*ticket)[0] = static_cast<float>(row);
        window.finish(*ticket);
      }
    });
  }
  std::vector<std::int64_t> left;
  while (window.num_popped() < kRows) {
    const std::optional<std::int64_t> ticket = window.wait_finished(seconds(10));
    if (!ticket) continue;
    const RowFacts& facts = window.facts(*ticket);
    EXPECT_EQ(facts.path, std::to_string(facts.row));
    EXPECT_EQ(window.vector(*ticket)[0], static_cast<float>(facts.row));
    left.push_back(facts.row);
    window.pop(*ticket);
    if (window.num_popped() == kRows - 1) go_on = true;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(left.back(), 0);
  std::sort(left.begin(), left.end());
  for (std::int64_t row = 0; row < kRows; ++row)
    EXPECT_EQ(left[static_cast<std::size_t>(row)], row);
}

TEST(ReorderWindowTest, WithoutOrderRowsComeInOneAfterTheOther) {
  ReorderWindow window(1, 0, /*ordered=*/false);
  std::optional<std::int64_t> second;
  std::thread early([&] { second = window.open(1, "b"); });
  std::this_thread::sleep_for(milliseconds(5));
  const std::optional<std::int64_t> first = window.open(0, "a");
  ASSERT_TRUE(first);
  window.finish(*first);
  const std::optional<std::int64_t> finished = window.wait_finished(seconds(1000));
  ASSERT_TRUE(finished);
  EXPECT_EQ(window.facts(*finished).path, "a");
  window.pop(*finished);
  early.join();
  ASSERT_TRUE(second);
  EXPECT_EQ(window.facts(*second).path, "b");
}

TEST(ReorderWindowTest, WakeAndStopEndWaits) {
  ReorderWindow window(1, 0, /*ordered=*/true);
  window.wake();
  EXPECT_FALSE(window.wait_finished(seconds(1000)));
  ASSERT_TRUE(window.open(0, "a"));
  std::thread reader([&] { EXPECT_FALSE(window.open(1, "b")); });
  window.stop();
  reader.join();
  EXPECT_FALSE(window.wait_finished(seconds(1000)));
}

}  // namespace
}  // namespace vecframe::exec
