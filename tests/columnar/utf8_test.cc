#include "columnar/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace vecframe::columnar {
namespace {

// The definition, written the other way round: encode every scalar value.
std::string encode(std::uint32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, EveryScalarValueIsOneSequence) {
  for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    const std::string text = encode(c);
    ASSERT_EQ(utf8_sequence_length(text), surrogate ? 0 : text.size()) << c;
    if (!surrogate) {
      ASSERT_TRUE(text.size() == 1 || utf8_sequence_length(text.substr(0, text.size() - 1)) == 0);
    }
  }
}

TEST(Utf8, RefusesWhatIsNoScalarValue) {
  for (const char* text :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xED\xA0\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\x80", "ab\xE2\x82"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << testing::PrintToString(std::string(text));
    EXPECT_TRUE(is_valid_utf8(to_utf8_lossy(text)));
  }
}

TEST(Utf8, ReplacesOnlyTheBadBytes) {
  EXPECT_EQ(to_utf8_lossy("caf\xC3\xA9/na\xEFve.jpg"), "caf\xC3\xA9/na\xEF\xBF\xBDve.jpg");
  EXPECT_EQ(to_utf8_lossy("\xFF\xFE"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(to_utf8_lossy("long enough for words \xE2\x82\xAC and more of it"),
            "long enough for words \xE2\x82\xAC and more of it");
  EXPECT_EQ(to_utf8_lossy(""), "");
}

TEST(Utf8, ABadByteAtAnyPlaceOfAWordIsSeen) {
  for (std::size_t i = 0; i < 20; ++i) {
    std::string text(20, 'a');
    text[i] = '\x80';
    EXPECT_FALSE(is_valid_utf8(text)) << i;
  }
}

}  // namespace
}  // namespace vecframe::columnar
