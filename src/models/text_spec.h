// What a text tower computes, in the terms in which the families differ.
#pragma once

#include <cstdint>

#include "models/encoder_spec.h"
#include "models/tokenizer/tokenizer.h"

namespace vecframe::models {

/// Which token's row becomes the embedding. Nothing that follows it is computed where attention is
/// causal.
enum class TextPooling {
  kFirstOfId,       ///< the first token with the id `end_id`
  kFirstOfLargest,  ///< the first token with the largest id of its text
  kLast,            ///< the last position, be it padding or not
};

struct TextSpec : EncoderSpec {
  std::int64_t vocabulary = 0;  ///< rows of the token table
  std::int64_t positions = 0;   ///< rows of the position table
  /// Of the texts as they are given to the network; at most `positions`. Without a causal mask
  /// every text has exactly this length: the padding is part of the model.
  std::int64_t max_tokens = 0;
  bool causal = true;
  TextPooling pooling = TextPooling::kFirstOfId;
  TokenId end_id = 0;
};

}  // namespace vecframe::models
