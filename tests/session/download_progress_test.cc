#include "session/download_progress.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace vecframe::session {
namespace {

TEST(DownloadProgress, ComesTenTimesASecondAndAtTheEnd) {
  std::vector<DownloadProgress> told;
  DownloadOptions download;
  download.on_progress = [&](const DownloadProgress& now) { told.push_back(now); };
  const auto report = throttled_progress("me/tiny", download);
  for (std::int64_t i = 0; i < 1000; ++i) report({"model.safetensors", i, 2000, i});
  const std::size_t burst = told.size();
  EXPECT_GE(burst, 1u);
  EXPECT_LT(burst, 100u);
  EXPECT_EQ(told.front().bytes, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  report({"model.safetensors", 1500, 2000, 1400});
  EXPECT_EQ(told.size(), burst + 1);
  EXPECT_EQ(told.back().model, "me/tiny");
  EXPECT_EQ(told.back().file, "model.safetensors");
  EXPECT_EQ(told.back().received, 1400);
  EXPECT_GT(told.back().seconds, 0.1);
  report({"config.json", 2000, 2000, 1900});
  EXPECT_EQ(told.size(), burst + 2);
  EXPECT_EQ(told.back().bytes, told.back().total);
}

TEST(DownloadProgress, NobodyIsToldNothing) {
  EXPECT_FALSE(throttled_progress("me/tiny", DownloadOptions()));
}

}  // namespace
}  // namespace vecframe::session
