#include "models/tokenizer/byte_pair_encoding.h"

#include <vecframe/error.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>
#include <utility>

namespace vecframe::models {
namespace {

std::uint64_t pair_key(TokenId left, TokenId right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

}  // namespace

BytePairEncoding::BytePairEncoding(const Vocabulary& vocabulary, const Merges& merges) {
  for (const auto& [token, id] : vocabulary) add_token(token, id);
  for (const auto& [left, right] : merges) add_merge(left, right);
}

void BytePairEncoding::add_token(std::string token, TokenId id) {
  largest_id_ = std::max(largest_id_, id);
  vocabulary_.insert_or_assign(std::move(token), id);
}

void BytePairEncoding::add_merge(const std::string& left, const std::string& right) {
  const auto a = find(left), b = find(right), result = find(left + right);
  if (!a || !b || !result) {
    throw RequestError("tokenizer: the merge '" + left + " " + right +
                       "' has a part or a result that the vocabulary lacks; the file is damaged, "
                       "fetch it again");
  }
  merges_.try_emplace(pair_key(*a, *b), Merge{next_rank_++, *result});
}

std::optional<TokenId> BytePairEncoding::find(std::string_view token) const {
  const auto found = vocabulary_.find(token);
  if (found == vocabulary_.end()) return std::nullopt;
  return found->second;
}

const BytePairEncoding::Merge* BytePairEncoding::find_merge(TokenId left, TokenId right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePairEncoding::merge(std::vector<TokenId>& symbols) const {
  // A doubly linked list over positions; a merged symbol stays at the position of its left part.
  constexpr std::int32_t kNone = -1;
  const auto count = static_cast<std::int32_t>(symbols.size());
  std::vector<std::int32_t> previous(symbols.size()), next(symbols.size());
  // (rank, position, the two symbols it was seen with): out of date once either has changed.
  using Candidate = std::tuple<std::uint32_t, std::int32_t, TokenId, TokenId>;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto offer = [&](std::int32_t left) {
    if (left == kNone || next[static_cast<std::size_t>(left)] == kNone) return;
    const TokenId a = symbols[static_cast<std::size_t>(left)];
    const TokenId b = symbols[static_cast<std::size_t>(next[static_cast<std::size_t>(left)])];
    if (const Merge* known = find_merge(a, b)) candidates.emplace(known->rank, left, a, b);
  };
  for (std::int32_t i = 0; i < count; ++i) {
    previous[static_cast<std::size_t>(i)] = i - 1;
    next[static_cast<std::size_t>(i)] = i + 1 < count ? i + 1 : kNone;
  }
  for (std::int32_t i = 0; i < count; ++i) offer(i);

  std::vector<bool> alive(symbols.size(), true);
  while (!candidates.empty()) {
    const auto [rank, position, a, b] = candidates.top();
    candidates.pop();
    const auto left = static_cast<std::size_t>(position);
    if (!alive[left] || symbols[left] != a || next[left] == kNone) continue;
    const auto right = static_cast<std::size_t>(next[left]);
    if (symbols[right] != b) continue;
    symbols[left] = find_merge(a, b)->result;
    alive[right] = false;
    next[left] = next[right];
    if (next[left] != kNone) previous[static_cast<std::size_t>(next[left])] = position;
    offer(previous[left]);
    offer(position);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    if (alive[i]) symbols[kept++] = symbols[i];
  }
  symbols.resize(kept);
}

}  // namespace vecframe::models
