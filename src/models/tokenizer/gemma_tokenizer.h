// Gemma's BPE over whole texts, with bytes for characters the vocabulary lacks: the tokenizer of
// SigLIP2. Source: `GemmaTokenizer` and `Siglip2Tokenizer` of transformers (a tokenizer.json with
// exactly this pipeline).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/byte_pair_encoding.h"
#include "models/tokenizer/tokenizer.h"

namespace vecframe::models {

class GemmaTokenizer final : public Tokenizer {
 public:
  /// `lowercase`: whether the file's normaliser lowers the text. `unknown` stands for a character
  /// without byte tokens; neighbouring ones become one.
  GemmaTokenizer(BytePairEncoding encoding, TokenId unknown, bool lowercase, AddedTokens raw_tokens,
                 AddedTokens normalized_tokens);
  std::vector<TokenId> encode(std::string_view text) const override;
  std::optional<TokenId> find(std::string_view token) const override;
  TokenId largest_id() const override;

 private:
  void encode_piece(std::string_view normalized, std::vector<TokenId>& ids) const;

  BytePairEncoding encoding_;
  TokenId unknown_;
  bool lowercase_;
  AddedTokens raw_tokens_, normalized_tokens_;
};

}  // namespace vecframe::models
