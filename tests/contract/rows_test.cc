// The calls that move, add and normalise rows, against loops written here; and the stream's memory.

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

#include "device.h"

namespace vecframe::contract {
namespace {

using compute::Matrix;
using compute::NormKind;

class RowsContract : public ContractTest {};

TEST_P(RowsContract, NormsEqualTheirFormulas) {
  for (const NormKind kind : {NormKind::kLayerNorm, NormKind::kRmsNorm}) {
    for (const std::int64_t columns : {1, 7, 16, 100, 768, 1152}) {
      SCOPED_TRACE(columns);
      const std::int64_t rows = 5;
      Values x = random_values(rows * columns, 41);
      for (float& value : x) value = value * 3 + 10;  // a mean far from zero
      const Values weight = random_values(columns, 42), bias = random_values(columns, 43);
      const bool has_bias = kind == NormKind::kLayerNorm;
      Values want;
      for (std::int64_t r = 0; r < rows; ++r) {
        const float* row = &x[static_cast<std::size_t>(r * columns)];
        double mean = 0, variance = 0;
        if (kind == NormKind::kLayerNorm)
          for (std::int64_t c = 0; c < columns; ++c) mean += row[c] / double(columns);
        for (std::int64_t c = 0; c < columns; ++c)
          variance += (row[c] - mean) * (row[c] - mean) / double(columns);
        for (std::int64_t c = 0; c < columns; ++c) {
          const auto i = static_cast<std::size_t>(c);
          want.push_back(
              static_cast<float>((row[c] - mean) / std::sqrt(variance + 1e-5) * weight[i] +
                                 (has_bias ? bias[i] : 0.0f)));
        }
      }
      const Matrix m = device_->matrix(x, rows, columns, columns + 3);
      const Matrix y = device_->empty(rows, columns);
      const compute::Vector& w = device_->vector(weight);
      const compute::Vector* b = has_bias ? &device_->vector(bias) : nullptr;
      device_->stream().normalize(kind, w, b, 1e-5f, m, y);
      // One value alone: its distance to the mean is rounding, divided by sqrt(epsilon).
      const float tolerance = columns == 1 ? 1e-3f : 2e-5f;
      expect_near(device_->read(y), want, tolerance);
      device_->stream().normalize(kind, w, b, 1e-5f, m, m);
      EXPECT_EQ(device_->read(m), device_->read(y)) << "in place";
    }
  }
}

TEST_P(RowsContract, BroadcastRowsWritesItsRowsOnly) {
  const Values rows = random_values(2 * 5, 44);
  const Matrix out = device_->matrix(Values(3 * 4 * 5, 9.0f), 12, 5);
  device_->stream().broadcast_rows(device_->vector(rows), 3, 4, 1, out);
  const Values got = device_->read(out);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::size_t row = i / 5 % 4;
    EXPECT_EQ(got[i], row == 1 || row == 2 ? rows[(row - 1) * 5 + i % 5] : 9.0f) << i;
  }
}

TEST_P(RowsContract, AddRowsRepeatsForEveryImage) {
  const Values rows = random_values(4 * 6, 45), x = random_values(3 * 4 * 6, 46);
  const Matrix m = device_->matrix(x, 12, 6, 8);
  device_->stream().add_rows(device_->vector(rows), 3, m);
  Values want = x;
  for (std::size_t i = 0; i < want.size(); ++i) want[i] += rows[i % 24];
  EXPECT_EQ(device_->read(m), want);
}

// As complex numbers: (a + ib) times (cos + i sin). Rows before the first stay as they are.
TEST_P(RowsContract, AddKeepsToItsColumns) {
  const Values from = random_values(3 * 37, 47);
  Values want = random_values(3 * 50, 48);
  const Matrix all = device_->matrix(want, 3, 50);
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 37; ++c) want[r * 50 + c] += from[r * 37 + c];
  device_->stream().add(device_->matrix(from, 3, 37, 41), {all.data, 3, 37, 50});
  EXPECT_EQ(device_->read(all), want);
}

TEST_P(RowsContract, RotationTurnsPairsOfEachHead) {
  for (const std::int64_t d : {4, 20, 64, 72}) {
    SCOPED_TRACE(d);
    const std::int64_t heads = 3, rows = 5, first = 2, batch = 2, half = d / 2;
    const Values angles = random_values((rows - first) * half, 51);
    Values turns;
    for (std::int64_t i = 0; i < rows - first; ++i) {
      const auto angle = [&](std::int64_t c) {
        return 4 * angles[static_cast<std::size_t>(i * half + c)];
      };
      for (std::int64_t c = 0; c < half; ++c) turns.push_back(std::cos(angle(c)));
      for (std::int64_t c = 0; c < half; ++c) turns.push_back(std::sin(angle(c)));
    }
    const Values x = random_values(batch * rows * heads * d, 52);
    Values want = x;
    for (std::int64_t r = 0; r < batch * rows; ++r) {
      if (r % rows < first) continue;
      for (std::int64_t h = 0; h < heads; ++h) {
        for (std::int64_t c = 0; c < half; ++c) {
          const auto at = static_cast<std::size_t>((r * heads + h) * d + c);
          const auto other = at + static_cast<std::size_t>(half);
          const std::complex<double> turned =
              std::complex<double>(x[at], x[other]) *
              std::polar(1.0,
                         4.0 * angles[static_cast<std::size_t>((r % rows - first) * half + c)]);
          want[at] = static_cast<float>(turned.real());
          want[other] = static_cast<float>(turned.imag());
        }
      }
    }
    const Matrix m = device_->matrix(x, batch * rows, heads * d, heads * d + 5);
    device_->stream().rotate_pairs(device_->vector(turns), batch, heads, first, m);
    expect_near(device_->read(m), want, 1e-6f);
  }
}

TEST_P(RowsContract, GateMultipliesTheHalves) {
  for (const compute::Activation activation :
       {compute::Activation::kSilu, compute::Activation::kGeluErf, compute::Activation::kNone}) {
    for (const std::int64_t n : {1, 7, 16, 90}) {
      SCOPED_TRACE(n);
      const Values x = random_values(3 * 2 * n, 49);
      Values want;
      for (std::int64_t r = 0; r < 3; ++r) {
        for (std::int64_t c = 0; c < n; ++c) {
          const double a = x[static_cast<std::size_t>(r * 2 * n + c)];
          const double act = activation == compute::Activation::kSilu ? a / (1 + std::exp(-a))
                             : activation == compute::Activation::kGeluErf
                                 ? a / 2 * (1 + std::erf(a / std::sqrt(2.0)))
                                 : a;
          want.push_back(static_cast<float>(act * x[static_cast<std::size_t>(r * 2 * n + n + c)]));
        }
      }
      const Matrix m = device_->matrix(x, 3, 2 * n, 2 * n + 5);
      const Matrix y = device_->empty(3, n, n + 3);
      device_->stream().gate(activation, m, y);
      expect_near(device_->read(y), want, 2e-6f);
      const Matrix half{m.data, 3, n, m.stride};
      device_->stream().gate(activation, m, half);
      EXPECT_EQ(device_->read(half), device_->read(y)) << "in place";
    }
  }
}

TEST_P(RowsContract, TakesRowsByNumber) {
  const Values x = random_values(12 * 3, 57);
  const std::vector<std::int64_t> rows{11, 0, 4, 4};
  const Matrix y = device_->empty(4, 3, 5);
  device_->stream().take_rows(device_->matrix(x, 12, 3, 7), rows, y);
  Values want;
  for (const std::int64_t row : rows)
    want.insert(want.end(), x.begin() + row * 3, x.begin() + row * 3 + 3);
  EXPECT_EQ(device_->read(y), want);
}

TEST_P(RowsContract, UploadsRowsWithoutStride) {
  Values x = random_values(5 * 7, 58);
  const Values want = x;
  const Matrix y = device_->empty(5, 7, 11);
  device_->stream().upload(x, y);
  x.assign(x.size(), 0.0f);
  EXPECT_EQ(device_->read(y), want);
}

TEST_P(RowsContract, GatherTakesEveryStepthRow) {
  const Values x = random_values(12 * 3, 47);
  const Matrix y = device_->empty(3, 3, 4);
  device_->stream().gather_rows(device_->matrix(x, 12, 3), 1, 4, y);
  Values want;
  for (std::size_t r : {1u, 5u, 9u})
    for (std::size_t c = 0; c < 3; ++c) want.push_back(x[r * 3 + c]);
  EXPECT_EQ(device_->read(y), want);
}

TEST_P(RowsContract, MeanLeavesOutTheFirstRows) {
  const Values x = random_values(2 * 5 * 3, 48);
  const Matrix y = device_->empty(2, 3);
  device_->stream().mean_rows(device_->matrix(x, 10, 3, 7), 2, 2, y);
  Values want;
  for (std::size_t b = 0; b < 2; ++b) {
    for (std::size_t c = 0; c < 3; ++c) {
      double sum = 0;
      for (std::size_t r = 2; r < 5; ++r) sum += x[(b * 5 + r) * 3 + c];
      want.push_back(static_cast<float>(sum / 3));
    }
  }
  expect_near(device_->read(y), want, 1e-6f);
}

TEST_P(RowsContract, AllocationsAreAlignedAndReused) {
  compute::Stream& stream = device_->stream();
  stream.allocate(5);
  stream.allocate(1000);
  stream.reset();
  float* first = stream.allocate(5);
  float* second = stream.allocate(1000);
  stream.reset();
  EXPECT_EQ(stream.allocate(5), first);
  EXPECT_EQ(stream.allocate(1000), second);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second) % 64, 0u);
}

TEST_P(RowsContract, EveryBackendRunsFp32) {
  EXPECT_TRUE(device_->backend().supports(tensor::Precision::kFp32));
  EXPECT_FALSE(device_->backend().info().name.empty());
  EXPECT_FALSE(device_->backend().info().details.empty());
}

INSTANTIATE_TEST_SUITE_P(Backends, RowsContract, testing::ValuesIn(backend_names()), name_of);

}  // namespace
}  // namespace vecframe::contract
