#include "backends/cpu/cpu_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>
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
    const std::size_t int8 = backend->pack(weights, tensor::Precision::kInt8)->bytes();
    const auto each = static_cast<std::size_t>(backend->weight_bytes(tensor::Precision::kInt8));
    EXPECT_EQ(each, isa == "avx512-bf16" || isa == "avx512-vnni" ? 1u : 2u);
    EXPECT_EQ(int8, 256 * 512 * each + 3 * 256 * sizeof(float));
    if (backend->supports(tensor::Precision::kBf16)) {
      EXPECT_EQ(backend->pack(weights, tensor::Precision::kBf16)->bytes(),
                256 * 512 * 2 + 256 * sizeof(float));
    }
  }
}

// The log of a run says which kernels its machine could and could not test.
TEST(CpuBackend, SaysWhichInstructionSetsRan) {
  const std::vector<std::string> isas = available_isas();
  std::string ran, missing;
  for (const std::string isa :
       {"avx512-bf16", "avx512-vnni", "avx512", "avx2", "sse4", "baseline"}) {
    const bool here = std::find(isas.begin(), isas.end(), isa) != isas.end();
    (here ? ran : missing) += ' ' + isa;
  }
  std::cout << "instruction sets that ran:" << ran
            << "; not on this machine:" << (missing.empty() ? " none" : missing) << '\n';
  for (const std::string& isa : isas) EXPECT_THAT(ran, ::testing::HasSubstr(' ' + isa));
}

TEST(CpuBackend, RefusesWeightsWithoutRoomForTheirSum) {
  const std::int64_t in = 70000;
  const std::vector<float> weight(in);
  EXPECT_THROW(
      make_cpu_backend()->pack(compute::LinearWeights{weight, {}, in, 1}, tensor::Precision::kInt8),
      std::invalid_argument);
}

TEST(CpuBackend, RefusesWeightsThatDoNotFit) {
  const std::vector<float> weight(10);
  EXPECT_THROW(
      make_cpu_backend()->pack(compute::LinearWeights{weight, {}, 3, 3}, tensor::Precision::kFp32),
      std::invalid_argument);
}

}  // namespace
}  // namespace vecframe::backends::cpu
