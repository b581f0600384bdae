#include "exec/ordered_workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace vecframe::exec {
namespace {

struct Numbers {
  std::vector<int> values;
};
using Workers = OrderedWorkers<Numbers>;

constexpr std::chrono::milliseconds kPatience{20};

// 0, 1, 2, ... in chunks of three.
struct Counter {
  int next = 0;
  int end = 0;
  bool operator()(Numbers& chunk) {
    if (next == end) return false;
    for (int i = 0; i < 3 && next < end; ++i) chunk.values.push_back(next++);
    return true;
  }
};

std::vector<int> drain(Workers& workers) {
  std::vector<int> all;
  while (!workers.finished()) {
    Numbers* chunk = workers.wait_done(kPatience);
    if (chunk == nullptr) continue;
    all.insert(all.end(), chunk->values.begin(), chunk->values.end());
    workers.pop(chunk);
  }
  return all;
}

TEST(OrderedWorkers, HandsChunksOnInOrder) {
  for (const int threads : {1, 2, 5}) {
    Counter counter{0, 200};
    Workers workers(4, /*ordered=*/true, std::ref(counter));
    workers.start(threads, [] {
      return [random = std::make_shared<std::minstd_rand>(7)](Numbers& chunk) {
        if ((*random)() % 3 == 0)
          std::this_thread::sleep_for(std::chrono::microseconds((*random)() % 500));
        for (int& value : chunk.values) value *= 2;
      };
    });
    const std::vector<int> all = drain(workers);
    ASSERT_EQ(all.size(), 200u);
    for (int i = 0; i < 200; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], 2 * i);
  }
}

// While one worker holds the first chunk, more chunks than the window has room for go through the
// other.
TEST(OrderedWorkers, WithoutOrderASlowChunkHoldsNobodyUp) {
  Counter counter{0, 300};
  std::atomic<bool> go_on = false;
  Workers workers(3, /*ordered=*/false, std::ref(counter));
  workers.start(2, [&] {
    return [&](Numbers& chunk) {
      while (chunk.values[0] == 0 && !go_on) std::this_thread::yield();
    };
  });
  std::vector<int> all;
  while (!workers.finished()) {
    Numbers* chunk = workers.wait_done(kPatience);
    if (chunk == nullptr) continue;
    all.insert(all.end(), chunk->values.begin(), chunk->values.end());
    workers.pop(chunk);
    if (all.size() == 297) go_on = true;  // all but the first
  }
  ASSERT_EQ(all.size(), 300u);
  EXPECT_EQ(all[297], 0);
  std::sort(all.begin(), all.end());
  for (int i = 0; i < 300; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], i);
}

TEST(OrderedWorkers, RunsOnlyAWindowAhead) {
  std::atomic<int> taken = 0;
  Workers workers(4, /*ordered=*/true, [&](Numbers& chunk) {
    chunk.values = {taken++};
    return taken < 1000;
  });
  workers.start(2, [] { return [](Numbers&) {}; });
  while (workers.wait_done(kPatience) == nullptr) continue;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_LE(taken, 4);
}

TEST(OrderedWorkers, AnEmptySourceIsFinishedAtOnce) {
  Counter counter{0, 0};
  Workers workers(3, /*ordered=*/true, std::ref(counter));
  workers.start(3, [] { return [](Numbers&) {}; });
  EXPECT_TRUE(drain(workers).empty());
}

TEST(OrderedWorkers, WhatAWorkerThrowsComesOut) {
  Counter counter{0, 100};
  Workers workers(3, /*ordered=*/true, std::ref(counter));
  workers.start(2, [] {
    return [](Numbers& chunk) {
      if (chunk.values[0] >= 30) throw std::runtime_error("broken");
    };
  });
  EXPECT_THROW(drain(workers), std::runtime_error);
}

TEST(OrderedWorkers, WhatTheSourceThrowsComesOut) {
  Workers workers(3, /*ordered=*/true, [](Numbers&) -> bool { throw std::runtime_error("gone"); });
  workers.start(2, [] { return [](Numbers&) {}; });
  EXPECT_THROW(drain(workers), std::runtime_error);
}

TEST(OrderedWorkers, EndsWhileWorkIsInFlight) {
  for (int seed = 0; seed < 20; ++seed) {
    Counter counter{0, 1000};
    Workers workers(5, /*ordered=*/true, std::ref(counter));
    workers.start(3, [] {
      return [](Numbers&) { std::this_thread::sleep_for(std::chrono::microseconds(100)); };
    });
    for (int i = 0; i < seed; ++i) {
      if (Numbers* chunk = workers.wait_done(kPatience)) workers.pop(chunk);
    }
  }
}

}  // namespace
}  // namespace vecframe::exec
