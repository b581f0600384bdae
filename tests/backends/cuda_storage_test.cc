// How the CUDA backend stores what its operations write.

#include <gtest/gtest.h>

#include <vector>

#include "backends/cuda/recording.h"

namespace vecframe::backends::cuda {
namespace {

using compute::Matrix;

// Memory is only pointed into.
class CudaStorage : public testing::Test {
 protected:
  static constexpr std::int64_t kRows = 4, kWidth = 8;

  Matrix at(std::int64_t offset, std::int64_t columns = kWidth, std::int64_t stride = 0) {
    return {memory_.data() + offset, kRows, columns, stride == 0 ? columns : stride};
  }
  void add(std::vector<Operand> reads, std::optional<Operand> write) {
    operations_.push_back({"", std::move(reads), std::move(write), 0, [](const Bound&) {}});
  }
  StoragePlan plan() const { return plan_storages(operations_); }

  std::vector<float> memory_ = std::vector<float>(1000);
  std::vector<Operation> operations_;
  const std::optional<Storage> bf16_ = Storage::kBf16;
};

TEST_F(CudaStorage, WhatOnlyAProductOf16BitsReadsIsWrittenSo) {
  add({}, Operand{at(0), true});             // a norm
  add({{at(0), true, bf16_}}, {{at(100)}});  // a product
  EXPECT_EQ(plan().operations[0].write, Storage::kBf16);
  EXPECT_EQ(plan().operations[1].reads[0], Storage::kBf16);
  EXPECT_EQ(plan().operations[1].write, Storage::kFloat);
}

TEST_F(CudaStorage, WhatNoProductOf16BitsTouchesStaysFloat) {
  add({}, Operand{at(0), true});
  add({{at(0), true}}, Operand{at(100), true});
  EXPECT_EQ(plan().operations[0].write, Storage::kFloat);
  EXPECT_EQ(plan().operations[1].write, Storage::kFloat);
}

TEST_F(CudaStorage, AReaderOfFloatsAmongOthersMakesItFloat) {
  add({}, Operand{at(0), true});
  add({{at(0), true, bf16_}}, {{at(100)}});
  add({{at(0)}}, {{at(200)}});
  EXPECT_EQ(plan().operations[0].write, Storage::kFloat);
  EXPECT_EQ(plan().operations[1].reads[0], Storage::kFloat);
}

TEST_F(CudaStorage, AnOverwrittenValueIsAnother) {
  add({}, Operand{at(0), true});
  add({{at(0), true, bf16_}}, {{at(100)}});
  add({}, Operand{at(0), true});
  add({{at(0)}}, {{at(200)}});
  EXPECT_EQ(plan().operations[0].write, Storage::kBf16);
  EXPECT_EQ(plan().operations[2].write, Storage::kFloat);
}

TEST_F(CudaStorage, KindsThatDifferMakeItFloat) {
  add({}, Operand{at(0), true});
  add({{at(0), true, bf16_}}, {{at(100)}});
  add({{at(0), true, Storage::kF16}}, {{at(200)}});
  EXPECT_EQ(plan().operations[0].write, Storage::kFloat);
}

TEST_F(CudaStorage, WhatMayOverflowIsFloatForWhoeverMindsIt) {
  Operand written{at(0), true, Storage::kF16}, read{at(0), true, Storage::kF16};
  written.may_overflow = true;
  add({}, written);
  add({read}, {{at(100)}});
  EXPECT_EQ(plan().operations[0].write, Storage::kF16);
  operations_[1].reads[0].takes_overflow = false;
  EXPECT_EQ(plan().operations[0].write, Storage::kFloat);
  operations_[0].write->may_overflow = false;
  EXPECT_EQ(plan().operations[0].write, Storage::kF16);
}

TEST_F(CudaStorage, InPlaceKeepsTheStorageAndItsGaps) {
  add({}, Operand{at(0, 24), true, bf16_});                    // q, k, v
  add({{at(0, 16, 24), true}}, Operand{at(0, 16, 24), true});  // rotation of q and k
  add({{at(0, 24), true}}, Operand{at(300), true});            // attention
  EXPECT_EQ(plan().operations[0].write, Storage::kBf16);
  EXPECT_EQ(plan().operations[1].write, Storage::kBf16);
  EXPECT_EQ(plan().operations[2].reads[0], Storage::kBf16);
  operations_[2].reads[0].halves = false;
  EXPECT_EQ(plan().operations[0].write, Storage::kFloat);
  EXPECT_EQ(plan().operations[1].reads[0], Storage::kFloat);
}

TEST_F(CudaStorage, RowsWithGapsOfTheirOwnAreFloat) {
  add({}, Operand{at(0, 8, 16), true});
  add({{at(0, 8, 16), true, bf16_}}, {{at(300)}});
  EXPECT_EQ(plan().operations[0].write, Storage::kFloat);
}

TEST_F(CudaStorage, AViewFromAnotherPlaceMakesItFloat) {
  add({}, Operand{at(0), true});
  add({{at(0).row_range(1, 2), true, bf16_}}, {{at(300)}});
  EXPECT_EQ(plan().operations[0].write, Storage::kFloat);
  EXPECT_EQ(plan().operations[1].reads[0], Storage::kFloat);
}

TEST_F(CudaStorage, WhatWasThereBeforeIsFloatAndSoIsWhatIsReadWithIt) {
  add({}, Operand{at(0, 8, 24), true, bf16_});  // a part of the rows that are read
  add({{at(0, 24), true, bf16_}}, {{at(300)}});
  add({{at(500), true, bf16_}}, {{at(700)}});
  EXPECT_EQ(plan().operations[0].write, Storage::kFloat);
  EXPECT_EQ(plan().operations[1].reads[0], Storage::kFloat);
  EXPECT_EQ(plan().operations[2].reads[0], Storage::kFloat);
}

}  // namespace
}  // namespace vecframe::backends::cuda
