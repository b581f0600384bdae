#pragma once

#include <memory>

#include "backends/cpu/attention.h"
#include "backends/cpu/packed.h"
#include "backends/cpu/product.h"
#include "compute/backend.h"
#include "compute/workspace.h"

namespace vecframe::backends::cpu {

/// One thread's worth of work, and that of the cores which others leave to it.
class CpuStream final : public compute::Stream {
 public:
  explicit CpuStream(const Isa& isa) : isa_(isa) {}

  float* allocate(std::int64_t count) override { return workspace_.allocate(count); }
  void reset() override { workspace_.reset(); }
  void share_cores(std::shared_ptr<const CoreShare> cores) override;

  void embed_patches(const compute::PatchEmbedding& embedding, const compute::PixelBatch& pixels,
                     std::int64_t rows_per_image, std::int64_t first_row,
                     compute::Matrix out) override;
  void broadcast_rows(const compute::Vector& rows, std::int64_t batch, std::int64_t rows_per_image,
                      std::int64_t first_row, compute::Matrix out) override;
  void add_rows(const compute::Vector& rows, std::int64_t batch, compute::Matrix x) override;
  void add(compute::Matrix from, compute::Matrix x) override;
  void linear(const compute::Linear& linear, compute::Matrix x, compute::Activation activation,
              compute::Matrix residual, compute::Matrix y) override;
  void normalize(compute::NormKind kind, const compute::Vector& weight, const compute::Vector* bias,
                 float epsilon, compute::Matrix x, compute::Matrix y) override;
  void rotate_pairs(const compute::Vector& turns, std::int64_t batch, std::int64_t heads,
                    std::int64_t first_row, compute::Matrix x) override;
  void attention(compute::Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                 tensor::Precision precision, compute::Matrix out) override;
  void causal_attention(compute::Matrix qkv, std::span<const std::int64_t> lengths,
                        std::int64_t heads, float scale, tensor::Precision precision,
                        compute::Matrix out) override;
  void relative_attention(const compute::Vector& table, std::int64_t grid_columns,
                          compute::Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                          tensor::Precision precision, compute::Matrix out) override;
  void pool_attention(const compute::Vector& query, compute::Matrix kv, std::int64_t batch,
                      std::int64_t heads, float scale, compute::Matrix out) override;
  void gate(compute::Activation activation, compute::Matrix x, compute::Matrix y) override;
  void gather_rows(compute::Matrix x, std::int64_t first, std::int64_t step,
                   compute::Matrix y) override;
  void take_rows(compute::Matrix x, std::span<const std::int64_t> rows, compute::Matrix y) override;
  void mean_rows(compute::Matrix x, std::int64_t batch, std::int64_t first,
                 compute::Matrix y) override;
  void convolve(const compute::Convolution& convolution, compute::FeatureMap x,
                compute::FeatureMap residual, compute::FeatureMap y) override;
  void load_pixels(const compute::PixelBatch& pixels, compute::FeatureMap out) override;
  void max_pool(compute::FeatureMap x, std::int64_t kernel, std::int64_t stride,
                std::int64_t padding, compute::FeatureMap y) override;
  void normalize_response(const compute::Vector& weight, const compute::Vector& bias, float epsilon,
                          compute::FeatureMap x) override;
  void average_pool(compute::FeatureMap x, compute::Matrix y) override;
  void upload(std::span<const float> values, compute::Matrix x) override;
  void download(compute::Matrix x, std::span<float> out) override;

 private:
  /// Both are narrow, or none.
  void copy_row(compute::Matrix x, std::int64_t from, compute::Matrix y, std::int64_t to) const;

  /// The team becomes as large as the share is by now.
  void gather_team();
  void make_team(int threads);

  const Isa isa_;
  compute::Workspace workspace_;
  ProductScratch product_;
  AttentionScratch attention_;
  std::shared_ptr<const CoreShare> cores_;  // null: one
  int wanted_ = 1;                          // threads, whether they could be had or not
  std::unique_ptr<Team> team_;              // null: the caller's thread alone
};

}  // namespace vecframe::backends::cpu
