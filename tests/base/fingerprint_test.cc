#include "base/fingerprint.h"

#include <gtest/gtest.h>

namespace vecframe {
namespace {

TEST(Fingerprint, IsTheOneOfXxh3) {
  // XXH3 128 of no bytes, from the algorithm's own test vectors.
  EXPECT_EQ(fingerprint_of({}), "99aa06d3014798d86001c324468d497f");
}

TEST(Fingerprint, FieldsDoNotRunTogether) {
  Fingerprint a, b;
  a.add_field("ab").add_field("c");
  b.add_field("a").add_field("bc");
  EXPECT_NE(a.hex(), b.hex());
}

TEST(Fingerprint, PiecesEqualTheWhole) {
  const char text[] = "one text in two pieces";
  const auto bytes = std::as_bytes(std::span(text));
  Fingerprint pieces;
  pieces.add(bytes.first(7)).add(bytes.subspan(7));
  EXPECT_EQ(pieces.hex(), fingerprint_of(bytes));
}

}  // namespace
}  // namespace vecframe
