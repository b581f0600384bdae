#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backends/cpu/packed.h"
#include "backends/cpu/product.h"
#include "compute/types.h"
#include "tensor/dtype.h"

namespace vecframe::backends::cpu {

struct HeadScratch {
  Scratch queries, keys, values, scores, sums, factors;
  Scratch rows, weights;  ///< of bf16 alone: what is not stored so, and exp(score - largest)
};
struct AttentionScratch {
  Team* team = nullptr;                 ///< null: the caller's thread alone
  std::vector<HeadScratch> threads{1};  ///< one for each of the team
};

/// softmax(q k^T * scale) v for each image and head; see compute/backend.h. Keys and values of one
/// head are packed once and stay in the second-level cache; scores exist for one block of query
/// rows at a time.
void attention(const Isa& isa, compute::Matrix qkv, std::int64_t batch, std::int64_t heads,
               float scale, tensor::Precision precision, AttentionScratch& scratch,
               compute::Matrix out);

/// The same of texts, each row with itself and those before it; see compute/backend.h. Keys behind
/// a block of query rows are skipped.
void causal_attention(const Isa& isa, compute::Matrix qkv, std::span<const std::int64_t> lengths,
                      std::int64_t heads, float scale, tensor::Precision precision,
                      AttentionScratch& scratch, compute::Matrix out);

/// attention() with a bias of relative positions; see compute::Stream.
void relative_attention(const Isa& isa, const float* table, std::int64_t grid_columns,
                        compute::Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                        tensor::Precision precision, AttentionScratch& scratch,
                        compute::Matrix out);

/// softmax(q k^T * scale) v for each image and head with one query for all images.
void pool_attention(const Kernels& kernels, const float* query, compute::Matrix kv,
                    std::int64_t batch, std::int64_t heads, float scale, AttentionScratch& scratch,
                    compute::Matrix out);

}  // namespace vecframe::backends::cpu
