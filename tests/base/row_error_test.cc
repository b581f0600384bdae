#include "base/row_error.h"

#include <gtest/gtest.h>

namespace vecframe {
namespace {

TEST(RowError, ReadsAsStageCodeMessage) {
  const RowError error{Stage::kDecode, ErrorCode::kTruncated, "JPEG data end at row 12 of 480"};
  EXPECT_EQ(error.to_string(), "decode/truncated: JPEG data end at row 12 of 480");
}

}  // namespace
}  // namespace vecframe
