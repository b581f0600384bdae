#include "models/tokenizer/added_tokens.h"

#include <gtest/gtest.h>

#include <string>

namespace vecframe::models {
namespace {

std::string split(const AddedTokens& tokens, std::string_view text) {
  std::string out;
  tokens.split(
      text, [&](std::string_view piece) { out += "[" + std::string(piece) + "]"; },
      [&](TokenId id) { out += std::to_string(id); });
  return out;
}

TEST(AddedTokens, LongestOfTheLeftmostWins) {
  AddedTokens tokens;
  tokens.add("<a>", 1);
  tokens.add("<a>b", 2);
  tokens.add("\n", 3);
  tokens.add("\n\n\n", 4);
  EXPECT_EQ(split(tokens, "x<a>by"), "[x]2[y]");
  EXPECT_EQ(split(tokens, "<a><a"), "1[<a]");
  EXPECT_EQ(split(tokens, "\n\n\n\n"), "43");
  EXPECT_EQ(split(tokens, "\n\n"), "33");
  EXPECT_EQ(split(tokens, ""), "");
}

TEST(AddedTokens, NoneLeavesTheTextWhole) { EXPECT_EQ(split(AddedTokens(), "text"), "[text]"); }

}  // namespace
}  // namespace vecframe::models
