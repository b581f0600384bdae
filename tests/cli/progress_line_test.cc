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

TEST(ProgressLine, IsHonestWhileTheListingGoesOn) {
  EXPECT_EQ(
      progress_text({.rows = 10, .failed = 0, .listed = 64, .listing_done = false, .seconds = 2}),
      "10 of 64+  5.0 images/s");
}

TEST(ProgressLine, DividesByNothing) {
  EXPECT_EQ(progress_text({}), "0 of 0+  0.0 images/s");
  EXPECT_EQ(progress_text({.listing_done = true}), "0 of 0  0.0 images/s");
}

}  // namespace
}  // namespace vecframe::cli
