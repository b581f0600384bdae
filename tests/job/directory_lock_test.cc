#include "job/directory_lock.h"

#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "picture_files.h"

namespace vecframe::job {
namespace {

TEST(DirectoryLockTest, KeepsASecondOneOutAndGoes) {
  exec::TemporaryDirectory directory;
  {
    const DirectoryLock lock(directory.path());
    EXPECT_TRUE(std::filesystem::exists(directory.file("_lock")));
    EXPECT_THROW(DirectoryLock second(directory.path()), RequestError);
  }
  EXPECT_FALSE(std::filesystem::exists(directory.file("_lock")));
  const DirectoryLock again(directory.path());
}

TEST(DirectoryLockTest, AFileLeftBehindIsNoLock) {
  exec::TemporaryDirectory directory;
  exec::write_bytes(directory.file("_lock"), "");
  const DirectoryLock lock(directory.path());
}

TEST(DirectoryLockTest, OneHolderAtATime) {
  exec::TemporaryDirectory directory;
  std::atomic<int> holders{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int attempt = 0; attempt < 300; ++attempt) {
        try {
          const DirectoryLock lock(directory.path());
          EXPECT_EQ(++holders, 1);
          --holders;
        } catch (const RequestError&) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vecframe::job
