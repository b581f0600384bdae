// What the contract tests need: every backend by name, and a way to bring values to a device and
// back that uses nothing but the interface.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "compute/backend.h"

namespace vecframe::contract {

using Values = std::vector<float>;

inline constexpr tensor::Precision kPrecisions[] = {
    tensor::Precision::kFp32, tensor::Precision::kBf16, tensor::Precision::kInt8,
    tensor::Precision::kFp16};

/// Names for INSTANTIATE_TEST_SUITE_P, also of those this machine cannot run.
std::vector<std::string> backend_names();
/// Null if this machine cannot run it.
std::shared_ptr<compute::Backend> open_backend(const std::string& name);

inline std::string name_of(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

/// A backend, one stream of it, and the weights its calls refer to.
class Device {
 public:
  explicit Device(std::shared_ptr<compute::Backend> backend)
      : backend_(std::move(backend)), stream_(backend_->make_stream()) {}

  compute::Backend& backend() { return *backend_; }
  compute::Stream& stream() { return *stream_; }

  const compute::Vector& vector(const Values& values);
  /// `stride` 0 means `columns`; what lies between rows is NaN.
  compute::Matrix matrix(const Values& values, std::int64_t rows, std::int64_t columns,
                         std::int64_t stride = 0);
  compute::Matrix empty(std::int64_t rows, std::int64_t columns, std::int64_t stride = 0);
  compute::FeatureMap map(const Values& values, std::int64_t batch, std::int64_t height,
                          std::int64_t width, std::int64_t channels);
  Values read(compute::Matrix matrix);
  Values read(compute::FeatureMap map);

 private:
  std::shared_ptr<compute::Backend> backend_;
  std::unique_ptr<compute::Stream> stream_;
  std::vector<std::unique_ptr<compute::Vector>> vectors_;
};

/// Whether the values are the same; of a backend whose products are a library's, within 1e-5 of
/// their size, since nobody promises that it sums alike for every number of rows.
void expect_same(const std::string& backend, const Values& got, const Values& want);

/// The backend under test and the reference beside it. Skips where the backend cannot run.
class ContractTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;

  /// Those that the backend has: GPUs have no int8, processors no fp16.
  static std::vector<tensor::Precision> precisions();

  std::unique_ptr<Device> device_, reference_;
};

/// Uniform in [-1, 1), the same for a seed everywhere.
Values random_values(std::int64_t count, unsigned seed);
Values absolute(Values values);

/// Each value within the tolerance of its place, NaN equal to NaN.
void expect_near(const Values& got, const Values& want, const Values& tolerance);
void expect_near(const Values& got, const Values& want, float tolerance);

/// What float32 sums of `terms` products may lose, where `magnitude` is the sum of the products'
/// magnitudes: rounding errors add up like a random walk.
Values sum_tolerance(const Values& magnitude, std::int64_t terms);

}  // namespace vecframe::contract
