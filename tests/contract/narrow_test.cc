// What is only rounded to bf16 may be kept so: no bit of a result changes.

#include <gtest/gtest.h>

#include <cmath>

#include "device.h"

namespace vecframe::contract {
namespace {

using compute::Activation;
using compute::Matrix;
using tensor::Precision;

// A block of a transformer; `width` is heads * dim, `step` the rows of the pictures.
struct Block {
  std::int64_t batch, tokens, heads, dim, hidden;
  std::int64_t width() const { return heads * dim; }
};

class NarrowContract : public ContractTest {
 protected:
  Values run(const Block& block, Precision precision, bool narrow) {
    const std::int64_t w = block.width(), rows = block.batch * block.tokens;
    const auto linear = [&](std::int64_t in, std::int64_t out, unsigned seed) {
      return device_->backend().pack(compute::LinearWeights{random_values(in * out, seed),
                                                            random_values(out, seed + 1), in, out},
                                     precision);
    };
    const auto qkv_of = linear(w, 3 * w, 31), out_of = linear(w, w, 33);
    const auto up = linear(w, block.hidden, 35), down = linear(block.hidden, w, 37);
    const compute::Vector& scale = device_->vector(random_values(w, 39));
    const auto matrix = [&](std::int64_t r, std::int64_t columns) {
      Matrix m = device_->empty(r, columns);
      m.narrow = narrow;
      return m;
    };
    compute::Stream& stream = device_->stream();
    const Matrix x = device_->matrix(random_values(rows * w, 40), rows, w);
    const Matrix h = matrix(rows, w), qkv = matrix(rows, 3 * w);
    const Matrix hidden = matrix(block.batch, block.hidden), first_h = matrix(block.batch, w);
    const Matrix first_x = device_->empty(block.batch, w), y = device_->empty(block.batch, w);
    stream.normalize(compute::NormKind::kLayerNorm, scale, nullptr, 1e-5f, x, h);
    stream.linear(*qkv_of, h, Activation::kNone, {}, qkv);
    stream.attention(qkv, block.batch, block.heads, 1 / std::sqrt(static_cast<float>(block.dim)),
                     precision, h);
    stream.gather_rows(x, 0, block.tokens, first_x);
    stream.gather_rows(h, 0, block.tokens, first_h);
    stream.linear(*out_of, first_h, Activation::kNone, first_x, first_x);
    stream.normalize(compute::NormKind::kRmsNorm, scale, nullptr, 1e-5f, first_x, first_h);
    stream.linear(*up, first_h, Activation::kQuickGelu, {}, hidden);
    stream.linear(*down, hidden, Activation::kNone, first_x, y);
    Values values = device_->read(y);
    stream.reset();
    return values;
  }
};

// Odd heads, rows a multiple of 4096 bytes apart, and depths of one slice and of several.
TEST_P(NarrowContract, ABlockHasTheSameBits) {
  for (const Block& block :
       {Block{2, 5, 3, 8, 40}, Block{3, 17, 2, 7, 66}, Block{1, 50, 2, 64, 512},
        Block{2, 130, 2, 72, 96}, Block{1, 33, 4, 32, 2048}}) {
    SCOPED_TRACE(testing::Message() << block.tokens << " x " << block.heads << " x " << block.dim);
    for (const int threads : {1, 2}) {
      device_->stream().share_cores(CoreShare::alone(threads));
      EXPECT_EQ(run(block, Precision::kBf16, true), run(block, Precision::kBf16, false));
    }
  }
}

TEST_P(NarrowContract, TakenRowsAreThoseAsked) {
  Matrix h = device_->empty(4, 6), y = device_->empty(2, 6);
  h.narrow = y.narrow = true;
  Values identity(36, 0.0f);
  for (std::size_t i = 0; i < 6; ++i) identity[7 * i] = 1;
  const auto copy =
      device_->backend().pack(compute::LinearWeights{identity, {}, 6, 6}, Precision::kBf16);
  const Values values = random_values(24, 41);
  const Matrix out = device_->empty(2, 6);
  device_->stream().linear(*copy, device_->matrix(values, 4, 6), Activation::kNone, {}, h);
  const std::vector<std::int64_t> rows = {3, 1};
  device_->stream().take_rows(h, rows, y);
  device_->stream().linear(*copy, y, Activation::kNone, {}, out);
  const Values got = device_->read(out);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(got[i], tensor::bf16_to_float(tensor::float_to_bf16(values[18 + i])));
    EXPECT_EQ(got[6 + i], tensor::bf16_to_float(tensor::float_to_bf16(values[6 + i])));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, NarrowContract, testing::ValuesIn(backend_names()), name_of);

}  // namespace
}  // namespace vecframe::contract
