#include "models/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

namespace vecframe::models {

void AddedTokens::add(std::string content, TokenId id) {
  if (content.empty()) return;
  std::size_t node = 0;
  for (const char byte : content) {
    const auto [child, is_new] = nodes_[node].children.try_emplace(byte, nodes_.size());
    const std::size_t target = child->second;
    if (is_new) nodes_.emplace_back();
    node = target;
  }
  nodes_[node].id = id;
  largest_id_ = std::max(largest_id_, id);
}

std::optional<TokenId> AddedTokens::find(std::string_view content) const {
  std::size_t node = 0;
  for (const char byte : content) {
    const auto child = nodes_[node].children.find(byte);
    if (child == nodes_[node].children.end()) return std::nullopt;
    node = child->second;
  }
  if (nodes_[node].id < 0) return std::nullopt;
  return nodes_[node].id;
}

void AddedTokens::split(std::string_view text, const std::function<void(std::string_view)>& piece,
                        const std::function<void(TokenId)>& token) const {
  std::size_t begin = 0;  // of the stretch that no token has ended yet
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t node = 0, length = 0;
    TokenId id = -1;
    for (std::size_t i = at; i < text.size(); ++i) {
      const auto child = nodes_[node].children.find(text[i]);
      if (child == nodes_[node].children.end()) break;
      node = child->second;
      if (nodes_[node].id >= 0) {
        id = nodes_[node].id;
        length = i + 1 - at;
      }
    }
    if (id < 0) {
      ++at;
      continue;
    }
    if (at > begin) piece(text.substr(begin, at - begin));
    token(id);
    at += length;
    begin = at;
  }
  if (begin < text.size()) piece(text.substr(begin));
}

}  // namespace vecframe::models
