#pragma once

#include <cstdint>

#include "backends/cpu/attention.h"
#include "backends/cpu/relative_bias.h"

namespace vecframe::backends::cpu {

/// One head of one sequence: `d` columns from `column` on of q, k and v, which lie `width` apart.
struct HeadOf {
  compute::Matrix qkv;
  std::int64_t first_row, tokens, column, width, d;
};

/// Attention by the bf16 kernels, for machines that have them. The scores of some query rows at a
/// time stay in the first-level cache beside a panel of keys. `bias` may be null.
void attend_bf16(const Isa& isa, const HeadOf& head, float scale, bool causal,
                 const RelativeBias* bias, HeadScratch& scratch, compute::Matrix out);

}  // namespace vecframe::backends::cpu
