#include "device.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/cpu_backend.h"
#include "backends/cuda/cuda_backend.h"
#include "backends/reference/reference_backend.h"
#include "compute/backend_module.h"
#include "cuda_module.h"

namespace vecframe::contract {

using compute::FeatureMap;
using compute::Matrix;

std::vector<std::string> backend_names() {
  return {"cuda", "reference", "avx512-bf16", "avx512-vnni", "avx512",
          "avx2", "sse4",      "baseline",    "cuda-host",   "cuda-host-kernels"};
}

std::shared_ptr<compute::Backend> open_backend(const std::string& name) {
  if (name == "reference") return backends::reference::make_reference_backend();
  if (name == "cuda") {
    std::string problem;
    const compute::BackendModule* module =
        compute::open_backend_module(VECFRAME_CUDA_MODULE, problem);
    return module != nullptr && module->count_devices(problem) > 0 ? module->make(0) : nullptr;
  }
  // The GPU's kernels as loops on the host: with products as its library makes them, and, in the
  // opposite order of threads and blocks and with barriers checked, with those of our own.
  if (name == "cuda-host" || name == "cuda-host-kernels") {
    const bool kernels = name == "cuda-host-kernels";
    backends::cuda::host_order_is_reversed = backends::cuda::host_barriers_are_checked = kernels;
    return backends::cuda::make_cuda_backend(0, {.use_library = name == "cuda-host"});
  }
  const std::vector<std::string> here = backends::cpu::available_isas();
  if (std::find(here.begin(), here.end(), name) == here.end()) return nullptr;
  return backends::cpu::make_cpu_backend({name});
}

const compute::Vector& Device::vector(const Values& values) {
  vectors_.push_back(backend_->upload(values));
  return *vectors_.back();
}

Matrix Device::empty(std::int64_t rows, std::int64_t columns, std::int64_t stride) {
  if (stride == 0) stride = columns;
  const Matrix whole{stream_->allocate(rows * stride), rows, stride, stride};
  if (rows > 0)
    stream_->broadcast_rows(vector(Values(static_cast<std::size_t>(rows * stride),
                                          std::numeric_limits<float>::quiet_NaN())),
                            1, rows, 0, whole);
  return {whole.data, rows, columns, stride};
}

Matrix Device::matrix(const Values& values, std::int64_t rows, std::int64_t columns,
                      std::int64_t stride) {
  const Matrix to = empty(rows, columns, stride);
  if (rows > 0) stream_->broadcast_rows(vector(values), 1, rows, 0, to);
  return to;
}

FeatureMap Device::map(const Values& values, std::int64_t batch, std::int64_t height,
                       std::int64_t width, std::int64_t channels) {
  return {matrix(values, batch * height * width, channels).data, batch, height, width, channels};
}

Values Device::read(Matrix matrix) {
  Values values(static_cast<std::size_t>(matrix.rows * matrix.columns));
  stream_->download(matrix, values);
  return values;
}

Values Device::read(FeatureMap map) {
  return read(Matrix{map.data, map.batch * map.height * map.width, map.channels, map.channels});
}

void expect_same(const std::string& backend, const Values& got, const Values& want) {
  if (backend != "cuda") {
    EXPECT_EQ(got, want);
    return;
  }
  Values tolerance = want;
  for (float& value : tolerance) value = 1e-5f * std::max(1.0f, std::fabs(value));
  expect_near(got, want, tolerance);
}

std::vector<tensor::Precision> ContractTest::precisions() {
  std::vector<tensor::Precision> all(std::begin(kPrecisions), std::end(kPrecisions));
  const bool has_int8 = !GetParam().starts_with("cuda");
  const bool has_fp16 = !has_int8 || GetParam() == "reference";
  if (!has_int8) std::erase(all, tensor::Precision::kInt8);
  if (!has_fp16) std::erase(all, tensor::Precision::kFp16);
  return all;
}

void ContractTest::SetUp() {
  const std::shared_ptr<compute::Backend> backend = open_backend(GetParam());
  if (backend == nullptr) GTEST_SKIP() << "this machine has no " << GetParam();
  device_ = std::make_unique<Device>(backend);
  reference_ = std::make_unique<Device>(open_backend("reference"));
}

Values random_values(std::int64_t count, unsigned seed) {
  std::minstd_rand random(seed * 7919 + 17);
  Values values(static_cast<std::size_t>(count));
  for (float& value : values)
    value = static_cast<float>(static_cast<std::int64_t>(random() % 2000001) - 1000000) * 1e-6f;
  return values;
}

Values absolute(Values values) {
  for (float& value : values) value = std::fabs(value);
  return values;
}

void expect_near(const Values& got, const Values& want, const Values& tolerance) {
  ASSERT_EQ(got.size(), want.size());
  ASSERT_EQ(tolerance.size(), want.size());
  std::size_t worst = 0;
  double excess = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) || std::isnan(want[i])) {
      ASSERT_EQ(std::isnan(got[i]), std::isnan(want[i])) << "at " << i;
      continue;
    }
    const double ratio = std::fabs(double{got[i]} - want[i]) / tolerance[i];
    if (ratio > excess) excess = ratio, worst = i;
  }
  if (excess > 1) {
    ADD_FAILURE() << "at " << worst << " of " << got.size() << ": got " << got[worst] << ", want "
                  << want[worst] << ", tolerance " << tolerance[worst];
  }
}

void expect_near(const Values& got, const Values& want, float tolerance) {
  expect_near(got, want, Values(want.size(), tolerance));
}

Values sum_tolerance(const Values& magnitude, std::int64_t terms) {
  Values tolerance = magnitude;
  const auto steps = static_cast<float>(2 * std::sqrt(static_cast<double>(terms)) + 8);
  for (float& value : tolerance) value = value * steps * 0x1p-24f + 1e-7f;
  return tolerance;
}

}  // namespace vecframe::contract
