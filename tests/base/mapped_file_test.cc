#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <system_error>

namespace vecframe {
namespace {

TEST(MappedFile, ShowsTheContentAlsoAfterItsPagesWereReleased) {
  const std::string path = testing::TempDir() + "mapped_file_test";
  const std::string content(3 * 4096 + 17, 'v');
  std::ofstream(path, std::ios::binary) << content;
  const MappedFile file(path);
  ASSERT_EQ(file.bytes().size(), content.size());
  file.release_pages(file.bytes());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()),
            content);
  std::remove(path.c_str());
}

TEST(MappedFile, AnEmptyFileIsAnEmptySpan) {
  const std::string path = testing::TempDir() + "mapped_file_empty";
  std::ofstream(path).close();
  EXPECT_TRUE(MappedFile(path).bytes().empty());
  std::remove(path.c_str());
}

TEST(MappedFile, AMissingFileThrows) {
  EXPECT_THROW(MappedFile("/nonexistent/file"), std::system_error);
}

}  // namespace
}  // namespace vecframe
