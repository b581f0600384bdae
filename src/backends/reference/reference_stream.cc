#include "backends/reference/reference_stream.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "backends/reference/activation.h"
#include "backends/reference/convolution.h"
#include "backends/reference/packed.h"

namespace vecframe::backends::reference {
namespace {

using compute::FeatureMap;
using compute::Matrix;
using tensor::Precision;

float* row(Matrix matrix, std::int64_t i) { return matrix.data + i * matrix.stride; }

const std::vector<float>& values_of(const compute::Vector& vector) {
  return static_cast<const ReferenceVector&>(vector).values;
}

float pixel_value(const compute::PixelBatch& pixels, std::int64_t b, std::int64_t y, std::int64_t x,
                  std::int64_t c) {
  const std::int64_t at = ((b * pixels.height + y) * pixels.width + x) * 3 + c;
  if (pixels.values != nullptr) return pixels.values[at];
  const std::uint8_t byte = pixels.pixels[at];
  return (*pixels.table)[static_cast<std::size_t>(c)][byte];
}

double dot(const float* a, const float* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

float to_bf16(float value) { return tensor::bf16_to_float(tensor::float_to_bf16(value)); }

// softmax(scores) in place, where `bf16` rounds the numerators, not their sum.
void softmax(std::vector<double>& scores, bool bf16 = false) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - largest);
  for (double& score : scores) score = (bf16 ? to_bf16(static_cast<float>(score)) : score) / sum;
}

double no_bias(std::int64_t /*head*/, std::int64_t /*query*/, std::int64_t /*key*/) { return 0; }

// softmax(q k^T * scale + bias(head, query, key)) v of one sequence, for each head; if causal, of
// each row with itself and those before it.
template <class Bias>
void attend(Matrix qkv, std::int64_t heads, float scale, bool bf16, bool causal, Bias bias,
            Matrix out) {
  const std::int64_t tokens = qkv.rows, width = qkv.columns / 3, d = width / heads;
  std::vector<float> rounded;
  if (bf16) {
    for (std::int64_t i = 0; i < tokens; ++i)
      std::transform(row(qkv, i), row(qkv, i) + qkv.columns, std::back_inserter(rounded), to_bf16);
    qkv = {rounded.data(), tokens, qkv.columns, qkv.columns};
  }
  for (std::int64_t h = 0; h < heads; ++h) {
    // (token, head_dim) views of this head.
    const Matrix q{qkv.data + h * d, tokens, d, qkv.stride};
    const Matrix k{q.data + width, tokens, d, qkv.stride};
    const Matrix v{k.data + width, tokens, d, qkv.stride};
    for (std::int64_t i = 0; i < tokens; ++i) {
      std::vector<double> weights(static_cast<std::size_t>(causal ? i + 1 : tokens));
      for (std::size_t j = 0; j < weights.size(); ++j) {
        const auto key = static_cast<std::int64_t>(j);
        weights[j] = dot(row(q, i), row(k, key), d) * scale + bias(h, i, key);
      }
      softmax(weights, bf16);
      for (std::int64_t c = 0; c < d; ++c) {
        double sum = 0;
        for (std::size_t j = 0; j < weights.size(); ++j)
          sum += weights[j] * row(v, static_cast<std::int64_t>(j))[c];
        row(out, i)[h * d + c] = static_cast<float>(sum);
      }
    }
  }
}

}  // namespace

void ReferenceStream::embed_patches(const compute::PatchEmbedding& embedding,
                                    const compute::PixelBatch& pixels, std::int64_t rows_per_image,
                                    std::int64_t first_row, Matrix out) {
  const auto& weights = static_cast<const ReferencePatchEmbedding&>(embedding);
  const std::int64_t p = weights.patch;
  const std::int64_t grid_h = pixels.height / p, grid_w = pixels.width / p;
  std::vector<float> patch(static_cast<std::size_t>(3 * p * p));
  for (std::int64_t b = 0; b < pixels.batch; ++b) {
    for (std::int64_t n = 0; n < grid_h * grid_w; ++n) {
      const std::int64_t top = n / grid_w * p, left = n % grid_w * p;
      std::size_t k = 0;
      for (std::int64_t c = 0; c < 3; ++c)
        for (std::int64_t y = 0; y < p; ++y)
          for (std::int64_t x = 0; x < p; ++x)
            patch[k++] = pixel_value(pixels, b, top + y, left + x, c);
      round_inputs(patch, 3 * p * p, weights.precision);
      float* to = row(out, b * rows_per_image + first_row + n);
      for (std::int64_t o = 0; o < weights.out; ++o) {
        const double sum =
            dot(&weights.weight[static_cast<std::size_t>(o * 3 * p * p)], patch.data(), 3 * p * p);
        to[o] = static_cast<float>(sum + weights.bias[static_cast<std::size_t>(o)]);
      }
    }
  }
}

void ReferenceStream::broadcast_rows(const compute::Vector& rows, std::int64_t batch,
                                     std::int64_t rows_per_image, std::int64_t first_row,
                                     Matrix out) {
  const std::vector<float>& values = values_of(rows);
  const std::int64_t count = static_cast<std::int64_t>(values.size()) / out.columns;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t i = 0; i < count; ++i)
      std::copy_n(&values[static_cast<std::size_t>(i * out.columns)], out.columns,
                  row(out, b * rows_per_image + first_row + i));
}

void ReferenceStream::add_rows(const compute::Vector& rows, std::int64_t batch, Matrix x) {
  const std::vector<float>& values = values_of(rows);
  const std::int64_t count = x.rows / batch;
  for (std::int64_t r = 0; r < x.rows; ++r)
    for (std::int64_t c = 0; c < x.columns; ++c)
      row(x, r)[c] += values[static_cast<std::size_t>(r % count * x.columns + c)];
}

void ReferenceStream::add(Matrix from, Matrix x) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const float* values = row(from, r);
    float* to = row(x, r);
    for (std::int64_t c = 0; c < x.columns; ++c) to[c] += values[c];
  }
}

void ReferenceStream::linear(const compute::Linear& linear, Matrix x,
                             compute::Activation activation, Matrix residual, Matrix y) {
  const auto& weights = static_cast<const ReferenceLinear&>(linear);
  std::vector<float> input(static_cast<std::size_t>(weights.in));
  for (std::int64_t r = 0; r < x.rows; ++r) {
    std::copy_n(row(x, r), weights.in, input.begin());
    round_inputs(input, weights.in, weights.precision);
    for (std::int64_t o = 0; o < weights.out; ++o) {
      const double sum =
          dot(&weights.weight[static_cast<std::size_t>(o * weights.in)], input.data(), weights.in);
      double value = activate(activation, sum + weights.bias[static_cast<std::size_t>(o)]);
      if (residual.data != nullptr) value += row(residual, r)[o];
      row(y, r)[o] = static_cast<float>(value);
    }
  }
}

void ReferenceStream::normalize(compute::NormKind kind, const compute::Vector& weight,
                                const compute::Vector* bias, float epsilon, Matrix x, Matrix y) {
  const std::vector<float>& scale = values_of(weight);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const float* from = row(x, r);
    double mean = 0;
    if (kind == compute::NormKind::kLayerNorm) {
      for (std::int64_t c = 0; c < x.columns; ++c) mean += from[c];
      mean /= static_cast<double>(x.columns);
    }
    double variance = 0;
    for (std::int64_t c = 0; c < x.columns; ++c) variance += (from[c] - mean) * (from[c] - mean);
    variance /= static_cast<double>(x.columns);
    const double inverse = 1 / std::sqrt(variance + epsilon);
    for (std::int64_t c = 0; c < x.columns; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double shift = bias != nullptr ? values_of(*bias)[i] : 0.0;
      row(y, r)[c] = static_cast<float>((from[c] - mean) * inverse * scale[i] + shift);
    }
  }
}

void ReferenceStream::rotate_pairs(const compute::Vector& turns, std::int64_t batch,
                                   std::int64_t heads, std::int64_t first_row, Matrix x) {
  if (batch == 0) return;
  const std::int64_t n = x.rows / batch, d = x.columns / heads, half = d / 2;
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t i = first_row; i < n; ++i) {
      const float* turn = values_of(turns).data() + (i - first_row) * d;
      for (std::int64_t h = 0; h < heads; ++h) {
        float* head = row(x, b * n + i) + h * d;
        for (std::int64_t c = 0; c < half; ++c) {
          const double cosine = turn[c], sine = turn[half + c], p = head[c], q = head[half + c];
          head[c] = static_cast<float>(p * cosine - q * sine);
          head[half + c] = static_cast<float>(q * cosine + p * sine);
        }
      }
    }
  }
}

void ReferenceStream::attention(Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                                Precision precision, Matrix out) {
  if (batch == 0) return;
  const std::int64_t tokens = qkv.rows / batch;
  for (std::int64_t b = 0; b < batch; ++b)
    attend({row(qkv, b * tokens), tokens, qkv.columns, qkv.stride}, heads, scale,
           precision != Precision::kFp32, /*causal=*/false, no_bias,
           {row(out, b * tokens), tokens, out.columns, out.stride});
}

void ReferenceStream::causal_attention(Matrix qkv, std::span<const std::int64_t> lengths,
                                       std::int64_t heads, float scale, Precision precision,
                                       Matrix out) {
  std::int64_t first = 0;
  for (const std::int64_t length : lengths) {
    attend({row(qkv, first), length, qkv.columns, qkv.stride}, heads, scale,
           precision != Precision::kFp32, /*causal=*/true, no_bias,
           {row(out, first), length, out.columns, out.stride});
    first += length;
  }
}

void ReferenceStream::relative_attention(const compute::Vector& table, std::int64_t grid_columns,
                                         Matrix qkv, std::int64_t batch, std::int64_t heads,
                                         float scale, Precision precision, Matrix out) {
  if (batch == 0) return;
  const std::int64_t tokens = qkv.rows / batch;
  const std::int64_t rows = (tokens - 1) / grid_columns, run = 2 * grid_columns - 1;
  const std::int64_t distances = (2 * rows - 1) * run;
  const auto place = [&](std::int64_t query, std::int64_t key) {
    if (query == 0) return key == 0 ? distances + 2 : distances;
    if (key == 0) return distances + 1;
    const std::int64_t p = query - 1, q = key - 1;
    return (q / grid_columns - p / grid_columns + rows - 1) * run + q % grid_columns -
           p % grid_columns + grid_columns - 1;
  };
  const auto bias = [&](std::int64_t head, std::int64_t query, std::int64_t key) {
    return double{values_of(table).data()[head * (distances + 3) + place(query, key)]};
  };
  for (std::int64_t b = 0; b < batch; ++b)
    attend({row(qkv, b * tokens), tokens, qkv.columns, qkv.stride}, heads, scale,
           precision != Precision::kFp32, /*causal=*/false, bias,
           {row(out, b * tokens), tokens, out.columns, out.stride});
}

void ReferenceStream::pool_attention(const compute::Vector& query, Matrix kv, std::int64_t batch,
                                     std::int64_t heads, float scale, Matrix out) {
  if (batch == 0) return;
  const std::int64_t tokens = kv.rows / batch, width = kv.columns / 2, d = width / heads;
  std::vector<double> weights(static_cast<std::size_t>(tokens));
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const Matrix k{row(kv, b * tokens) + h * d, tokens, d, kv.stride};
      const Matrix v{k.data + width, tokens, d, kv.stride};
      for (std::int64_t j = 0; j < tokens; ++j)
        weights[static_cast<std::size_t>(j)] =
            dot(values_of(query).data() + h * d, row(k, j), d) * scale;
      softmax(weights);
      for (std::int64_t c = 0; c < d; ++c) {
        double sum = 0;
        for (std::int64_t j = 0; j < tokens; ++j)
          sum += weights[static_cast<std::size_t>(j)] * row(v, j)[c];
        row(out, b)[h * d + c] = static_cast<float>(sum);
      }
    }
  }
}

void ReferenceStream::gate(compute::Activation activation, Matrix x, Matrix y) {
  const std::int64_t n = x.columns / 2;
  for (std::int64_t r = 0; r < x.rows; ++r)
    for (std::int64_t c = 0; c < n; ++c)
      row(y, r)[c] = static_cast<float>(activate(activation, row(x, r)[c]) * row(x, r)[n + c]);
}

void ReferenceStream::gather_rows(Matrix x, std::int64_t first, std::int64_t step, Matrix y) {
  for (std::int64_t i = 0; i < y.rows; ++i)
    std::copy_n(row(x, first + i * step), y.columns, row(y, i));
}

void ReferenceStream::take_rows(Matrix x, std::span<const std::int64_t> rows, Matrix y) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(row(x, rows[i]), y.columns, row(y, static_cast<std::int64_t>(i)));
}

void ReferenceStream::mean_rows(Matrix x, std::int64_t batch, std::int64_t first, Matrix y) {
  const std::int64_t n = x.rows / batch;
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t c = 0; c < x.columns; ++c) {
      double sum = 0;
      for (std::int64_t i = first; i < n; ++i) sum += row(x, b * n + i)[c];
      row(y, b)[c] = static_cast<float>(sum / static_cast<double>(n - first));
    }
  }
}

void ReferenceStream::convolve(const compute::Convolution& convolution, FeatureMap x,
                               FeatureMap residual, FeatureMap y) {
  reference::convolve(static_cast<const ReferenceConvolution&>(convolution), x, residual, y);
}

void ReferenceStream::load_pixels(const compute::PixelBatch& pixels, FeatureMap out) {
  float* to = out.data;
  for (std::int64_t b = 0; b < pixels.batch; ++b)
    for (std::int64_t y = 0; y < pixels.height; ++y)
      for (std::int64_t x = 0; x < pixels.width; ++x)
        for (std::int64_t c = 0; c < 3; ++c) *to++ = pixel_value(pixels, b, y, x, c);
}

void ReferenceStream::max_pool(FeatureMap x, std::int64_t kernel, std::int64_t stride,
                               std::int64_t padding, FeatureMap y) {
  reference::max_pool(x, kernel, stride, padding, y);
}

void ReferenceStream::normalize_response(const compute::Vector& weight, const compute::Vector& bias,
                                         float epsilon, FeatureMap x) {
  reference::normalize_response(values_of(weight), values_of(bias), epsilon, x);
}

void ReferenceStream::average_pool(FeatureMap x, Matrix y) {
  const Matrix positions{x.data, x.batch * x.height * x.width, x.channels, x.channels};
  mean_rows(positions, x.batch, 0, y);
}

void ReferenceStream::upload(std::span<const float> values, Matrix x) {
  for (std::int64_t r = 0; r < x.rows; ++r)
    std::copy_n(values.data() + r * x.columns, x.columns, row(x, r));
}

void ReferenceStream::download(Matrix x, std::span<float> out) {
  for (std::int64_t r = 0; r < x.rows; ++r)
    std::copy_n(row(x, r), x.columns, out.data() + r * x.columns);
}

}  // namespace vecframe::backends::reference
