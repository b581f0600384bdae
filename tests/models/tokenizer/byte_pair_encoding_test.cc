#include "models/tokenizer/byte_pair_encoding.h"

#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <random>
#include <string>
#include <vector>

namespace vecframe::models {
namespace {

using Vocabulary = BytePairEncoding::Vocabulary;
using Merges = BytePairEncoding::Merges;

// The definition, word by word: quadratic, and obviously right.
std::vector<std::string> merge_slowly(std::vector<std::string> symbols, const Merges& merges) {
  while (true) {
    std::size_t best_rank = merges.size(), best = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      for (std::size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].first == symbols[i] && merges[rank].second == symbols[i + 1]) {
          best_rank = rank;
          best = i;
        }
      }
    }
    if (best_rank == merges.size()) return symbols;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(BytePairEncoding, EqualsTheDefinitionOnRandomText) {
  Vocabulary vocabulary{{"a", 0}, {"b", 1}, {"c", 2}};
  Merges merges;
  std::mt19937 random(3);
  std::vector<std::string> tokens{"a", "b", "c"};
  while (merges.size() < 25) {
    const std::string left = tokens[random() % tokens.size()],
                      right = tokens[random() % tokens.size()];
    if (left.size() + right.size() > 6 || vocabulary.contains(left + right)) continue;
    vocabulary.emplace(left + right, static_cast<TokenId>(vocabulary.size()));
    tokens.push_back(left + right);
    merges.emplace_back(left, right);
  }
  const BytePairEncoding encoding(vocabulary, merges);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> text;
    std::vector<TokenId> ids, expected;
    for (std::size_t i = random() % 40; i > 0; --i)
      text.push_back(std::string(1, "abc"[random() % 3]));
    for (const std::string& symbol : text) ids.push_back(*encoding.find(symbol));
    for (const std::string& token : merge_slowly(text, merges))
      expected.push_back(vocabulary.at(token));
    encoding.merge(ids);
    ASSERT_EQ(ids, expected) << round;
  }
}

TEST(BytePairEncoding, ALongTextIsNoTrap) {
  const BytePairEncoding encoding({{"a", 0}, {"aa", 1}, {"aaaa", 2}}, {{"a", "a"}, {"aa", "aa"}});
  std::vector<TokenId> ids(1 << 20, 0);
  encoding.merge(ids);
  EXPECT_EQ(ids, std::vector<TokenId>(1 << 18, 2));
}

TEST(BytePairEncoding, AMergeOutsideTheVocabularyIsRefused) {
  EXPECT_THROW(BytePairEncoding({{"a", 0}, {"b", 1}}, {{"a", "b"}}), RequestError);
  EXPECT_THROW(BytePairEncoding({{"a", 0}, {"ab", 1}}, {{"a", "b"}}), RequestError);
}

}  // namespace
}  // namespace vecframe::models
