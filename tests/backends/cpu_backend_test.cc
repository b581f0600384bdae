#include "backends/cpu/cpu_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <stdexcept>
#include <vector>

namespace vecframe::backends::cpu {
namespace {

TEST(CpuBackend, TakesTheBestInstructionSetUnlessTold) {
  const std::vector<std::string> isas = available_isas();
  ASSERT_FALSE(isas.empty());
  EXPECT_EQ(isas.back(), "baseline");
  EXPECT_EQ(make_cpu_backend()->info().details, isas.front());
  for (const std::string& isa : isas) EXPECT_EQ(make_cpu_backend({isa})->info().details, isa);
}

TEST(CpuBackend, RefusesAnInstructionSetItDoesNotHave) {
  try {
    make_cpu_backend({"avx1024"});
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("'avx1024'"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("baseline"));
  }
}

TEST(CpuBackend, SaysBf16OnlyWhereTheInstructionIs) {
  for (const std::string& isa : available_isas())
    EXPECT_EQ(make_cpu_backend({isa})->supports(tensor::Precision::kBf16), isa == "avx512-bf16");
}

TEST(CpuBackend, WeightsTakeTheBytesOfTheirPrecision) {
  const std::vector<float> weight(256 * 512);
  for (const std::string& isa : available_isas()) {
    const auto backend = make_cpu_backend({isa});
    const compute::LinearWeights weights{weight, {}, 512, 256};
    const std::size_t fp32 = backend->pack(weights, tensor::Precision::kFp32)->bytes();
    EXPECT_EQ(fp32, (256 * 512 + 256) * sizeof(float));
    if (backend->supports(tensor::Precision::kBf16)) {
      EXPECT_EQ(backend->pack(weights, tensor::Precision::kBf16)->bytes(),
                256 * 512 * 2 + 256 * sizeof(float));
    }
  }
}

TEST(CpuBackend, RefusesWeightsThatDoNotFit) {
  const std::vector<float> weight(10);
  EXPECT_THROW(
      make_cpu_backend()->pack(compute::LinearWeights{weight, {}, 3, 3}, tensor::Precision::kFp32),
      std::invalid_argument);
}

}  // namespace
}  // namespace vecframe::backends::cpu
