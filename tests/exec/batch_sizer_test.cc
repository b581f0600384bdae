#include "exec/batch_sizer.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace vecframe::exec {
namespace {

// Sizes in the order in which they were tried, by calls that take `seconds(rows)`.
std::vector<std::int64_t> tried(BatchSizer& sizer,
                                const std::function<double(std::int64_t)>& seconds) {
  std::vector<std::int64_t> sizes;
  for (int call = 0; call < 100; ++call) {
    if (sizes.empty() || sizes.back() != sizer.size()) sizes.push_back(sizer.size());
    sizer.note(sizer.size(), seconds(sizer.size()));
  }
  return sizes;
}

using Sizes = std::vector<std::int64_t>;

TEST(BatchSizerTest, TheSmallestThatIsNearlyAsFastStays) {
  BatchSizer sizer(16, true);
  // A call costs a tenth of a row: 16 rows lose 0.6 % to it, 4 lose 2.4 %, 2 lose 4.8 %.
  EXPECT_EQ(tried(sizer, [](std::int64_t rows) { return static_cast<double>(rows) + 0.1; }),
            (Sizes{16, 8, 4, 2, 4}));
  EXPECT_EQ(sizer.size(), 4);
}

TEST(BatchSizerTest, WhereCallsCostNothingARowIsABatch) {
  BatchSizer sizer(16, true);
  EXPECT_EQ(tried(sizer, [](std::int64_t rows) { return static_cast<double>(rows); }),
            (Sizes{16, 8, 4, 2, 1}));
}

TEST(BatchSizerTest, WhereCallsAreDearTheLargestStays) {
  BatchSizer sizer(24, true);
  EXPECT_EQ(tried(sizer, [](std::int64_t) { return 1.0; }), (Sizes{24, 16, 24}));
}

// What runs beside a call slows it down; the best of a few calls counts.
TEST(BatchSizerTest, ASlowCallOfSeveralDoesNotMatter) {
  BatchSizer sizer(4, true);
  int call = 0;
  EXPECT_EQ(tried(sizer,
                  [&](std::int64_t rows) {
                    return static_cast<double>(rows) * (call++ % 3 == 0 ? 5 : 1);
                  }),
            (Sizes{4, 2, 1}));
}

TEST(BatchSizerTest, AFixedSizeStays) {
  BatchSizer sizer(16, false);
  EXPECT_EQ(tried(sizer, [](std::int64_t rows) { return static_cast<double>(rows); }), Sizes{16});
}

TEST(BatchSizerTest, CallsOfOtherSizesSayNothing) {
  BatchSizer sizer(16, true);
  for (int call = 0; call < 100; ++call) sizer.note(7, 1);
  EXPECT_EQ(sizer.size(), 16);
}

TEST(BatchSizerTest, NoMemoryEndsTheSearchAtHalf) {
  BatchSizer sizer(16, true);
  sizer.out_of_memory(16);
  EXPECT_EQ(tried(sizer, [](std::int64_t rows) { return static_cast<double>(rows); }), Sizes{8});
  sizer.out_of_memory(16);  // of a call that began before
  EXPECT_EQ(sizer.size(), 8);
  EXPECT_EQ(sizer.halvings(), 1);
  sizer.out_of_memory(8);
  sizer.out_of_memory(4);
  sizer.out_of_memory(2);
  EXPECT_EQ(sizer.size(), 1);
  EXPECT_EQ(sizer.halvings(), 4);
}

}  // namespace
}  // namespace vecframe::exec
