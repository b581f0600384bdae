#include "providers/http/content_digest.h"

#include <gtest/gtest.h>

#include <string>

namespace vecframe::providers {
namespace {

std::string digest_of(std::string_view text, std::size_t digits) {
  auto digest =
      ContentDigest::for_etag(std::string(digits, '0'), static_cast<std::int64_t>(text.size()));
  for (const char& c : text) digest->add(std::as_bytes(std::span(&c, 1)));
  return digest->finish();
}

TEST(ContentDigestTest, Sha256) {  // FIPS 180-2, appendix B.1
  EXPECT_EQ(digest_of("abc", 64),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ContentDigestTest, GitBlobName) {  // `git hash-object`
  EXPECT_EQ(digest_of("", 40), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(digest_of("hello\n", 40), "ce013625030ba8dba906f756967f9e9ca394464a");
}

TEST(ContentDigestTest, OtherEtagsNameNoDigest) {
  for (const std::string& etag :
       {std::string(), std::string("abc"), std::string(40, 'g'), std::string(64, 'A'),
        std::string(41, '0'), std::string("../../x")})
    EXPECT_FALSE(ContentDigest::for_etag(etag, 1)) << etag;
}

}  // namespace
}  // namespace vecframe::providers
