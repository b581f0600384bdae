// What families call the tensors of a block, where several towers have the same names.
#pragma once

#include "models/encoder_tensors.h"

namespace vecframe::models {

/// CLIP and SigLIP, pictures and texts.
BlockNames clip_block_names();

/// AIMv2, pictures and texts, as transformers stores it.
BlockNames aimv2_block_names();

/// The same under the names of Apple's own releases.
BlockNames aimv2_apple_block_names();

/// ViT, DeiT and BEiT as on disk since the first versions.
BlockNames vit_block_names();

/// The same as in memory since transformers 5, if saved without conversion.
BlockNames vit_in_memory_block_names();

}  // namespace vecframe::models
