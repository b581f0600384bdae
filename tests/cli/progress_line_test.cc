#include "cli/progress_line.h"

#include <gtest/gtest.h>

namespace vecframe::cli {
namespace {

TEST(ProgressLine, ShowsRateAndTimeLeftOnceTheTotalIsKnown) {
  Progress progress{.rows = 250, .failed = 3, .listed = 1000, .listing_done = true, .seconds = 5};
  EXPECT_EQ(progress_text(progress), "250 of 1000  25 %  50.0 images/s  0:15 left  3 failed");
  progress.listed = 1'000'000;
  EXPECT_EQ(progress_text(progress), "250 of 1000000  0 %  50.0 images/s  5:33:15 left  3 failed");
}

TEST(ProgressLine, ShowsEachStage) {
  EXPECT_EQ(
      progress_text(Progress{.rows = 250,
                             .failed = 0,
                             .listed = 1000,
                             .listing_done = true,
                             .seconds = 5,
                             .read = 300,
                             .prepared = 280,
                             .embedded = 260,
                             .duplicates = 10,
                             .cache_hits = 4}),
      "250 of 1000  25 %  50.0 images/s (read 60, prepare 56, embed 52)  0:15 left  14 known");
}

TEST(ProgressLine, IsHonestWhileTheListingGoesOn) {
  EXPECT_EQ(progress_text(Progress{
                .rows = 10, .failed = 0, .listed = 64, .listing_done = false, .seconds = 2}),
            "10 of 64+  5.0 images/s");
}

TEST(ProgressLine, DividesByNothing) {
  EXPECT_EQ(progress_text(Progress{}), "0 of 0+  0.0 images/s");
  EXPECT_EQ(progress_text(Progress{.listing_done = true}), "0 of 0  0.0 images/s");
}

TEST(ProgressLine, ADownloadHasARateOfWhatCameInThisCall) {
  DownloadProgress progress{.model = "me/tiny",
                            .file = "model.safetensors",
                            .bytes = 300'000'000,
                            .total = 400'000'000,
                            .received = 100'000'000,
                            .seconds = 4};
  EXPECT_EQ(progress_text(progress),
            "model.safetensors  300.0 of 400.0 MB  75 %  25.0 MB/s  0:04 left");
  progress.total = 300'300'000'000;
  EXPECT_EQ(progress_text(progress),
            "model.safetensors  300.0 of 300300.0 MB  0 %  25.0 MB/s  3:20:00 left");
}

TEST(ProgressLine, ADownloadThatBeginsHasNoRate) {
  EXPECT_EQ(progress_text(DownloadProgress{.model = "a",
                                           .file = "x",
                                           .bytes = 1'000'000,
                                           .total = 2'000'000,
                                           .received = 0,
                                           .seconds = 9}),
            "x  1.0 of 2.0 MB  50 %");
  EXPECT_EQ(progress_text(DownloadProgress{}), "  0.0 of 0.0 MB");
}

}  // namespace
}  // namespace vecframe::cli
