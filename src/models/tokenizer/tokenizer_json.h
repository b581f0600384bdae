// tokenizer.json of the Hugging Face tokenizers library, for the two pipelines this project runs
// exactly.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/tokenizer/tokenizer.h"
#include "models/tokenizer/tokenizer_settings.h"

namespace vecframe::models {

enum class TokenizerKind { kClip, kGemma };

struct TokenizerJson {
  TokenizerKind kind = TokenizerKind::kClip;
  std::unique_ptr<Tokenizer> tokenizer;
  /// What the post-processor puts before and after the ids of a text; neither without one.
  bool has_frame = false;
  std::vector<TokenId> before, after;
  std::optional<std::string> padding;  ///< the token, if the file pads
};

/// Reads the file. `named` are further tokens to match in texts as they are spelled, if the
/// vocabulary has them. A component that is not exactly one of the known forms is refused by name,
/// never approximated: throws RequestError.
TokenizerJson read_tokenizer_json(const std::filesystem::path& path,
                                  std::span<const NamedToken> named = {});

}  // namespace vecframe::models
