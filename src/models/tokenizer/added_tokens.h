// Tokens that are matched in the text as they stand, before anything else happens to it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/tokenizer/tokenizer.h"

namespace vecframe::models {

/// Splits texts at literal tokens: leftmost, and the longest among those that begin there.
class AddedTokens {
 public:
  void add(std::string content, TokenId id);
  bool empty() const { return nodes_.size() == 1; }
  std::optional<TokenId> find(std::string_view content) const;
  /// -1 of none.
  TokenId largest_id() const { return largest_id_; }

  /// Calls `piece` for each stretch between tokens and `token` for each token, in order. No piece
  /// is empty.
  void split(std::string_view text, const std::function<void(std::string_view)>& piece,
             const std::function<void(TokenId)>& token) const;

 private:
  struct Node {
    std::unordered_map<char, std::size_t> children;
    TokenId id = -1;
  };
  TokenId largest_id_ = -1;
  std::vector<Node> nodes_{1};  // a trie over bytes
};

}  // namespace vecframe::models
