#include "exec/encoded_share.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

namespace vecframe::exec {
namespace {

TEST(EncodedShareTest, KeepsToItsCapacityAndLetsOneInAlone) {
  constexpr std::int64_t kCapacity = 100;
  EncodedShare share(kCapacity);
  std::atomic<std::int64_t> held{0}, alone{0}, together{0};
  std::vector<std::thread> threads;
  for (std::uint32_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 500; ++i) {
        if (random() % 10 == 0) {
          const auto hold = share.take_alone(1000);
          EXPECT_EQ(++alone, 1);
          EXPECT_EQ(together, 0);
          --alone;
        } else {
          const std::int64_t bytes = random() % (kCapacity + 1);
          auto hold = share.take(bytes);
          ++together;
          EXPECT_LE(held += bytes, kCapacity);
          EXPECT_EQ(alone, 0);
          std::this_thread::yield();
          held -= bytes;
          --together;
          hold.release();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(EncodedShareTest, StopEndsEveryWait) {
  EncodedShare share(10);
  const auto hold = share.take(10);
  std::vector<std::thread> threads;
  threads.emplace_back([&] { EXPECT_FALSE(share.take(1)); });
  threads.emplace_back([&] { EXPECT_FALSE(share.take_alone(1)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  share.stop();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vecframe::exec
