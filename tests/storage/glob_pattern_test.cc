#include "storage/glob_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace vecframe::storage {
namespace {

TEST(GlobPattern, MatchesWholeNames) {
  EXPECT_TRUE(matches("*.jpg", "a.jpg"));
  EXPECT_TRUE(matches("*", "anything at all"));
  EXPECT_TRUE(matches("a*b*c", "a--b-b--c"));
  EXPECT_TRUE(matches("**a", "ba"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_FALSE(matches("*.jpg", "a.jpg2"));
  EXPECT_FALSE(matches("a*b*c", "a--b-b--d"));
  EXPECT_FALSE(matches("a", ""));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("A", "a"));
}

TEST(GlobPattern, AQuestionMarkIsACharacterNotAByte) {
  EXPECT_TRUE(matches("caf?.png", "caf\xC3\xA9.png"));
  EXPECT_TRUE(matches("?", "\xF0\x9F\x90\x88"));
  EXPECT_TRUE(matches("?", "\xFF"));
  EXPECT_FALSE(matches("?", "ab"));
  EXPECT_FALSE(matches("?", ""));
}

TEST(GlobPattern, SetsHoldCharactersAndRanges) {
  EXPECT_TRUE(matches("[a-c]1", "b1"));
  EXPECT_FALSE(matches("[a-c]1", "d1"));
  EXPECT_TRUE(matches("[!a-c]", "d"));
  EXPECT_TRUE(matches("[^a-c]", "d"));
  EXPECT_FALSE(matches("[!a-c]", "a"));
  EXPECT_TRUE(matches("[]x]", "]"));
  EXPECT_TRUE(matches("[a-]", "-"));
  EXPECT_TRUE(matches("[*]", "*"));
  EXPECT_FALSE(matches("[*]", "a"));
  EXPECT_TRUE(matches("[\xC3\xA4-\xC3\xBC]", "\xC3\xB6"));
  EXPECT_TRUE(matches("[open", "[open")) << "a bracket that is never closed is itself";
  EXPECT_TRUE(matches("a\\b", "a\\b"));
}

TEST(GlobPattern, HiddenNamesNeedTheDotSpelledOut) {
  EXPECT_FALSE(matches("*", ".hidden"));
  EXPECT_FALSE(matches("?hidden", ".hidden"));
  EXPECT_FALSE(matches("[.]hidden", ".hidden"));
  EXPECT_TRUE(matches(".*", ".hidden"));
}

TEST(GlobPattern, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", std::string(250, 'a')));
  EXPECT_TRUE(matches(pattern, std::string(250, 'a')));
}

}  // namespace
}  // namespace vecframe::storage
