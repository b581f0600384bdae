// tokenizer.json of the Hugging Face tokenizers library, for the two pipelines this project runs
// exactly.
#pragma once

#include <filesystem>
#include <memory>

#include "models/tokenizer/tokenizer.h"

namespace vecframe::models {

/// Reads the file. A component that is not exactly one of the known forms is refused by name, never
/// approximated: throws RequestError.
std::unique_ptr<Tokenizer> read_tokenizer_json(const std::filesystem::path& path);

}  // namespace vecframe::models
