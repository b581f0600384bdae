#include "backends/cpu/cpu_stream.h"

#include <algorithm>
#include <system_error>

#include "backends/cpu/convolution.h"
#include "backends/cpu/narrow.h"

namespace vecframe::backends::cpu {
namespace {

using compute::FeatureMap;
using compute::Matrix;

float* row(Matrix matrix, std::int64_t i) { return matrix.data + i * matrix.stride; }

const tensor::AlignedBuffer<float>& values_of(const compute::Vector& vector) {
  return static_cast<const CpuVector&>(vector).values;
}

// Values of the `count` pixels from number `first` of the batch on.
void load_values(const compute::PixelBatch& pixels, std::int64_t first, std::int64_t count,
                 float* to) {
  if (pixels.values != nullptr) {
    std::copy_n(pixels.values + first * 3, count * 3, to);
    return;
  }
  const std::uint8_t* from = pixels.pixels + first * 3;
  const auto& [red, green, blue] = *pixels.table;
  for (std::int64_t i = 0; i < count; ++i, from += 3, to += 3) {
    to[0] = red[from[0]];
    to[1] = green[from[1]];
    to[2] = blue[from[2]];
  }
}

}  // namespace

void CpuStream::share_cores(std::shared_ptr<const CoreShare> cores) { cores_ = std::move(cores); }

void CpuStream::gather_team() {
  const int threads = cores_ ? cores_->each() : 1;
  if (threads != wanted_) make_team(threads);
}

void CpuStream::make_team(int threads) {
  wanted_ = threads;
  team_.reset();
  try {
    if (threads > 1) team_ = std::make_unique<Team>(threads);
  } catch (const std::system_error&) {
    // No more threads to be had: the caller's does all, as before.
  }
  const auto count = static_cast<std::size_t>(team_ ? team_->size() : 1);
  product_.team = attention_.team = team_.get();
  product_.helper_sums.resize(count - 1);
  attention_.threads.resize(count);
}

void CpuStream::embed_patches(const compute::PatchEmbedding& embedding,
                              const compute::PixelBatch& pixels, std::int64_t rows_per_image,
                              std::int64_t first_row, Matrix out) {
  gather_team();
  const auto& packed = static_cast<const CpuPatchEmbedding&>(embedding);
  const std::int64_t p = packed.patch;
  const std::int64_t grid_w = pixels.width / p, patches = pixels.height / p * grid_w;
  if (patches == 0 || pixels.batch == 0) return;
  const auto source = [&](std::int64_t m, float* values) -> const float* {
    const std::int64_t b = m / patches, n = m % patches;
    const std::int64_t first = (b * pixels.height + n / grid_w * p) * pixels.width + n % grid_w * p;
    for (std::int64_t y = 0; y < p; ++y)
      load_values(pixels, first + y * pixels.width, p, values + y * p * 3);
    return values;
  };
  Matrix to = out;
  to.data = row(out, first_row);
  const ProductOutput output{to, {}, compute::Activation::kNone, patches, rows_per_image - patches};
  product(isa_, packed.matrix, pixels.batch * patches, source, product_, output);
}

void CpuStream::broadcast_rows(const compute::Vector& rows, std::int64_t batch,
                               std::int64_t rows_per_image, std::int64_t first_row, Matrix out) {
  const auto& values = values_of(rows);
  const std::int64_t count = static_cast<std::int64_t>(values.size()) / out.columns;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t i = 0; i < count; ++i)
      std::copy_n(values.data() + i * out.columns, out.columns,
                  row(out, b * rows_per_image + first_row + i));
}

void CpuStream::add_rows(const compute::Vector& rows, std::int64_t batch, Matrix x) {
  if (batch == 0) return;
  const float* values = values_of(rows).data();
  const std::int64_t count = x.rows / batch;
  for (std::int64_t r = 0; r < x.rows; ++r) {
    float* to = row(x, r);
    const float* from = values + r % count * x.columns;
    for (std::int64_t c = 0; c < x.columns; ++c) to[c] += from[c];
  }
}

void CpuStream::add(Matrix from, Matrix x) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const float* values = row(from, r);
    float* to = row(x, r);
    for (std::int64_t c = 0; c < x.columns; ++c) to[c] += values[c];
  }
}

void CpuStream::linear(const compute::Linear& linear, Matrix x, compute::Activation activation,
                       Matrix residual, Matrix y) {
  if (x.rows == 0) return;
  gather_team();
  const ProductOutput output{y, residual, activation, x.rows, 0};
  const PackedMatrix& matrix = static_cast<const CpuLinear&>(linear).matrix;
  if (is_narrow(isa_, x)) return product_of_narrow(isa_, matrix, x, product_, output);
  const auto source = [&](std::int64_t m, float*) -> const float* { return row(x, m); };
  product(isa_, matrix, x.rows, source, product_, output);
}

void CpuStream::normalize(compute::NormKind kind, const compute::Vector& weight,
                          const compute::Vector* bias, float epsilon, Matrix x, Matrix y) {
  const float* shift = bias == nullptr ? nullptr : values_of(*bias).data();
  const bool narrow = is_narrow(isa_, y);
  float* normalized = narrow ? product_.row.floats(x.columns) : nullptr;
  for (std::int64_t r = 0; r < x.rows; ++r) {
    isa_.kernels->normalize(kind, values_of(weight).data(), shift, epsilon, row(x, r), x.columns,
                            narrow ? normalized : row(y, r));
    if (narrow) store_narrow(isa_, normalized, x.columns, narrow_row(y, r));
  }
}

void CpuStream::rotate_pairs(const compute::Vector& turns, std::int64_t batch, std::int64_t heads,
                             std::int64_t first_row, Matrix x) {
  if (batch == 0) return;
  const std::int64_t n = x.rows / batch, d = x.columns / heads;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t i = first_row; i < n; ++i)
      isa_.kernels->rotate_pairs(values_of(turns).data() + (i - first_row) * d, d, heads,
                                 row(x, b * n + i));
}

void CpuStream::attention(Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                          tensor::Precision precision, Matrix out) {
  gather_team();
  cpu::attention(isa_, qkv, batch, heads, scale, precision, attention_, out);
}

void CpuStream::causal_attention(Matrix qkv, std::span<const std::int64_t> lengths,
                                 std::int64_t heads, float scale, tensor::Precision precision,
                                 Matrix out) {
  gather_team();
  cpu::causal_attention(isa_, qkv, lengths, heads, scale, precision, attention_, out);
}

void CpuStream::relative_attention(const compute::Vector& table, std::int64_t grid_columns,
                                   Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                                   tensor::Precision precision, Matrix out) {
  gather_team();
  cpu::relative_attention(isa_, values_of(table).data(), grid_columns, qkv, batch, heads, scale,
                          precision, attention_, out);
}

void CpuStream::pool_attention(const compute::Vector& query, Matrix kv, std::int64_t batch,
                               std::int64_t heads, float scale, Matrix out) {
  cpu::pool_attention(*isa_.kernels, values_of(query).data(), kv, batch, heads, scale, attention_,
                      out);
}

void CpuStream::gate(compute::Activation activation, Matrix x, Matrix y) {
  for (std::int64_t r = 0; r < x.rows; ++r)
    isa_.kernels->gate(activation, row(x, r), x.columns / 2, row(y, r));
}

void CpuStream::copy_row(Matrix x, std::int64_t from, Matrix y, std::int64_t to) const {
  if (is_narrow(isa_, y)) {
    std::copy_n(narrow_row(x, from), y.columns, narrow_row(y, to));
  } else {
    std::copy_n(row(x, from), y.columns, row(y, to));
  }
}

void CpuStream::gather_rows(Matrix x, std::int64_t first, std::int64_t step, Matrix y) {
  for (std::int64_t i = 0; i < y.rows; ++i) copy_row(x, first + i * step, y, i);
}

void CpuStream::take_rows(Matrix x, std::span<const std::int64_t> rows, Matrix y) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    copy_row(x, rows[i], y, static_cast<std::int64_t>(i));
}

void CpuStream::mean_rows(Matrix x, std::int64_t batch, std::int64_t first, Matrix y) {
  if (batch == 0) return;
  const std::int64_t n = x.rows / batch;
  const float count = static_cast<float>(n - first);
  for (std::int64_t b = 0; b < batch; ++b) {
    float* to = row(y, b);
    std::fill_n(to, x.columns, 0.0f);
    for (std::int64_t i = first; i < n; ++i) {
      const float* from = row(x, b * n + i);
      for (std::int64_t c = 0; c < x.columns; ++c) to[c] += from[c];
    }
    for (std::int64_t c = 0; c < x.columns; ++c) to[c] /= count;
  }
}

void CpuStream::convolve(const compute::Convolution& convolution, FeatureMap x, FeatureMap residual,
                         FeatureMap y) {
  gather_team();
  if (const auto* dense = dynamic_cast<const DenseConvolution*>(&convolution)) {
    cpu::convolve(isa_, *dense, x, residual, product_, y);
  } else {
    cpu::convolve(isa_, static_cast<const DepthwiseConvolution&>(convolution), x, residual,
                  product_, y);
  }
}

void CpuStream::load_pixels(const compute::PixelBatch& pixels, FeatureMap out) {
  load_values(pixels, 0, pixels.batch * pixels.height * pixels.width, out.data);
}

void CpuStream::max_pool(FeatureMap x, std::int64_t kernel, std::int64_t stride,
                         std::int64_t padding, FeatureMap y) {
  cpu::max_pool(isa_, x, kernel, stride, padding, y);
}

void CpuStream::normalize_response(const compute::Vector& weight, const compute::Vector& bias,
                                   float epsilon, FeatureMap x) {
  gather_team();
  cpu::normalize_response(isa_, values_of(weight).data(), values_of(bias).data(), epsilon, x,
                          product_);
}

void CpuStream::average_pool(FeatureMap x, Matrix y) {
  mean_rows({x.data, x.batch * x.height * x.width, x.channels, x.channels}, x.batch, 0, y);
}

void CpuStream::upload(std::span<const float> values, Matrix x) {
  for (std::int64_t r = 0; r < x.rows; ++r)
    std::copy_n(values.data() + r * x.columns, x.columns, row(x, r));
}

void CpuStream::download(Matrix x, std::span<float> out) {
  for (std::int64_t r = 0; r < x.rows; ++r)
    std::copy_n(row(x, r), x.columns, out.data() + r * x.columns);
}

}  // namespace vecframe::backends::cpu
