#include "compute/workspace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace vecframe::compute {
namespace {

TEST(Workspace, RangesAreAlignedAndDoNotOverlap) {
  Workspace workspace;
  float* a = workspace.allocate(3);
  float* b = workspace.allocate(100000);
  float* c = workspace.allocate(0);
  std::fill_n(a, 3, 1.0f);
  std::fill_n(b, 100000, 2.0f);
  EXPECT_NE(b, c);
  EXPECT_EQ(a[2], 1.0f);
  for (float* p : {a, b, c}) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 64, 0u);
}

TEST(Workspace, ARepeatedRoundTakesNoNewMemory) {
  Workspace workspace;
  const auto round = [&] {
    for (int i = 1; i < 20; ++i) workspace.allocate(1000 * i);
  };
  round();
  workspace.reset();
  const std::size_t capacity = workspace.capacity();
  float* first = workspace.allocate(16);
  workspace.reset();
  round();
  workspace.reset();
  EXPECT_EQ(workspace.capacity(), capacity);
  EXPECT_EQ(workspace.allocate(16), first);
}

}  // namespace
}  // namespace vecframe::compute
