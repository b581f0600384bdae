#include "providers/http/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace vecframe::providers {
namespace {

std::string encoded(std::string_view text) {
  std::string result = ">";
  append_base64(std::as_bytes(std::span(text.data(), text.size())), result);
  return result.substr(1);
}

std::optional<std::string> decoded(std::string_view text) {
  const auto bytes = decode_base64(text);
  if (!bytes) return {};
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

TEST(Base64Test, TheVectorsOfRfc4648) {
  for (const auto& [plain, code] : {std::pair{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(encoded(plain), code);
    EXPECT_EQ(decoded(code), plain);
  }
}

TEST(Base64Test, LongDataKeepTheirBytes) {
  std::string text;
  for (std::size_t i = 0; i < (7u << 20) + 1; ++i) text += static_cast<char>(i * 31 >> 3);
  EXPECT_TRUE(decoded(encoded(text)) == text);
}

TEST(Base64Test, WhatIsNotBase64) {
  for (const char* bad : {"Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Z g=", " Zg==", "Zg==\n",
                          "Zm9-", "Zm9_", "Zm\xc3\xa4v", "Zm9v\n\n\n\n", "Zm=v"})
    EXPECT_FALSE(decoded(bad)) << bad;
  EXPECT_FALSE(decode_base64(std::string_view("Zm\0v", 4)));
}

}  // namespace
}  // namespace vecframe::providers
