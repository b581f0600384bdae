// spiece.model: the tokenizer of SigLIP's first generation, on the sentencepiece library.
#pragma once

#include <filesystem>
#include <memory>

#include "models/tokenizer/tokenizer.h"
#include "models/tokenizer/tokenizer_settings.h"

namespace vecframe::models {

/// As the `SiglipTokenizer` of transformers: lower case, ASCII punctuation deleted, white space
/// collapsed, then the pieces of the model. Throws RequestError if the file is damaged, or if this
/// build has no sentencepiece.
std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::filesystem::path& path,
                                                        const TokenizerSettings& settings);

}  // namespace vecframe::models
