#include <gtest/gtest.h>
#include <vecframe/suggest.h>

namespace vecframe {
namespace {

TEST(NearestName, FindsATypingError) {
  EXPECT_EQ(nearest_name("--normalise", {"--normalize", "--precision"}), "--normalize");
  EXPECT_EQ(nearest_name("imgae", {"path", "image", "width"}), "image");
}

TEST(NearestName, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("temperature", {"path", "image"}), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

}  // namespace
}  // namespace vecframe
