// CLIP's byte-level BPE: NFC, white space collapsed, lower case, words and single digits.
// Source: the `CLIPTokenizer` of transformers (a tokenizer.json with exactly this pipeline).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/byte_pair_encoding.h"
#include "models/tokenizer/tokenizer.h"

namespace vecframe::models {

class ClipTokenizer final : public Tokenizer {
 public:
  /// `unknown` stands for what the vocabulary lacks. `raw_tokens` are looked for in the text as it
  /// is, `normalized_tokens` in the normalised text.
  ClipTokenizer(BytePairEncoding encoding, TokenId unknown, AddedTokens raw_tokens,
                AddedTokens normalized_tokens);
  std::vector<TokenId> encode(std::string_view text) const override;
  std::optional<TokenId> find(std::string_view token) const override;
  TokenId largest_id() const override;

 private:
  void encode_words(std::string_view normalized, std::vector<TokenId>& ids) const;
  void encode_word(std::string_view word, std::vector<TokenId>& ids) const;

  BytePairEncoding encoding_;
  TokenId unknown_;
  AddedTokens raw_tokens_, normalized_tokens_;
};

}  // namespace vecframe::models
