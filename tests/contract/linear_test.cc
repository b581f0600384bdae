// Linear layers and patch embeddings, every precision, at the sizes vision transformers have.

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "device.h"

namespace vecframe::contract {
namespace {

using compute::Activation;
using compute::Matrix;
using tensor::Precision;

struct Shape {
  std::int64_t rows, in, out;
};

// Tails in every direction: 588 is no multiple of 8, 2730 of 4, 4304 of 32; 12, 24 and 6 are tile
// heights; depths on both sides of a slice.
constexpr Shape kShapes[] = {{1, 1, 1},      {3, 5, 7},       {12, 16, 32},   {13, 17, 33},
                             {50, 768, 80},  {6, 588, 192},   {25, 2730, 33}, {7, 4304, 72},
                             {2, 15360, 31}, {49, 1152, 100}, {197, 192, 65}, {260, 384, 48},
                             {31, 1025, 16}, {24, 1024, 64},  {37, 2049, 40}};

Values run_linear(Device& device, Precision precision, const Values& weight, const Values& bias,
                  Shape shape, const Values& x, Activation activation = Activation::kNone) {
  const auto linear =
      device.backend().pack(compute::LinearWeights{weight, bias, shape.in, shape.out}, precision);
  const Matrix y = device.empty(shape.rows, shape.out, shape.out + 3);
  device.stream().linear(*linear, device.matrix(x, shape.rows, shape.in, shape.in + 5), activation,
                         {}, y);
  return device.read(y);
}

class LinearContract : public ContractTest {};

TEST_P(LinearContract, EqualsTheReferenceAtEveryPrecision) {
  for (const Precision precision : precisions()) {
    for (const Shape& shape : kShapes) {
      SCOPED_TRACE(testing::Message() << to_string(precision) << " " << shape.rows << " x "
                                      << shape.in << " x " << shape.out);
      const Values weight = random_values(shape.in * shape.out, 1);
      const Values bias = random_values(shape.out, 2);
      const Values x = random_values(shape.rows * shape.in, 3);
      const Values magnitude = run_linear(*reference_, Precision::kFp32, absolute(weight),
                                          absolute(bias), shape, absolute(x));
      expect_near(run_linear(*device_, precision, weight, bias, shape, x),
                  run_linear(*reference_, precision, weight, bias, shape, x),
                  sum_tolerance(magnitude, shape.in));
      device_->stream().reset();
      reference_->stream().reset();
    }
  }
}

TEST_P(LinearContract, AnAbsentBiasIsZero) {
  const Shape shape{3, 10, 37};
  const Values weight = random_values(370, 1), x = random_values(30, 2);
  EXPECT_EQ(run_linear(*device_, Precision::kFp32, weight, {}, shape, x),
            run_linear(*device_, Precision::kFp32, weight, Values(37, 0.0f), shape, x));
}

// x from -12 to 12 through an identity, so that only the activation can err.
TEST_P(LinearContract, ActivationsAreWithinAMillionth) {
  const std::int64_t rows = 600, n = 40;
  Values identity(static_cast<std::size_t>(n * n)), x(static_cast<std::size_t>(rows * n));
  for (std::int64_t i = 0; i < n; ++i) identity[static_cast<std::size_t>(i * n + i)] = 1;
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = (static_cast<float>(i) / static_cast<float>(x.size()) - 0.5f) * 24;
  for (int a = 0; a <= static_cast<int>(Activation::kTanh); ++a) {
    SCOPED_TRACE(a);
    const auto activation = static_cast<Activation>(a);
    const Shape shape{rows, n, n};
    const Values want =
        run_linear(*reference_, Precision::kFp32, identity, {}, shape, x, activation);
    Values tolerance = want;
    for (float& value : tolerance) value = std::max(1e-6f, std::fabs(value) * 0x1p-22f);
    expect_near(run_linear(*device_, Precision::kFp32, identity, {}, shape, x, activation), want,
                tolerance);
  }
}

TEST_P(LinearContract, TheResidualComesAfterTheActivationAndMayBeTheOutput) {
  const Shape shape{29, 70, 45};
  const Values weight = random_values(70 * 45, 1), bias = random_values(45, 2);
  const Values x = random_values(29 * 70, 3), residual = random_values(29 * 45, 4);
  const auto run = [&](Device& device, Activation activation) {
    const auto linear = device.backend().pack(
        compute::LinearWeights{weight, bias, shape.in, shape.out}, Precision::kFp32);
    const Matrix y = device.matrix(residual, shape.rows, shape.out, 50);
    device.stream().linear(*linear, device.matrix(x, shape.rows, shape.in), activation, y, y);
    return device.read(y);
  };
  for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kGeluErf})
    expect_near(run(*device_, activation), run(*reference_, activation), 2e-5f);
}

TEST_P(LinearContract, ARowDoesNotDependOnTheNumberOfRows) {
  for (const Precision precision : precisions()) {
    for (const Shape& shape : {Shape{33, 300, 70}, Shape{33, 2100, 40}, Shape{211, 64, 48}}) {
      const Values weight = random_values(shape.in * shape.out, 5);
      const Values bias = random_values(shape.out, 6);
      const Values x = random_values(shape.rows * shape.in, 7);
      const Values together =
          run_linear(*device_, precision, weight, bias, shape, x, Activation::kQuickGelu);
      for (std::int64_t count : {1, 2, 5, 7, 11, 13, 32}) {
        const Values few(x.begin(), x.begin() + count * shape.in);
        const Values alone = run_linear(*device_, precision, weight, bias,
                                        {count, shape.in, shape.out}, few, Activation::kQuickGelu);
        SCOPED_TRACE(count);
        expect_same(GetParam(), alone,
                    Values(together.begin(), together.begin() + count * shape.out));
      }
    }
  }
}

TEST_P(LinearContract, ThreadsChangeNoBit) {
  for (const Precision precision : precisions()) {
    for (const Shape& shape : {Shape{1, 300, 20}, Shape{33, 300, 170}, Shape{100, 3100, 100}}) {
      const Values weight = random_values(shape.in * shape.out, 5);
      const Values bias = random_values(shape.out, 6);
      const Values x = random_values(shape.rows * shape.in, 7);
      const Values alone = run_linear(*device_, precision, weight, bias, shape, x);
      for (const int threads : {2, 5, 1}) {
        device_->stream().share_cores(CoreShare::alone(threads));
        EXPECT_EQ(run_linear(*device_, precision, weight, bias, shape, x), alone) << threads;
      }
      if (shape.rows != 33) continue;
      // One after the other has no more work.
      const auto share = std::make_shared<CoreShare>(4, 4);
      device_->stream().share_cores(share);
      for (int left = 4; left > 0; --left, share->leave())
        EXPECT_EQ(run_linear(*device_, precision, weight, bias, shape, x), alone) << left;
    }
  }
}

TEST_P(LinearContract, NaNStaysInItsRow) {
  const Shape shape{14, 40, 33};
  Values x = random_values(14 * 40, 8);
  x[5 * 40 + 7] = std::nanf("");
  for (const Activation activation : {Activation::kNone, Activation::kGeluErf, Activation::kSilu,
                                      Activation::kGeluTanh, Activation::kTanh}) {
    for (const Precision precision : precisions()) {
      const Values y =
          run_linear(*device_, precision, random_values(40 * 33, 9), {}, shape, x, activation);
      for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i / 33 == 5) << i;
    }
  }
}

// Rows of one sign, of zeros, of one value far from the others: each has its own scale, and sums
// stay exact where they are largest.
TEST_P(LinearContract, Int8ScalesEachRowAndEachColumn) {
  if (GetParam().starts_with("cuda")) GTEST_SKIP() << "GPUs have no int8";
  const Shape shape{6, 3000, 34};
  Values x(static_cast<std::size_t>(shape.rows * shape.in), 0.0f);
  for (std::int64_t i = 0; i < shape.in; ++i) {
    const float wave = static_cast<float>(i % 17) / 16;
    const float rows[] = {0.0f, 1.0f, -1e-3f, wave, 0.5f - wave, i == 7 ? 1e4f : wave};
    for (std::int64_t r = 0; r < shape.rows; ++r)
      x[static_cast<std::size_t>(r * shape.in + i)] = rows[r];
  }
  Values weight = random_values(shape.in * shape.out, 14);
  std::fill_n(weight.begin(), 2 * shape.in, 0.0f);
  std::fill_n(weight.begin() + 2 * shape.in, shape.in, 1e-3f);
  std::fill_n(weight.begin() + 3 * shape.in, shape.in, -1e5f);
  const Values magnitude =
      run_linear(*reference_, Precision::kFp32, absolute(weight), {}, shape, absolute(x));
  expect_near(run_linear(*device_, Precision::kInt8, weight, {}, shape, x),
              run_linear(*reference_, Precision::kInt8, weight, {}, shape, x),
              sum_tolerance(magnitude, 1));
}

std::array<std::array<float, 256>, 3> some_table() {
  std::array<std::array<float, 256>, 3> table{};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < 256; ++i)
      table[c][i] = (static_cast<float>(i) - 100.0f - 10.0f * static_cast<float>(c)) / 64;
  return table;
}

std::vector<std::uint8_t> random_pixels(std::int64_t count) {
  std::vector<std::uint8_t> pixels;
  for (float value : random_values(count, 11))
    pixels.push_back(static_cast<std::uint8_t>((value + 1) * 127));
  return pixels;
}

struct Picture {
  std::int64_t batch, height, width, patch, out;
};

Values run_patches(Device& device, Precision precision, const Picture& picture, bool magnitude) {
  auto table = some_table();
  Values weight = random_values(picture.out * 3 * picture.patch * picture.patch, 12);
  if (magnitude) {
    weight = absolute(weight);
    for (auto& channel : table)
      for (float& value : channel) value = std::fabs(value);
  }
  const std::vector<std::uint8_t> pixels =
      random_pixels(picture.batch * picture.height * picture.width * 3);
  const auto embedding = device.backend().pack(
      compute::PatchWeights{weight, random_values(picture.out, 13), picture.patch, picture.out},
      precision);
  const std::int64_t patches = (picture.height / picture.patch) * (picture.width / picture.patch);
  // Two rows before and one behind the patches of each image stay as they were.
  const Matrix out = device.matrix(
      Values(static_cast<std::size_t>(picture.batch * (patches + 3) * picture.out), 42.0f),
      picture.batch * (patches + 3), picture.out);
  device.stream().embed_patches(
      *embedding, {pixels.data(), picture.batch, picture.height, picture.width, &table},
      patches + 3, 2, out);
  return device.read(out);
}

TEST_P(LinearContract, PatchesEqualTheReference) {
  for (const Precision precision : precisions()) {
    for (const Picture& picture :
         {Picture{1, 4, 4, 4, 5}, Picture{3, 33, 50, 8, 40}, Picture{2, 64, 96, 32, 48},
          Picture{2, 45, 43, 14, 24}, Picture{1, 224, 224, 16, 16}}) {
      SCOPED_TRACE(testing::Message() << to_string(precision) << " patch " << picture.patch);
      expect_near(run_patches(*device_, precision, picture, false),
                  run_patches(*reference_, precision, picture, false),
                  sum_tolerance(absolute(run_patches(*reference_, Precision::kFp32, picture, true)),
                                3 * picture.patch * picture.patch));
    }
  }
}

TEST_P(LinearContract, PixelsGoThroughTheTable) {
  const auto table = some_table();
  const std::vector<std::uint8_t> pixels = random_pixels(2 * 5 * 7 * 3);
  const compute::FeatureMap out = device_->map(Values(2 * 5 * 7 * 3), 2, 5, 7, 3);
  device_->stream().load_pixels({pixels.data(), 2, 5, 7, &table}, out);
  Values want;
  for (std::size_t i = 0; i < pixels.size(); ++i) want.push_back(table[i % 3][pixels[i]]);
  EXPECT_EQ(device_->read(out), want);
}

// Slots of pixel values in place of bytes: what the table would have made of them.
TEST_P(LinearContract, PixelValuesNeedNoTable) {
  const auto table = some_table();
  const std::vector<std::uint8_t> pixels = random_pixels(2 * 9 * 11 * 3);
  Values values;
  for (std::size_t i = 0; i < pixels.size(); ++i) values.push_back(table[i % 3][pixels[i]]);
  const Values weight = random_values(6 * 3 * 16, 31), bias = random_values(6, 32);
  const auto embedding =
      device_->backend().pack(compute::PatchWeights{weight, bias, 4, 6}, Precision::kFp32);
  compute::PixelBatch batch{pixels.data(), 2, 9, 11, &table};
  const Matrix from_bytes = device_->empty(8, 6), from_values = device_->empty(8, 6);
  device_->stream().embed_patches(*embedding, batch, 4, 0, from_bytes);
  batch = {nullptr, 2, 9, 11, nullptr, values.data()};
  device_->stream().embed_patches(*embedding, batch, 4, 0, from_values);
  EXPECT_EQ(device_->read(from_values), device_->read(from_bytes));
  const compute::FeatureMap map = device_->map(Values(values.size()), 2, 9, 11, 3);
  device_->stream().load_pixels(batch, map);
  EXPECT_EQ(device_->read(map), values);
}

INSTANTIATE_TEST_SUITE_P(Backends, LinearContract, testing::ValuesIn(backend_names()), name_of);

}  // namespace
}  // namespace vecframe::contract
