// The text transformer, pre-norm: causal texts of any length, or padded ones without a mask.
#pragma once

#include <memory>

#include "models/checkpoint.h"
#include "models/text_model.h"
#include "models/text_spec.h"
#include "models/text_tensors.h"
#include "models/tokenizer/text_tokenizer.h"

namespace vecframe::models {

/// Multiply-adds x 2 of one text of max_tokens.
double text_flops(const TextSpec& spec, const TextTensors& tensors);

/// Reads and packs tensor after tensor, so that the peak above the packed weights is one layer. The
/// token table stays in the checkpoint's file, of which rows are read as texts need them.
std::unique_ptr<TextModel> load_text_transformer(std::shared_ptr<const Checkpoint> checkpoint,
                                                 const TextSpec& spec, const TextTensors& tensors,
                                                 std::shared_ptr<const TextTokenizer> tokenizer,
                                                 compute::Backend& backend,
                                                 tensor::Precision precision);

}  // namespace vecframe::models
