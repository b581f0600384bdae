#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "device.h"

namespace vecframe::contract {
namespace {

using compute::Matrix;
using tensor::Precision;

struct Shape {
  std::int64_t batch, tokens, heads, dim;
};

constexpr Shape kShapes[] = {
    {1, 1, 1, 8},    {3, 1, 2, 16},   {2, 5, 3, 8},    {1, 50, 2, 64},   {2, 197, 2, 64},
    {1, 201, 1, 72}, {1, 196, 1, 80}, {2, 33, 2, 88},  {1, 257, 1, 96},  {1, 49, 1, 104},
    {1, 48, 2, 128}, {1, 97, 3, 20},  {1, 577, 1, 32}, {1, 1370, 1, 64},
};

Values run_attention(Device& device, Shape shape, const Values& qkv, float scale,
                     Precision precision = Precision::kFp32) {
  const std::int64_t width = shape.heads * shape.dim, rows = shape.batch * shape.tokens;
  const Matrix out = device.empty(rows, width, width + 9);
  device.stream().attention(device.matrix(qkv, rows, 3 * width, 3 * width + 7), shape.batch,
                            shape.heads, scale, precision, out);
  return device.read(out);
}

Values random_qkv(Shape shape, float spread) {
  Values qkv = random_values(shape.batch * shape.tokens * 3 * shape.heads * shape.dim, 21);
  for (float& value : qkv) value *= spread;
  return qkv;
}

class AttentionContract : public ContractTest {};

TEST_P(AttentionContract, EqualsTheReference) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(testing::Message() << shape.batch << " x " << shape.tokens << " x " << shape.heads
                                    << " x " << shape.dim);
    const float scale = 1 / std::sqrt(static_cast<float>(shape.dim));
    const Values qkv = random_qkv(shape, 2);
    expect_near(run_attention(*device_, shape, qkv, scale),
                run_attention(*reference_, shape, qkv, scale), 1e-5f);
    device_->stream().reset();
    reference_->stream().reset();
  }
}

float root_of_squares(const Values& a, const Values& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return static_cast<float>(std::sqrt(sum / static_cast<double>(a.size())));
}

// `got` rounds where the reference does: what is left is a small part of what rounding changes. A
// device may keep more bits, and is then as near as the float32 result.
void expect_rounded_alike(const std::string& backend, const Values& got, const Values& want,
                          const Values& exact) {
  expect_near(got, want, 0.04f);
  const float rounding = root_of_squares(want, exact);
  const float share = backend.starts_with("cuda") ? 1.5f : 0.2f;
  EXPECT_LE(root_of_squares(got, want), share * rounding + 1e-6f);
}

TEST_P(AttentionContract, BelowFp32RoundsAsTheReference) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(testing::Message() << shape.batch << " x " << shape.tokens << " x " << shape.heads
                                    << " x " << shape.dim);
    const float scale = 1 / std::sqrt(static_cast<float>(shape.dim));
    const Values qkv = random_qkv(shape, 2);
    const Values exact = run_attention(*reference_, shape, qkv, scale);
    for (const Precision precision : {Precision::kBf16, Precision::kInt8})
      expect_rounded_alike(GetParam(), run_attention(*device_, shape, qkv, scale, precision),
                           run_attention(*reference_, shape, qkv, scale, precision), exact);
    device_->stream().reset();
    reference_->stream().reset();
  }
}

TEST_P(AttentionContract, ThreadsChangeNoBit) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    for (const Shape& shape : {Shape{2, 50, 3, 64}, Shape{1, 70, 1, 20}}) {
      const Values qkv = random_qkv(shape, 2);
      const Values alone = run_attention(*device_, shape, qkv, 0.125f, precision);
      for (const int threads : {2, 3, 1}) {
        device_->stream().share_cores(CoreShare::alone(threads));
        EXPECT_EQ(run_attention(*device_, shape, qkv, 0.125f, precision), alone) << threads;
      }
    }
  }
}

// Scores of several hundred: exp of them overflows unless the largest is taken away first.
TEST_P(AttentionContract, LargeScoresDoNotOverflow) {
  const Shape shape{1, 70, 1, 64};
  const Values qkv = random_qkv(shape, 20);
  expect_near(run_attention(*device_, shape, qkv, 0.125f),
              run_attention(*reference_, shape, qkv, 0.125f), 5e-3f);
}

TEST_P(AttentionContract, AnImageDoesNotDependOnItsBatch) {
  const Shape shape{5, 61, 2, 24};
  const Values qkv = random_qkv(shape, 2);
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const Values together = run_attention(*device_, shape, qkv, 0.2f, precision);
    const auto in = static_cast<std::ptrdiff_t>(qkv.size()) / 5;
    const auto out = static_cast<std::ptrdiff_t>(together.size()) / 5;
    for (std::ptrdiff_t b = 0; b < 5; ++b) {
      const Values one(qkv.begin() + b * in, qkv.begin() + (b + 1) * in);
      EXPECT_EQ(run_attention(*device_, {1, 61, 2, 24}, one, 0.2f, precision),
                Values(together.begin() + b * out, together.begin() + (b + 1) * out));
    }
  }
}

TEST_P(AttentionContract, NaNIsNotHiddenAndStaysInItsImage) {
  const Shape shape{2, 37, 1, 16};
  Values qkv = random_qkv(shape, 1);
  qkv[3] = std::nanf("");  // a query of the first token of the first image
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const Values out = run_attention(*device_, shape, qkv, 0.25f, precision);
    for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(std::isnan(out[i]), i < 16) << i;
  }
}

struct RaggedShape {
  std::vector<std::int64_t> lengths;
  std::int64_t heads, dim;

  std::int64_t rows() const {
    return std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  }
};

const RaggedShape kRaggedShapes[] = {
    {{1}, 1, 8},   {{3, 1, 17}, 2, 24}, {{77, 5, 48, 49, 2}, 2, 64},
    {{97}, 1, 80}, {{33, 130}, 3, 20},
};

Values run_causal(Device& device, const RaggedShape& shape, const Values& qkv, float scale,
                  Precision precision = Precision::kFp32) {
  const std::int64_t width = shape.heads * shape.dim;
  const Matrix out = device.empty(shape.rows(), width, width + 9);
  device.stream().causal_attention(device.matrix(qkv, shape.rows(), 3 * width, 3 * width + 7),
                                   shape.lengths, shape.heads, scale, precision, out);
  return device.read(out);
}

Values random_ragged(const RaggedShape& shape) {
  Values qkv = random_values(shape.rows() * 3 * shape.heads * shape.dim, 25);
  for (float& value : qkv) value *= 2;
  return qkv;
}

// The reference too: row i is the last row of attention over the rows up to i.
TEST_P(AttentionContract, CausalIsAttentionOverWhatCameBefore) {
  for (const RaggedShape& shape : kRaggedShapes) {
    SCOPED_TRACE(testing::Message() << shape.rows() << " x " << shape.heads << " x " << shape.dim);
    const std::int64_t width = shape.heads * shape.dim;
    const float scale = 1 / std::sqrt(static_cast<float>(shape.dim));
    const Values qkv = random_ragged(shape);
    Values want;
    std::int64_t first = 0;
    for (const std::int64_t length : shape.lengths) {
      for (std::int64_t i = 1; i <= length; ++i) {
        const auto begin = qkv.begin() + first * 3 * width;
        const Values all = run_attention(*reference_, {1, i, shape.heads, shape.dim},
                                         Values(begin, begin + i * 3 * width), scale);
        want.insert(want.end(), all.end() - width, all.end());
        reference_->stream().reset();
      }
      first += length;
    }
    expect_near(run_causal(*device_, shape, qkv, scale), want, 1e-5f);
    device_->stream().reset();
  }
}

TEST_P(AttentionContract, ATextDependsNeitherOnItsBatchNorOnWhatFollows) {
  const RaggedShape shape{{5, 61, 7}, 2, 24};
  const Values qkv = random_ragged(shape);
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const Values together = run_causal(*device_, shape, qkv, 0.2f, precision);
    // The first 50 rows of the second text.
    const Values begin(qkv.begin() + 5 * 144, qkv.begin() + 55 * 144);
    const Values alone = run_causal(*device_, {{50}, 2, 24}, begin, 0.2f, precision);
    EXPECT_EQ(alone, Values(together.begin() + 5 * 48, together.begin() + 55 * 48));
  }
}

TEST_P(AttentionContract, NaNOfATextStaysInIt) {
  const RaggedShape shape{{4, 20, 4}, 1, 16};
  Values qkv = random_ragged(shape);
  qkv[5 * 48 + 16] = std::nanf("");  // a key of the second token of the second text
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const Values out = run_causal(*device_, shape, qkv, 0.25f, precision);
    for (std::size_t i = 0; i < out.size(); ++i)
      EXPECT_EQ(std::isnan(out[i]), i >= 5 * 16 && i < 24 * 16) << i;
  }
}

Values run_relative(Device& device, Shape shape, std::int64_t columns, const Values& table,
                    const Values& qkv, float scale, Precision precision = Precision::kFp32) {
  const std::int64_t width = shape.heads * shape.dim, rows = shape.batch * shape.tokens;
  const Matrix out = device.empty(rows, width, width + 9);
  device.stream().relative_attention(device.vector(table), columns,
                                     device.matrix(qkv, rows, 3 * width, 3 * width + 7),
                                     shape.batch, shape.heads, scale, precision, out);
  return device.read(out);
}

TEST_P(AttentionContract, RelativePositionsEqualTheReference) {
  struct Grid {
    std::int64_t rows, columns;
  };
  for (const Grid& grid : {Grid{1, 1}, Grid{1, 5}, Grid{7, 1}, Grid{3, 4}, Grid{14, 14}}) {
    SCOPED_TRACE(testing::Message() << grid.rows << " x " << grid.columns);
    const Shape shape{2, 1 + grid.rows * grid.columns, 3, 20};
    const Values table = random_values(3 * ((2 * grid.rows - 1) * (2 * grid.columns - 1) + 3), 24);
    const Values qkv = random_qkv(shape, 2);
    expect_near(run_relative(*device_, shape, grid.columns, table, qkv, 0.2f),
                run_relative(*reference_, shape, grid.columns, table, qkv, 0.2f), 1e-5f);
    EXPECT_NE(run_relative(*device_, shape, grid.columns, table, qkv, 0.2f),
              run_attention(*device_, shape, qkv, 0.2f));
    device_->stream().reset();
    reference_->stream().reset();
  }
}

// Without products of queries and keys the bias alone chooses a key: a large one at the distance
// (1, -2) is the patch below and two to the left, where there is one.
TEST_P(AttentionContract, ARelativePositionIsThatOfTheKeySeenFromTheQuery) {
  const std::int64_t rows = 3, columns = 4, run = 2 * columns - 1;
  const Shape shape{1, 13, 1, 1};
  Values table(static_cast<std::size_t>((2 * rows - 1) * run + 3), 0.0f);
  table[static_cast<std::size_t>((1 + rows - 1) * run - 2 + columns - 1)] = 100;
  table[table.size() - 2] = 50;  // of a patch to the class token: where there is none
  table[table.size() - 1] = 50;  // of the class token to itself
  Values qkv;
  for (int token = 0; token < 13; ++token)
    qkv.insert(qkv.end(), {0.0f, 0.0f, static_cast<float>(token)});
  const Values out = run_relative(*device_, shape, columns, table, qkv, 1);
  expect_near(out, {0, 0, 0, 5, 6, 0, 0, 9, 10, 0, 0, 0, 0}, 1e-4f);
}

TEST_P(AttentionContract, CausalAndRelativeRoundAsTheReferenceToo) {
  const RaggedShape ragged{{77, 5, 48, 49, 2}, 2, 64};
  const Values texts = random_ragged(ragged);
  expect_rounded_alike(GetParam(), run_causal(*device_, ragged, texts, 0.125f, Precision::kBf16),
                       run_causal(*reference_, ragged, texts, 0.125f, Precision::kBf16),
                       run_causal(*reference_, ragged, texts, 0.125f));
  const Shape shape{2, 50, 3, 20};
  const Values qkv = random_qkv(shape, 2), table = random_values(3 * (13 * 13 + 3), 24);
  expect_rounded_alike(GetParam(),
                       run_relative(*device_, shape, 7, table, qkv, 0.2f, Precision::kBf16),
                       run_relative(*reference_, shape, 7, table, qkv, 0.2f, Precision::kBf16),
                       run_relative(*reference_, shape, 7, table, qkv, 0.2f));
}

Values run_pool(Device& device, Shape shape, const Values& query, const Values& kv, float scale) {
  const std::int64_t width = shape.heads * shape.dim, rows = shape.batch * shape.tokens;
  const Matrix out = device.empty(shape.batch, width, width + 9);
  device.stream().pool_attention(device.vector(query),
                                 device.matrix(kv, rows, 2 * width, 2 * width + 7), shape.batch,
                                 shape.heads, scale, out);
  return device.read(out);
}

Values random_kv(Shape shape) {
  return random_values(shape.batch * shape.tokens * 2 * shape.heads * shape.dim, 22);
}

// The reference too: as attention with the same query at every token.
TEST_P(AttentionContract, PoolingIsAttentionWithOneQuery) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(testing::Message() << shape.batch << " x " << shape.tokens << " x " << shape.heads
                                    << " x " << shape.dim);
    const std::int64_t width = shape.heads * shape.dim;
    const auto w = static_cast<std::size_t>(width);
    const float scale = 1 / std::sqrt(static_cast<float>(shape.dim));
    const Values query = random_values(width, 23), kv = random_kv(shape);
    Values qkv;
    for (std::size_t r = 0; r < kv.size() / (2 * w); ++r) {
      qkv.insert(qkv.end(), query.begin(), query.end());
      qkv.insert(qkv.end(), kv.begin() + static_cast<std::ptrdiff_t>(r * 2 * w),
                 kv.begin() + static_cast<std::ptrdiff_t>((r + 1) * 2 * w));
    }
    const Values all = run_attention(*reference_, shape, qkv, scale);
    Values want;
    for (std::int64_t b = 0; b < shape.batch; ++b) {
      const auto first = all.begin() + b * shape.tokens * width;
      want.insert(want.end(), first, first + width);
    }
    expect_near(run_pool(*device_, shape, query, kv, scale), want, 1e-5f);
    device_->stream().reset();
    reference_->stream().reset();
  }
}

TEST_P(AttentionContract, PoolingOfAnImageDoesNotDependOnItsBatch) {
  const Shape shape{3, 61, 2, 24};
  const Values query = random_values(48, 24), kv = random_kv(shape);
  const Values together = run_pool(*device_, shape, query, kv, 5);
  const auto size = static_cast<std::ptrdiff_t>(kv.size()) / 3;
  for (std::ptrdiff_t b = 0; b < 3; ++b)
    EXPECT_EQ(run_pool(*device_, {1, 61, 2, 24}, query,
                       Values(kv.begin() + b * size, kv.begin() + (b + 1) * size), 5),
              Values(together.begin() + b * 48, together.begin() + (b + 1) * 48));
}

INSTANTIATE_TEST_SUITE_P(Backends, AttentionContract, testing::ValuesIn(backend_names()), name_of);

}  // namespace
}  // namespace vecframe::contract
