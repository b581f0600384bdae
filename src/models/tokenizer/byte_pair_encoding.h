// Byte-pair encoding: symbols are merged pair by pair, the pair of the lowest rank first, leftmost
// among equals. Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword
// Units", 2016; the order of merges is that of the Hugging Face tokenizers library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "models/tokenizer/tokenizer.h"

namespace vecframe::models {

class BytePairEncoding {
 public:
  using Vocabulary = std::unordered_map<std::string, TokenId>;
  using Merges = std::vector<std::pair<std::string, std::string>>;

  /// `merges` from the lowest rank on. Throws RequestError for a merge whose parts or result the
  /// vocabulary lacks.
  BytePairEncoding(const Vocabulary& vocabulary, const Merges& merges);
  /// No token and no merge yet: for vocabularies that are read piece by piece.
  BytePairEncoding() = default;
  void add_token(std::string token, TokenId id);
  /// Of a rank behind all merges before. Throws RequestError if the vocabulary lacks a part or the
  /// result.
  void add_merge(const std::string& left, const std::string& right);

  std::optional<TokenId> find(std::string_view token) const;
  TokenId largest_id() const { return largest_id_; }
  /// Replaces pairs in `symbols` until none has a merge.
  void merge(std::vector<TokenId>& symbols) const;

 private:
  struct Merge {
    std::uint32_t rank;
    TokenId result;
  };
  const Merge* find_merge(TokenId left, TokenId right) const;

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>> vocabulary_;
  TokenId largest_id_ = -1;
  std::uint32_t next_rank_ = 0;
  std::unordered_map<std::uint64_t, Merge> merges_;  // by left << 32 | right
};

}  // namespace vecframe::models
