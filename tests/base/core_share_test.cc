#include "base/core_share.h"

#include <gtest/gtest.h>

namespace vecframe {
namespace {

TEST(CoreShareTest, GrowsAsThreadsLeave) {
  CoreShare share(4, 4);
  EXPECT_EQ(share.each(), 1);
  share.leave();
  EXPECT_EQ(share.each(), 1);  // three threads, four cores
  share.leave();
  EXPECT_EQ(share.each(), 2);
  share.leave();
  EXPECT_EQ(share.each(), 4);
  share.leave();
  EXPECT_EQ(share.each(), 4);  // nobody is left to use them
}

TEST(CoreShareTest, MoreThreadsThanCoresHaveOneEach) {
  CoreShare share(2, 5);
  EXPECT_EQ(share.each(), 1);
  for (int i = 0; i < 4; ++i) share.leave();
  EXPECT_EQ(share.each(), 2);
}

TEST(CoreShareTest, OneAloneHasAll) { EXPECT_EQ(CoreShare::alone(3)->each(), 3); }

}  // namespace
}  // namespace vecframe
