// Whether host weights fit the sizes they state. Every backend asks before it packs, so that its
// loops may trust them.
#pragma once

#include "compute/types.h"

namespace vecframe::compute {

/// Each throws std::invalid_argument that names the expected and the given size.
void check(const LinearWeights& weights);
void check(const PatchWeights& weights);
void check(const ConvolutionWeights& weights);

}  // namespace vecframe::compute
