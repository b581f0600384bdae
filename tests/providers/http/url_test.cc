#include "providers/http/url.h"

#include <gtest/gtest.h>

namespace vecframe::providers {
namespace {

TEST(UrlTest, OriginIsSchemeHostAndPort) {
  EXPECT_EQ(origin_of("HTTPS://Hub.Example/a?b"), (Origin{"https", "hub.example", "443"}));
  EXPECT_EQ(origin_of("http://hub.example:8080"), (Origin{"http", "hub.example", "8080"}));
  EXPECT_EQ(origin_of("https://hub.example:443/x"), origin_of("https://hub.example"));
  EXPECT_NE(origin_of("http://hub.example"), origin_of("https://hub.example"));
  EXPECT_NE(origin_of("https://hub.example"), origin_of("https://cdn.hub.example"));
  EXPECT_NE(origin_of("https://hub.example"), origin_of("https://hub.example.evil"));
  // What stands before @ is no host.
  EXPECT_EQ(origin_of("https://hub.example@evil.example/")->host, "evil.example");
}

TEST(UrlTest, OnlyHttpHasAnOrigin) {
  for (const char* url : {"file:///etc/passwd", "ftp://host/x", "gopher://h", "", "no url",
                          "http://", "javascript:alert(1)", "//host/path"})
    EXPECT_FALSE(origin_of(url)) << url;
}

TEST(UrlTest, ResolvesLocations) {
  const std::string base = "https://hub.example/a/b?x=1";
  EXPECT_EQ(resolve_url(base, "/c"), "https://hub.example/c");
  EXPECT_EQ(resolve_url(base, "c"), "https://hub.example/a/c");
  EXPECT_EQ(resolve_url(base, "//cdn.example/c"), "https://cdn.example/c");
  EXPECT_EQ(resolve_url(base, "http://other/d?y=2"), "http://other/d?y=2");
  EXPECT_FALSE(resolve_url(base, "file:///etc/passwd"));
  EXPECT_FALSE(resolve_url(base, ""));
}

TEST(UrlTest, ShowsNoSecrets) {
  EXPECT_EQ(shown_url("https://me:pw@cdn.example:99/file?X-Amz-Signature=abc#f"),
            "https://cdn.example:99/file");
  EXPECT_EQ(shown_url("https://hub.example"), "https://hub.example");
  EXPECT_EQ(shown_url("h ttp://x?secret"), "(not a URL)");
}

TEST(UrlTest, EncodesWhatAPathCannotHold) {
  EXPECT_EQ(percent_encode("refs/pr/1"), "refs%2Fpr%2F1");
  EXPECT_EQ(percent_encode("a/b-_.~", "/"), "a/b-_.~");
  EXPECT_EQ(percent_encode("\xc3\xa9 ?"), "%C3%A9%20%3F");
}

}  // namespace
}  // namespace vecframe::providers
