#include "cli/byte_size.h"

#include <gtest/gtest.h>
#include <vecframe/error.h>

namespace vecframe::cli {
namespace {

TEST(ByteSize, ReadsBytesAndPowersOfTwo) {
  EXPECT_EQ(parse_byte_size("0"), 0);
  EXPECT_EQ(parse_byte_size("1000000"), 1000000);
  EXPECT_EQ(parse_byte_size("64K"), 65536);
  EXPECT_EQ(parse_byte_size("512M"), 536870912);
  EXPECT_EQ(parse_byte_size("512MiB"), 536870912);
  EXPECT_EQ(parse_byte_size("2G"), 2147483648);
  EXPECT_EQ(parse_byte_size("1.5GiB"), 1610612736);
}

TEST(ByteSize, RefusesWhatIsNoAmount) {
  for (const char* text : {"", "M", "-1", "12X", "1 G", "nan", "inf", "1e30", "5MB", "0x10Q"}) {
    EXPECT_THROW(parse_byte_size(text), RequestError) << text;
  }
}

}  // namespace
}  // namespace vecframe::cli
