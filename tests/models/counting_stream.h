// A stream that counts what a model allocates from it.
#pragma once

#include <algorithm>
#include <memory>

#include "compute/backend.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::models {

class CountingStream final : public compute::Stream {
 public:
  explicit CountingStream(std::unique_ptr<compute::Stream> inner) : inner_(std::move(inner)) {}

  /// float32 values, each range rounded up to a cache line, most held between two resets.
  std::int64_t peak() const { return peak_; }

  float* allocate(std::int64_t count) override {
    constexpr std::int64_t kLine = tensor::kAlignment / sizeof(float);
    held_ += (count + kLine - 1) / kLine * kLine;
    peak_ = std::max(peak_, held_);
    return inner_->allocate(count);
  }
  void reset() override {
    held_ = 0;
    inner_->reset();
  }

  void embed_patches(const compute::PatchEmbedding& embedding, const compute::PixelBatch& pixels,
                     std::int64_t rows_per_image, std::int64_t first_row,
                     compute::Matrix out) override {
    inner_->embed_patches(embedding, pixels, rows_per_image, first_row, out);
  }
  void broadcast_rows(const compute::Vector& rows, std::int64_t batch, std::int64_t rows_per_image,
                      std::int64_t first_row, compute::Matrix out) override {
    inner_->broadcast_rows(rows, batch, rows_per_image, first_row, out);
  }
  void add_rows(const compute::Vector& rows, std::int64_t batch, compute::Matrix x) override {
    inner_->add_rows(rows, batch, x);
  }
  void add(compute::Matrix from, compute::Matrix x) override { inner_->add(from, x); }
  void linear(const compute::Linear& linear, compute::Matrix x, compute::Activation activation,
              compute::Matrix residual, compute::Matrix y) override {
    inner_->linear(linear, x, activation, residual, y);
  }
  void normalize(compute::NormKind kind, const compute::Vector& weight, const compute::Vector* bias,
                 float epsilon, compute::Matrix x, compute::Matrix y) override {
    inner_->normalize(kind, weight, bias, epsilon, x, y);
  }
  void rotate_pairs(const compute::Vector& turns, std::int64_t batch, std::int64_t heads,
                    std::int64_t first_row, compute::Matrix x) override {
    inner_->rotate_pairs(turns, batch, heads, first_row, x);
  }
  void attention(compute::Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                 tensor::Precision precision, compute::Matrix out) override {
    inner_->attention(qkv, batch, heads, scale, precision, out);
  }
  void causal_attention(compute::Matrix qkv, std::span<const std::int64_t> lengths,
                        std::int64_t heads, float scale, tensor::Precision precision,
                        compute::Matrix out) override {
    inner_->causal_attention(qkv, lengths, heads, scale, precision, out);
  }
  void relative_attention(const compute::Vector& table, std::int64_t grid_columns,
                          compute::Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                          tensor::Precision precision, compute::Matrix out) override {
    inner_->relative_attention(table, grid_columns, qkv, batch, heads, scale, precision, out);
  }
  void pool_attention(const compute::Vector& query, compute::Matrix kv, std::int64_t batch,
                      std::int64_t heads, float scale, compute::Matrix out) override {
    inner_->pool_attention(query, kv, batch, heads, scale, out);
  }
  void gate(compute::Activation activation, compute::Matrix x, compute::Matrix y) override {
    inner_->gate(activation, x, y);
  }
  void gather_rows(compute::Matrix x, std::int64_t first, std::int64_t step,
                   compute::Matrix y) override {
    inner_->gather_rows(x, first, step, y);
  }
  void take_rows(compute::Matrix x, std::span<const std::int64_t> rows,
                 compute::Matrix y) override {
    inner_->take_rows(x, rows, y);
  }
  void mean_rows(compute::Matrix x, std::int64_t batch, std::int64_t first,
                 compute::Matrix y) override {
    inner_->mean_rows(x, batch, first, y);
  }
  void convolve(const compute::Convolution& convolution, compute::FeatureMap x,
                compute::FeatureMap residual, compute::FeatureMap y) override {
    inner_->convolve(convolution, x, residual, y);
  }
  void load_pixels(const compute::PixelBatch& pixels, compute::FeatureMap out) override {
    inner_->load_pixels(pixels, out);
  }
  void max_pool(compute::FeatureMap x, std::int64_t kernel, std::int64_t stride,
                std::int64_t padding, compute::FeatureMap y) override {
    inner_->max_pool(x, kernel, stride, padding, y);
  }
  void normalize_response(const compute::Vector& weight, const compute::Vector& bias, float epsilon,
                          compute::FeatureMap x) override {
    inner_->normalize_response(weight, bias, epsilon, x);
  }
  void average_pool(compute::FeatureMap x, compute::Matrix y) override {
    inner_->average_pool(x, y);
  }
  void upload(std::span<const float> values, compute::Matrix x) override {
    inner_->upload(values, x);
  }
  void download(compute::Matrix x, std::span<float> out) override { inner_->download(x, out); }

 private:
  std::unique_ptr<compute::Stream> inner_;
  std::int64_t held_ = 0, peak_ = 0;
};

}  // namespace vecframe::models
