// vocab.json and merges.txt: CLIP's tokenizer as it was stored before there was tokenizer.json.
#pragma once

#include <filesystem>
#include <memory>

#include "models/tokenizer/tokenizer.h"
#include "models/tokenizer/tokenizer_settings.h"

namespace vecframe::models {

/// Throws RequestError if one of the two files is absent or damaged.
std::unique_ptr<Tokenizer> read_vocabulary_files(const std::filesystem::path& directory,
                                                 const TokenizerSettings& settings);

}  // namespace vecframe::models
