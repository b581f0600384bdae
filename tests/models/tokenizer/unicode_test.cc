#include "models/tokenizer/unicode.h"

#include <gtest/gtest.h>

#include <string>

namespace vecframe::models {
namespace {

TEST(Unicode, ComposesToNfc) {
  EXPECT_EQ(to_nfc("cafe\xCC\x81"), "caf\xC3\xA9");
  EXPECT_EQ(to_nfc("\xE2\x84\xAB"), "\xC3\x85");      // the angstrom sign is a letter A with ring
  EXPECT_EQ(to_nfc("\xEF\xAC\x81"), "\xEF\xAC\x81");  // a ligature is only compatible, so it stays
}

TEST(Unicode, LowersEachCodePointByItself) {
  EXPECT_EQ(to_lower_each("\xCE\x9F\xCE\xA3"), "\xCE\xBF\xCF\x83");  // a final sigma is not special
  EXPECT_EQ(to_lower_each("\xC4\xB0"), "i\xCC\x87");
  EXPECT_EQ(to_lower_each("STRASSE"), "strasse");
}

TEST(Unicode, OrdersMarksByClassHoweverMany) {
  // Above (230) and below (220): those below come first, each kind in its own order.
  EXPECT_EQ(to_nfc("q\xCC\x8A\xCC\xA3\xCC\x81"), "q\xCC\xA3\xCC\x8A\xCC\x81");
  std::string text = "q", below, above;
  for (int i = 0; i < 200000; ++i) {
    text += "\xCC\x81\xCC\x96";
    above += "\xCC\x81";
    below += "\xCC\x96";
  }
  EXPECT_EQ(to_nfc(text), "q" + below + above);
}

TEST(Unicode, LowersTextsWithAFinalSigma) {
  const std::string sigma = "\xCE\xA3", small = "\xCF\x83", final_sigma = "\xCF\x82";
  EXPECT_EQ(to_lower_text("A" + sigma), "a" + final_sigma);
  EXPECT_EQ(to_lower_text("A" + sigma + sigma + " A"), "a" + small + final_sigma + " a");
  EXPECT_EQ(to_lower_text(sigma), small) << "no letter before it";
  EXPECT_EQ(to_lower_text("A'" + sigma + "."), "a'" + final_sigma + ".")
      << "some signs do not count";
  EXPECT_EQ(to_lower_text("A" + sigma + "'B"), "a" + small + "'b");
  EXPECT_EQ(to_lower_text("A1" + sigma), "a1" + small);
  EXPECT_EQ(to_lower_text("\xC4\xB0"), "i\xCC\x87");
}

TEST(Unicode, InvalidBytesBecomeReplacementCharacters) {
  EXPECT_EQ(to_nfc("a\xFF\xC3"), "a\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(to_lower_each("A\xED\xA0\x80"), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Unicode, Classes) {
  EXPECT_TRUE(is_letter(0x6771) && is_letter('z') && !is_letter('1') && !is_letter(0x301));
  EXPECT_TRUE(is_number(0xBD) && is_number(0x2167) && !is_number('a'));
  EXPECT_TRUE(is_white_space(0x3000) && is_white_space('\t') && !is_white_space(0x200B));
}

}  // namespace
}  // namespace vecframe::models
